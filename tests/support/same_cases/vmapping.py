"""Every family of operations under vmap, along each axis."""

from support.differential import lines

SETUP = """\
a = mx.random.normal((2, 3, 4), key=mx.random.key(0))
b = mx.random.normal((2, 3, 4), key=mx.random.key(1))
i = mx.array([[0, 1, 1], [2, 0, 1]])
c = a + 1j * b
"""
OF_ONE = lines("""
lambda x: x + 1
mx.exp
mx.abs
lambda x: x.sum()
lambda x: x.sum(0)
lambda x: x.sum(-1, keepdims=True)
lambda x: x.sum((0, 1))
lambda x: x.max(1)
lambda x: x.argmax()
lambda x: x.argmax(0)
lambda x: mx.argmin(x, 1, keepdims=True)
lambda x: x.all()
lambda x: x.prod(0)
lambda x: mx.logsumexp(x, 0)
lambda x: mx.softmax(x, 0)
lambda x: mx.softmax(x, (0, 1))
lambda x: mx.cumsum(x, 0)
lambda x: mx.cumsum(x)
lambda x: mx.cumprod(x, 1, reverse=True)
lambda x: mx.cummax(x, 0)
lambda x: mx.logcumsumexp(x, 1)
lambda x: mx.sort(x, 0)
lambda x: mx.sort(x, None)
lambda x: mx.argsort(x, 1)
lambda x: mx.partition(x, 1, 0)
lambda x: mx.argpartition(x, 1, 1)
lambda x: mx.topk(x, 2, 0)
lambda x: x.reshape(-1)
lambda x: x.T
lambda x: x.transpose(1, 0)
lambda x: x.flatten()
lambda x: x[0]
lambda x: x[1:, ::2]
lambda x: x[..., None, 0]
lambda x: x[mx.array([0, 0])]
lambda x: x[mx.array([0, 1]), mx.array([1, 0])]
lambda x: x[:, mx.array([[0, 1]])]
lambda x: mx.take(x, mx.array([1, 0]), 1)
lambda x: mx.take(x, 1, 0)
lambda x: mx.take(x, mx.array([1, 5]))
lambda x: mx.take_along_axis(x, mx.array([[0]]), 0)
lambda x: mx.put_along_axis(x, mx.array([[0]]), mx.array(7.0), 0)
lambda x: x.at[0].add(2)
lambda x: x.at[mx.array([0, 0])].add(x[1])
lambda x: x.at[mx.array([0, 1]), 1:].multiply(2)
lambda x: x.at[0, mx.array([0, 1])].maximum(0)
lambda x: x.at[..., 0].minimum(0)
lambda x: mx.slice(x, mx.array([1]), [0], (1, 2))
lambda x: mx.slice_update(x, mx.ones((1, 2)), mx.array([1]), [0])
lambda x: mx.slice_update(mx.zeros((4, 4)), x, mx.array([0]), [0])
lambda x: mx.squeeze(x[None])
lambda x: mx.expand_dims(x, (0, 2))
lambda x: mx.broadcast_to(x, (2, *x.shape))
lambda x: mx.concatenate([x, x], 0)
lambda x: mx.concatenate([x, mx.ones(x.shape)], 1)
lambda x: mx.stack([x, x], 1)
lambda x: mx.split(x, [1], 0)
lambda x: mx.pad(x, 1)
lambda x: mx.pad(x, 1, mode='edge')
lambda x: mx.tile(x, 2)
lambda x: mx.repeat(x, 2, 0)
lambda x: mx.roll(x, 1)
lambda x: mx.roll(x, 1, 0)
lambda x: mx.flip(x, 0)
lambda x: mx.diag(x)
lambda x: mx.diagonal(x)
lambda x: mx.trace(x)
lambda x: mx.tril(x)
lambda x: mx.triu(x, 1)
lambda x: x @ x.T
lambda x: x @ mx.ones((x.shape[1],))
lambda x: mx.ones((2, x.shape[0])) @ x
lambda x: mx.addmm(mx.ones((1,)), x, x.T)
lambda x: mx.inner(x, x)
lambda x: mx.outer(x, x)
lambda x: mx.tensordot(x, x, 2)
lambda x: mx.einsum('ij,kj->ik', x, x)
lambda x: mx.einsum('ij->j', x)
lambda x: mx.kron(x, mx.eye(2))
lambda x: mx.where(x > 0, x, 0)
lambda x: mx.clip(x, 0, 0.5)
lambda x: mx.var(x, 0)
lambda x: mx.std(x)
lambda x: mx.median(x, 0)
lambda x: mx.mean(x, -1)
lambda x: mx.astype(x, mx.float16)
lambda x: x.astype(mx.int32)
lambda x: x.view(mx.int32)
lambda x: x.view(mx.int16)
lambda x: mx.as_strided(x, (2, 2), (1, 1))
lambda x: mx.contiguous(x)
lambda x: mx.stop_gradient(x)
lambda x: mx.depends(x, x)
lambda x: mx.depends([x, x], [mx.ones((2,))])
lambda x: mx.isnan(x)
lambda x: mx.allclose(x, x)
lambda x: mx.array_equal(x, x)
lambda x: mx.conv1d(x[None], mx.ones((2, 2, x.shape[1])))
lambda x: mx.convolve(x[0], mx.array([1.0, 2.0]))
lambda x: mx.hadamard_transform(x)
lambda x: mx.divmod(x, 2)
lambda x: mx.meshgrid(x[0], x[1])
lambda x: mx.zeros_like(x)
lambda x: mx.ones_like(x) + x
lambda x: mx.full_like(x, 2)
lambda x: mx.full((2,), x[0, 0])
lambda x: mx.arange(3) + x[0, 0]
lambda x: mx.linspace(0, 1, 3)
lambda x: mx.atleast_3d(x)
lambda x: mx.unflatten(x, 0, (-1, 1))
lambda x: mx.swapaxes(x, 0, 1)
lambda x: mx.moveaxis(x, 0, -1)
lambda x: mx.nan_to_num(x)
lambda x: mx.round(x, 1)
lambda x: mx.diff(x)
lambda x: mx.searchsorted(mx.array([0.0, 1.0]), x)
lambda x: mx.unique(x, size=3)
lambda x: mx.count_nonzero(x)
lambda x: mx.minmax(x)
lambda x: mx.matrix_transpose(x)
lambda x: mx.unstack(x)
lambda x: mx.vecdot(x, x)
lambda x: mx.logaddexp(x, x)
lambda x: mx.to_fp8(x)
lambda x: mx.linalg.norm(x, axis=0)
lambda x: mx.linalg.cross(x[:, :3], x[:, :3] + 1)
lambda x: mx.broadcast_arrays(x, mx.ones((1,)))
lambda x: (x, [x.sum(), {'k': x}])
lambda x: 5
lambda x: None
lambda x: mx.grad(lambda y: (y ** 2).sum())(x)
lambda x: mx.vjp(mx.sin, [x], [x])[1]
lambda x: mx.jvp(mx.sin, [x], [x])[1]
lambda x: mx.compile(lambda y: mx.exp(y) + 1)(x)
lambda x: mx.checkpoint(mx.exp)(x)
lambda x: mx.vmap(lambda y: y.sum())(x)
lambda x: mx.vmap(lambda y: y * 2, in_axes=1, out_axes=1)(x)
lambda x: mx.fft.fft(x, axis=0)
lambda x: mx.fft.rfft2(x)
lambda x: mx.fft.irfft(x)
lambda x: mx.fast.layer_norm(x, None, None, 1e-5)
lambda x: x.item()
lambda x: x.shape[0] * x
lambda x: mx.quantize(mx.tile(x, (1, 16)), group_size=32)
lambda x: mx.random.uniform(shape=(2,)) + x[0, 0]
""")

