"""Functions exported, imported, given rules of their own, and drawn."""

from support.differential import lines, programs

LINES = lines("""
[attempt(mx.fast.metal_kernel), attempt(mx.fast.metal_kernel, "k", ["a"], ["o"]), attempt(mx.fast.metal_kernel, name="k", input_names="a", output_names=["o"], source=""), attempt(mx.fast.metal_kernel, name="k", input_names=["a"], output_names=[3], source=""), attempt(mx.fast.metal_kernel, name=3, input_names=["a"], output_names=["o"], source=""), attempt(mx.fast.cuda_kernel, name="k", input_names=["a"], output_names=["o"])]
attempt(lambda: mx.fast.precompiled_cuda_kernel(name="k", compiled_source=b"x", inputs=[mx.ones((2,))], output_shapes=[(2,)], output_dtypes=[mx.float32], scalars=[], grid=(1, 1, 1), threadgroup=(1, 1, 1)))
mx.export_function("f.mlxfn", lambda *x: x, [mx.array(1)], mx.array(1))
mx.export_function("f.mlxfn", lambda *x: x, mx.array(1), [mx.array(1)])
mx.export_function("f.mlxfn", lambda *x: x, [mx.array(1)], [mx.array(1)])
mx.export_function("f.mlxfn", lambda *x: x, [mx.array(1)], 3)
mx.export_function("f.mlxfn", lambda **x: x['a'], {'a': mx.array(1)}), mx.import_function("f.mlxfn")(a=mx.array(3)), mx.import_function("f.mlxfn")({'a': mx.array(3)})
mx.export_function("f.mlxfn", lambda: mx.array(1)), mx.import_function("f.mlxfn")()
""")

