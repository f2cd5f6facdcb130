"""Functions that between them hold every operation that MLX writes to a file on a CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlxc as mx

Case = tuple[Callable[..., Any], tuple[mx.array, ...]]

x = mx.random.normal((4, 4), key=mx.random.key(0))
y = mx.abs(x) * 0.4 + 0.1
n = mx.arange(16).reshape(4, 4)
i = mx.array([0, 2, -1])
c = x + 1j * y
spd = x @ x.T + 4 * mx.eye(4)
image = mx.random.normal((1, 6, 6, 4), key=mx.random.key(1))
filters = mx.random.normal((4, 3, 3, 4), key=mx.random.key(2))
big = mx.random.normal((8, 128), key=mx.random.key(3))
key = mx.random.key(4)
blocks = mx.ones((2, 2), mx.bool_)
packed = {
    mode: mx.quantize(big, size, bits, mode)
    for mode, size, bits in [
        ("affine", 64, 4),
        ("mxfp4", 32, 4),
        ("mxfp8", 32, 8),
        ("nvfp4", 16, 4),
    ]
}
mx.eval(x, y, n, i, c, spd, image, filters, big, key, blocks, packed)

UNARY = """abs arccosh arcsinh arctan argmax argmin argsort all any ceil cos cosh cummax cummin
cumprod cumsum erf exp expm1 floor logical_not logsumexp max mean min negative prod reciprocal
round rsqrt sigmoid sign sin sinh softmax sort sqrt square std sum tan tanh transpose""".split()
UNIT = "arccos arcsin arctanh erfinv log log10 log1p log2".split()
BINARY = """add arctan2 divide divmod equal floor_divide greater greater_equal less less_equal
logaddexp logical_and logical_or matmul maximum minimum multiply not_equal power remainder
subtract""".split()
INTEGER = "bitwise_and bitwise_or bitwise_xor divmod left_shift right_shift".split()
FOURIER = "fft ifft rfft irfft fft2 ifft2 rfftn irfftn".split()


def product(mode: str, **options: Any) -> Callable[[mx.array], mx.array]:
    return lambda a: mx.quantized_matmul(a, *packed[mode], mode=mode, **options)


def chosen(a: mx.array) -> mx.array:
    weights = [w[None] for w in packed["affine"]]
    return mx.gather_qmm(a[None], *weights, rhs_indices=mx.array([0, 0]))


def masked(a: mx.array, mask: mx.array) -> mx.array:
    a = mx.array(a)
    a[mask] = mx.arange(16.0)
    return a


def total_gradient(function: Callable[[mx.array], mx.array]) -> Callable[[mx.array], mx.array]:
    return mx.grad(lambda a: function(a).sum())


CASES: dict[str, Case] = {
    **{name: (getattr(mx, name), (x,)) for name in UNARY},
    **{f"{name} of int8": (getattr(mx, name), (n.astype(mx.int8),)) for name in ("sum", "sort")},
    **{name: (getattr(mx, name), (y,)) for name in UNIT},
    **{name: (getattr(mx, name), (x, y)) for name in BINARY},
    **{f"{name} of int": (getattr(mx, name), (n, n // 3 + 1)) for name in INTEGER},
    **{name: (getattr(mx.fft, name), (x,)) for name in FOURIER},
    "abs of complex": (mx.abs, (c,)),
    "parts of complex": (lambda a: (mx.real(a), mx.imag(a), mx.conjugate(a)), (c,)),
    "equal nan": (lambda a: mx.array_equal(a, a, equal_nan=True), (x,)),
    "odd transform": (lambda a: mx.fft.irfftn(a, s=(3, 5), axes=(1, 0)), (c,)),
    "arange": (lambda a: a + mx.arange(4.0), (x,)),
    "full": (lambda a: mx.full((2, 4, 4), a), (x,)),
    "astype": (lambda a: a.astype(mx.int32), (x,)),
    "view": (lambda a: a.view(mx.int32), (x,)),
    "as_strided": (lambda a: mx.as_strided(a, (3, 2), (4, 1), 1), (x,)),
    "partition": (lambda a: (mx.partition(a, 2), mx.argpartition(a, 2, axis=0)), (x,)),
    "addmm": (lambda a, b: mx.addmm(a, b, b, 0.5, 2.0), (x, y)),
    "block_masked_mm": (
        lambda a: (
            mx.block_masked_mm(a, a, 32, blocks),
            mx.block_masked_mm(a, a, 32, None, blocks, blocks),
            mx.block_masked_mm(a, a, 32, blocks, blocks, blocks),
        ),
        (mx.ones((64, 64)),),
    ),
    "gather_mm": (
        lambda a: mx.gather_mm(a, a, mx.array([0, 1, 1]), mx.array([1, 0, 1])),
        (mx.ones((2, 4, 4)),),
    ),
    "broadcast": (lambda a: (mx.broadcast_to(a, (2, 4, 4)), a + a[0]), (x,)),
    "batches": (lambda a: a[:, None] @ a[None], (mx.ones((3, 4, 4)),)),
    "concatenate": (lambda a, b: mx.concatenate([a, b], axis=1), (x, y)),
    "convolution": (
        lambda a, w: mx.conv_general(
            a,
            w[..., :2],
            stride=(1, 2),
            padding=([1, 0], [0, 2]),
            kernel_dilation=(1, 2),
            input_dilation=(2, 1),
            groups=2,
            flip=True,
        ),
        (image, filters),
    ),
    "depends": (lambda a, b: mx.depends([a, b], [b]), (x, y)),
    "where": (lambda a, b: mx.where(a > 0, a, b), (x, y)),
    "axes": (lambda a: mx.expand_dims(a.squeeze(0), (0, 2)), (image,)),
    "reshape": (lambda a: (a.reshape(8, 2), a.flatten(), mx.unflatten(a, 1, (2, -1))), (x,)),
    "take": (lambda a: (a[i], a[i, i], a[:, i[None]], mx.take(a, i)), (x,)),
    "take_along_axis": (lambda a, b: mx.take_along_axis(a, b % 4, axis=1), (x, n)),
    "put_along_axis": (lambda a, b: mx.put_along_axis(a, b % 4, mx.array(5.0), axis=1), (x, n)),
    "at": (
        lambda a: (
            a.at[i].add(1.0),
            a.at[i].multiply(3.0),
            a.at[i, 1].maximum(3.0),
            a.at[:, i].minimum(-3.0),
            a.at[1:3].add(2.0),
            a.at[::2].multiply(2.0),
            a.at[1:].maximum(0.0),
            a.at[1:].minimum(0.0),
        ),
        (x,),
    ),
    "slices": (lambda a: (a[1:3, ::2], a[::-1, 3:0:-2], a[::-3]), (x,)),
    "dynamic slices": (
        lambda a: (
            mx.slice(a, mx.array([1]), (0,), (2, 4)),
            mx.slice_update(a, a[:2, :2], mx.array([1, 1]), (0, 1)),
        ),
        (x,),
    ),
    "split": (lambda a: mx.split(a, [1, 3]), (x,)),
    "pad": (lambda a: mx.pad(a, ((1, 2), (0, 3)), constant_values=4.0), (x,)),
    "hadamard": (lambda a: mx.hadamard_transform(a, 0.3), (x,)),
    "inverse": (lambda a: (mx.linalg.inv(a), mx.linalg.tri_inv(mx.tril(a))), (spd,)),
    "upper inverse": (lambda a: mx.linalg.tri_inv(mx.triu(a), upper=True), (spd,)),
    "factors": (
        lambda a: (
            mx.linalg.cholesky(a),
            mx.linalg.cholesky(a, upper=True),
            *mx.linalg.qr(a),
            *mx.linalg.svd(a),
            mx.linalg.svd(a, compute_uv=False),
        ),
        (spd,),
    ),
    "eigenvalues": (
        lambda a: (
            *mx.linalg.eigh(a, UPLO="U"),
            mx.linalg.eigvalsh(a),
            *mx.linalg.eig(a),
            mx.linalg.eigvals(a),
        ),
        (spd,),
    ),
    "searchsorted": (
        lambda a: [mx.searchsorted(mx.sort(a[0]), a, side=side) for side in ("left", "right")],
        (x,),
    ),
    "products of packed": (
        lambda a: [product(mode, group_size=s, bits=b)(a) for mode, s, b in MODES],
        (big,),
    ),
    "chosen packed": (chosen, (big,)),
    "quantize": (
        lambda a: (
            *mx.quantize(a, 32, 8),
            *mx.quantize(a, mode="mxfp4"),
            mx.dequantize(*packed["affine"]),
        ),
        (big,),
    ),
    "random": (
        lambda k: (mx.random.uniform(shape=(3,), key=k), *mx.random.split(k)),
        (key,),
    ),
    "random of many keys": (
        mx.vmap(lambda k: mx.random.normal((3,), key=k)),
        (mx.random.split(key, 2),),
    ),
    "scans": (
        lambda a: mx.cumsum(a, axis=1, reverse=True, inclusive=False),
        (x,),
    ),
    "logsumexp of rows": (lambda a: mx.logsumexp(a, axis=-1), (x,)),
    "softmax of halves": (
        lambda a: mx.softmax(a.astype(mx.float16), axis=-1, precise=True),
        (x,),
    ),
    "masked": (masked, (x, x > 0)),
    "gradient": (total_gradient(lambda a: mx.softmax(a @ a, axis=-1) * mx.cumprod(a)[0]), (x,)),
    "gradient of indices": (total_gradient(lambda a: a[i] * 2), (x,)),
    "gradient of filters": (
        lambda a, w: mx.grad(lambda w: mx.conv2d(a, w).sum())(w),
        (image, filters),
    ),
    "layers": (
        lambda a: mx.fast.rope(
            mx.fast.scaled_dot_product_attention(a, a, a, scale=0.5, mask="causal"),
            4,
            traditional=False,
            base=100.0,
            scale=1.0,
            offset=3,
        ),
        (image,),
    ),
    "compiled": (mx.compile(lambda a: mx.exp(a) * 2 + a), (x,)),
}
MODES = [("affine", 64, 4), ("mxfp4", 32, 4), ("mxfp8", 32, 8), ("nvfp4", 16, 4)]