OF_TWO = lines("""
mx.add
mx.matmul
lambda x, y: x @ y.T
mx.maximum
mx.power
lambda x, y: mx.concatenate([x, y])
lambda x, y: mx.stack([x, y])
lambda x, y: mx.where(x > y, x, y)
lambda x, y: mx.addmm(x, x, y.T @ y)
lambda x, y: mx.inner(x, y)
lambda x, y: mx.tensordot(x, y)
lambda x, y: mx.einsum('ij,kj', x, y)
lambda x, y: mx.take(x, (mx.abs(y) * 1).astype(mx.int32) % 2, 0)
lambda x, y: mx.take_along_axis(x, mx.argsort(y, 0), 0)
lambda x, y: mx.put_along_axis(x, mx.argsort(y, 0), y, 0)
lambda x, y: mx.clip(x, y - 1, y)
lambda x, y: mx.kron(x, y)
lambda x, y: mx.conv1d(x[None], y[:, None])
lambda x, y: mx.linalg.cross(x[:, :3], y[:, :3])
lambda x, y: mx.depends(x, y)
lambda x, y: mx.searchsorted(x[0], y)
lambda x, y: mx.divmod(x, y)
lambda x, y: mx.slice(x, mx.argmax(y, 0)[:1], [0], (1, 2))
lambda x, y: mx.fast.rms_norm(x, y[0], 1e-5)
""")

OF_INDICES = lines("""
lambda x, j: x[j]
lambda x, j: x[0, j]
lambda x, j: mx.take(x, j, 0)
lambda x, j: mx.take(x, j, 1)
lambda x, j: mx.take(x, j)
lambda x, j: x.at[j].add(1)
lambda x, j: x.at[j].multiply(x[j])
lambda x, j: x.at[:, j].add(1)
lambda x, j: x[j, j]
lambda x, j: x[j[0]]
lambda x, j: x[j[0], :2]
lambda x, j: mx.take_along_axis(x, j[:, None], 1)
lambda x, j: mx.put_along_axis(x, j[:, None], mx.array(0.0), 1)
""")

CASES = [
    *(f"{SETUP}mx.vmap({fun}, in_axes={axis})(a)" for fun in OF_ONE for axis in (0, 1, -1)),
    *(f"{SETUP}mx.vmap({fun}, in_axes=2, out_axes=-1)(a)" for fun in OF_ONE),
    *(f"{SETUP}mx.vmap(mx.vmap({fun}))(a[None])" for fun in OF_ONE),
    *(
        f"{SETUP}mx.vmap({fun}, in_axes={axes})(a, b)"
        for fun in OF_TWO
        for axes in ((0, 0), (0, None), (None, 0), (1, 1), (2, 2), (-1, None))
    ),
    *(f"{SETUP}mx.vmap({fun})(a, i)" for fun in OF_INDICES),
    *(f"{SETUP}mx.vmap({fun}, in_axes=(0, None))(a, i[0])" for fun in OF_INDICES),
    *(f"{SETUP}mx.vmap({fun}, in_axes=(None, 0))(a[0], i)" for fun in OF_INDICES),
]