PROGRAMS = programs("""
def f(x, *, k): return x * k
mx.export_function("f.mlxfn", f, mx.ones((2,)), k=mx.array(2.0))
g = mx.import_function("f.mlxfn")
[g(mx.ones((2,)), k=mx.array(3.0)), attempt(g, mx.ones((2,))), attempt(g, [mx.ones((2,))], {"k": mx.array(4.0)}), attempt(g, (mx.ones((2,)),), {"k": mx.array(4.0)}), attempt(g, mx.ones((2,)), j=mx.array(4.0)), attempt(g, mx.ones((2,)), k=2)]

def f(*args): return sum(args)
mx.export_function("f.mlxfn", f, mx.ones((2,)), mx.ones((2,)))
g = mx.import_function("f.mlxfn")
[g(mx.ones((2,)), mx.ones((2,))), g([mx.ones((2,)), mx.ones((2,))])]

def f(x): return (x, x + 1, [x])
[attempt(mx.export_function, "f.mlxfn", f, mx.ones((2,)))]

mx.export_function("f.mlxfn", lambda x: (x, x + 1), mx.ones((2,)))
mx.import_function("f.mlxfn")(mx.ones((2,)))

mx.export_function("f.mlxfn", lambda x: x.sum(), mx.ones((2,)), shapeless=True)
g = mx.import_function("f.mlxfn")
[g(mx.ones((2,))), g(mx.ones((5,))), attempt(g, mx.ones((5, 5))), attempt(g, mx.array(1.0))]

def f(x, y=None, **k): return [x if y is None else x + y, *k.values()]
with mx.exporter("f.mlxfn", f) as e:
    e(mx.ones(2)); e(mx.ones(2), mx.ones(2)); e(mx.ones(2), z=mx.ones(1)); e(mx.ones(2), {"y": mx.ones(2), "z": mx.zeros(3)})
g = mx.import_function("f.mlxfn")
[g(mx.ones(2)), g(mx.ones(2), mx.ones(2)), g(mx.ones(2), z=mx.ones(1)), g(mx.ones(2), y=mx.ones(2), z=mx.ones(3)), attempt(g, mx.ones(2), y=mx.ones(2)), g((mx.ones(2),), {"z": mx.ones(1)})]

c = mx.arange(3.0)
def f(x): return x + c, c
mx.eval(c)
with mx.exporter("f.mlxfn", f) as e:
    e(mx.ones(3)); e(mx.ones((2, 3)))
g = mx.import_function("f.mlxfn")
[g(mx.ones(3)), g(mx.ones((2, 3)))]

mx.export_function("f.mlxfn", lambda x: x, mx.ones(2))
[mx.import_function("f.mlxfn")(mx.zeros(2))]

mx.export_function("f.mlxfn", lambda x, y: (y, x, y), mx.ones(2), mx.zeros(2))
[mx.import_function("f.mlxfn")(mx.zeros(2), mx.ones(2))]

def f(x): return mx.random.uniform(shape=(2,), key=x), mx.random.normal((2, 2), key=x), mx.random.randint(0, 5, (3,), key=x), mx.random.gumbel((2,), key=x)
mx.export_function("f.mlxfn", f, mx.random.key(0))
mx.import_function("f.mlxfn")(mx.random.key(7))

def f(x): return mx.einsum("ij,jk->ik", x, x), mx.linalg.norm(x), mx.var(x), mx.median(x), mx.topk(x, 1), mx.cummax(x, axis=0), mx.pad(x, 1), mx.roll(x, 1), mx.tile(x, 2), mx.nan_to_num(x), mx.logaddexp(x, x), mx.trace(x), mx.tri(2) * x, mx.meshgrid(x[0], x[1])[0]
mx.export_function("f.mlxfn", f, mx.array([[1.0, 2], [3, 4]]))
mx.import_function("f.mlxfn")(mx.array([[4.0, 2], [3, 1]]))

mx.export_function("f.mlxfn", lambda x: (x.astype(mx.bfloat16), x.astype(mx.complex64), x > 0, x.astype(mx.uint8).view(mx.int8), mx.array(True) & (x > 1), x.astype(mx.float64)), mx.array([1.0, -2.0]))
mx.import_function("f.mlxfn")(mx.array([1.0, 2.0]))

mx.export_function("f.mlxfn", lambda x: x + mx.array([1 + 2j]) + mx.array([1.5], mx.float16), mx.array([1.0]))
mx.import_function("f.mlxfn")(mx.array([1.0]))

mx.export_function("f.mlxfn", lambda: (mx.zeros((0, 3)), mx.ones(()), mx.array([], mx.int8)))
mx.import_function("f.mlxfn")()

with mx.exporter("f.mlxfn", lambda x, y=None: x if y is None else x + y) as e:
    e(mx.ones((2,)))
    e(mx.ones((2,)), y=mx.ones((2,)))
    e(mx.ones((3,)))
    r = attempt(e, mx.ones((2,)))
g = mx.import_function("f.mlxfn")
[r, g(mx.ones((2,))), g(mx.ones((2,)), y=mx.ones((2,))), attempt(g, mx.ones((3,)), y=mx.ones((3,))), g(mx.ones((3,))), attempt(g, mx.ones((4,)))]

with mx.exporter("f.mlxfn", lambda x: x * 2, shapeless=True) as e:
    e(mx.ones((2,)))
    r = attempt(e, mx.ones((3,)))
    e(mx.ones((2, 2)))
g = mx.import_function("f.mlxfn")
[r, g(mx.ones((7,))), g(mx.ones((3, 4)))]

w = mx.random.normal((3, 3), key=mx.random.key(0))
mx.export_function("f.mlxfn", lambda x: mx.softmax(x @ w, axis=-1), mx.ones((2, 3)))
mx.import_function("f.mlxfn")(mx.ones((2, 3)))

mx.export_function("f.mlxfn", lambda x: mx.grad(lambda y: mx.exp(y).sum())(x), mx.ones((2, 3)))
mx.import_function("f.mlxfn")(mx.ones((2, 3)))

mx.export_function("f.mlxfn", mx.compile(lambda x: mx.exp(x) * 2 + x), mx.ones((2, 3)))
g = mx.import_function("f.mlxfn")
[g(mx.ones((2, 3))), mx.compile(g)(mx.ones((2, 3))), mx.grad(lambda x: g(x)[0].sum())(mx.ones((2, 3))), mx.vmap(lambda x: g(x)[0])(mx.ones((4, 2, 3))).shape]

mx.export_function("f.mlxfn", lambda x: mx.random.uniform(shape=(2,), key=x), mx.random.key(0))
mx.import_function("f.mlxfn")(mx.random.key(3))

mx.export_function("f.mlxfn", lambda x: mx.fast.scaled_dot_product_attention(x, x, x, scale=1.0, mask="causal"), mx.ones((1, 1, 3, 4)))
mx.import_function("f.mlxfn")(mx.ones((1, 1, 3, 4)))

mx.export_function("f.mlxfn", lambda x: mx.fast.rope(mx.fast.rms_norm(x, None, 1e-5), 4, traditional=False, base=10.0, scale=1.0, offset=1), mx.ones((1, 1, 3, 4)))
mx.import_function("f.mlxfn")(mx.ones((1, 1, 3, 4)))

mx.export_function("f.mlxfn", lambda x: mx.quantized_matmul(x, *mx.quantize(mx.ones((8, 64)))), mx.ones((2, 64)))
mx.import_function("f.mlxfn")(mx.ones((2, 64)))

mx.export_function("f.mlxfn", lambda x: (x[1:], x[mx.array([0])], x.at[0].add(1), mx.sort(x), mx.argmax(x), mx.cumsum(x), x.astype(mx.float16), mx.where(x > 0, x, 0), mx.concatenate([x, x]), mx.split(x, 2)[0], mx.fft.fft(x), mx.pad(x, 1), mx.conv1d(x[None, :, None], mx.ones((1, 2, 1)))), mx.arange(4.0))
mx.import_function("f.mlxfn")(mx.arange(4.0))

mx.export_function("f.mlxfn", lambda x: (mx.linalg.inv(x, stream=mx.cpu), *mx.linalg.svd(x, stream=mx.cpu), mx.linalg.cholesky(x @ x.T, stream=mx.cpu), *mx.linalg.qr(x, stream=mx.cpu)), mx.eye(2))
mx.import_function("f.mlxfn")(mx.eye(2))

mx.export_function("f.mlxfn", lambda x: x + 1, mx.array(1), metadata="hello") if True else 0
[mx.import_function("f.mlxfn", return_metadata=True)[1], mx.import_function("f.mlxfn")(mx.array(2))]

@mx.custom_function
def f(x): return x * 2
@f.vjp
def f_vjp(p, c, o): return c * 5
[attempt(mx.export_function, "f.mlxfn", f, mx.ones((2,))), attempt(lambda: mx.import_function("f.mlxfn")(mx.ones((2,))))]

@mx.custom_function
def f(x, y): return mx.sin(x) * y
a = [f(mx.array(1.0), mx.array(2.0)), mx.grad(f)(mx.array(1.0), mx.array(2.0)), mx.grad(f, argnums=1)(mx.array(1.0), mx.array(2.0)), mx.jvp(f, [mx.array(1.0), mx.array(2.0)], [mx.array(1.0), mx.array(2.0)]), mx.vmap(f)(mx.ones((2,)), mx.ones((2,)))]
@f.vjp
def f_vjp(p, c, o): return (c * 2, c * 3)
@f.jvp
def f_jvp(p, t): return t[0] * 7
@f.vmap
def f_vmap(i, a): return mx.sin(i[0]) * 100, a[0]
a + [mx.grad(f)(mx.array(1.0), mx.array(2.0)), mx.grad(f, argnums=1)(mx.array(1.0), mx.array(2.0)), mx.jvp(f, [mx.array(1.0), mx.array(2.0)], [mx.array(1.0), mx.array(2.0)]), mx.vmap(f)(mx.ones((2,)), mx.ones((2,))), type(f).__name__, f_vjp is not None, attempt(f), attempt(mx.custom_function), attempt(mx.custom_function, 3)]

@mx.custom_function
def f(x): return x * 2
@f.vjp
def f_vjp(p, c, o): return [c * 5]
attempt(mx.grad(lambda x: f(x).sum()), mx.ones((2,)))

@mx.custom_function
def f(x): return x * 2
@f.vjp
def f_vjp(p, c, o): return mx.ones((3,))
attempt(mx.grad(lambda x: f(x).sum()), mx.ones((2,)))

@mx.custom_function
def f(x): return x * 2
@f.vmap
def f_vmap(i, a): return i
attempt(mx.vmap(f), mx.ones((2,)))

@mx.custom_function
def f(x): return x * 2
@f.jvp
def f_jvp(p, t): return None
attempt(mx.jvp, f, [mx.ones((2,))], [mx.ones((2,))])

b = io.StringIO()
x = mx.array(1.0); y = x + 2; z = mx.exp(y) * x
mx.export_to_dot(b, z, y)
[attempt(mx.export_to_dot, b, z), attempt(mx.export_to_dot, b), attempt(mx.export_to_dot, "a.dot", z, x=x), attempt(mx.export_to_dot, 3, z), attempt(mx.export_to_dot, b, 3), attempt(mx.export_to_dot, b, z, x=3), len(b.getvalue()) > 10]

k = attempt(lambda: mx.fast.cuda_kernel(name="k", input_names=["a"], output_names=["o"], source="o[0] = a[0];"))
[type(k).__name__, attempt(lambda: k(inputs=[mx.ones((2,))], output_shapes=[(2,)], output_dtypes=[mx.float32], grid=(2, 1, 1), threadgroup=(2, 1, 1)))]
""")

CASES = [*LINES, *PROGRAMS]
