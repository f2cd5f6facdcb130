"""Compiled functions: arguments, results, state, retraces, other shapes."""

from support.differential import lines, programs

LINES = lines("""
mx.compile(lambda x: mx.exp(x) + 1)(mx.ones((2,)))
mx.compile(lambda x: mx.exp(x) + 1)(1.0)
mx.compile(lambda x: x)(mx.ones((2,)))
mx.compile(lambda x: (x, x, [x]))(mx.ones((2,)))
mx.compile(lambda: mx.ones((2,)))()
mx.compile(lambda x, y: x + y)(mx.ones((2,)), y=mx.ones((2,)))
mx.compile(lambda x, y=2: x * y)(mx.ones((2,)))
mx.compile(lambda x, *, k: x * k)(mx.ones((2,)), k=3)
mx.compile(lambda x: {'a': x, 'b': {'c': x + 1}})(mx.ones((2,)))
mx.compile(lambda x: [])(mx.ones((2,)))
mx.compile(lambda x: ())(mx.ones((2,)))
mx.compile(lambda x: {})(mx.ones((2,)))
mx.compile(lambda x: None)(mx.ones((2,)))
mx.compile(lambda x: (x, None))(mx.ones((2,)))
mx.compile(lambda x: (x, 'a'))(mx.ones((2,)))
mx.compile(lambda x: (x, 2.5))(mx.ones((2,)))
mx.compile(lambda x: 'a')(mx.ones((2,)))
mx.compile(lambda x, n: x * n)(mx.ones((2,)), 'a')
mx.compile(lambda x, n: x)(mx.ones((2,)), None)
mx.compile(lambda x, n: x)(mx.ones((2,)), ...)
mx.compile(lambda x, n: x)(mx.ones((2,)), mx.float32)
mx.compile(lambda x, n: x.astype(n))(mx.ones((2,)), n=mx.float16)
mx.compile(lambda x, n: x)(mx.ones((2,)), lambda: 1)
mx.compile(lambda x, n: x)(mx.ones((2,)), slice(1))
mx.compile(lambda x, n: x)(mx.ones((2,)), np.float32(1))
mx.compile(lambda x, n: x)(mx.ones((2,)), np.ones(2))
mx.compile(lambda x, n: x)(mx.ones((2,)), {1, 2})
mx.compile(lambda x, n: x * n[0])(mx.ones((2,)), [1, 2])
mx.compile(lambda x, n: x * n[0])(mx.ones((2,)), (1, (2, 'a')))
mx.compile(lambda x, n: x * n['a'])(mx.ones((2,)), {'a': 3})
mx.compile(lambda x, n: x * 2)(mx.ones((2,)), {3: 'a'})
mx.compile(lambda x, n: x * 2)(mx.ones((2,)), {(1, 2): mx.ones((1,))})
mx.compile(lambda x, n: x * 2)(mx.ones((2,)), float('nan'))
mx.compile(lambda x: x, inputs=3)(mx.ones((2,)))
mx.compile(lambda x: x, inputs=[3])(mx.ones((2,)))
mx.compile(lambda x: x, inputs={'a': 'b'})(mx.ones((2,)))
mx.compile(lambda x: x, outputs=3)(mx.ones((2,)))
mx.compile(lambda x: x, inputs=mx.ones((1,)))(mx.ones((2,)))
mx.compile(lambda x: x, [], [], True)(mx.ones((2,)))
mx.compile(lambda x: x, None, None, False)(mx.ones((2,)))
mx.compile(fun=lambda x: x, inputs=None, outputs=None, shapeless=False)(mx.ones((2,)))
mx.compile(lambda x: x, shapeless='a')(mx.ones((2,)))
mx.compile()
mx.compile('a')
mx.compile(mx.compile(mx.compile(lambda x: x + 1)))(mx.ones((2,)))
mx.compile(mx.sin)(mx.ones((2,)))
mx.compile(mx.add)(mx.ones((2,)), 1)
mx.compile(mx.sum)(mx.ones((2, 3)), axis=1)
mx.compile(lambda x: x.reshape(-1), shapeless=True)(mx.ones((2, 3)))
mx.compile(lambda x: x.at[0].add(1))(mx.ones((2, 3)))
mx.compile(lambda x: mx.split(x, 2))(mx.ones((2, 3)))
mx.compile(lambda x: mx.random.uniform(shape=(2,), key=x))(mx.random.key(0))
mx.compile(lambda x: mx.linalg.svd(x, stream=mx.cpu)[1])(mx.ones((2, 3)))
mx.compile(lambda x: x.shape[0] * x)(mx.ones((2, 3)))
mx.compile(lambda x: mx.arange(x.shape[0]) + x)(mx.ones((3,)))
mx.compile(lambda x: mx.zeros_like(x) + mx.array(2))(mx.ones((3,)))
mx.compile(lambda x: mx.array([1.0, 2.0]) @ x)(mx.ones((2, 3)))
mx.compile(lambda a, b: a * b + a)(mx.array(2.0, mx.float16), mx.array(3.0))
mx.compile(lambda a: mx.isnan(a) | (a > 1))(mx.array([1.0, float('nan'), 5]))
mx.compile(lambda a: mx.where(a > 0, a, -a).astype(mx.int8))(mx.array([-3.6, 2.2]))
mx.compile(lambda a: a // 2 + a % 3 - mx.square(a))(mx.array([5, -5]))
mx.compile(lambda a: (a & 1) | (a << 2) ^ ~a)(mx.array([5, 6]))
mx.compile(lambda a: mx.bitwise_invert(a > 3))(mx.array([5, 2]))
mx.compile(lambda a: mx.erf(a) + mx.expm1(a) + mx.log1p(a) + mx.sigmoid(a) + mx.tan(a))(mx.array([0.5, 2.0]))
mx.compile(lambda a: mx.abs(a) + mx.real(a) * mx.imag(a))(mx.array([0.5 + 2j, 2.0]))
mx.compile(lambda a: mx.exp(a) * mx.sin(a) / a)(mx.array([0.5 + 2j, 2.0]))
mx.compile(lambda a: mx.power(a, 2) + mx.power(a, a) + mx.remainder(a, 3))(mx.array([5, 2], mx.uint8))
mx.compile(lambda a: mx.logaddexp(a, 2) + mx.maximum(a, 1) + mx.minimum(a, 1) + mx.arctan2(a, a))(mx.array([0.5, 2.0]))
mx.compile(lambda a: mx.sqrt(a) + mx.rsqrt(a) + mx.sign(a) + mx.round(a) + mx.floor(a) + mx.ceil(a))(mx.array([0.5, 2.0], mx.bfloat16))
mx.compile(lambda a: mx.logical_and(a, a > 1) == mx.logical_not(a))(mx.array([0, 2]))
mx.compile(lambda a, b: mx.broadcast_to(a, (3, 2)) * b + 1)(mx.array([1.0, 2.0]), mx.ones((3, 1)))
mx.compile(lambda a: a.T * 2 + a.T)(mx.arange(6.0).reshape(2, 3))
mx.compile(lambda a: (a[::2] + 1) * 2)(mx.arange(6.0))
mx.compile(lambda a: mx.vmap(lambda x: x * 2 + 1)(a))(mx.arange(6.0).reshape(2, 3))
mx.compile(mx.value_and_grad(lambda a: mx.exp(a).sum()))(mx.arange(3.0))
mx.compile(lambda a: mx.vjp(mx.exp, [a], [a]))(mx.arange(3.0))
mx.grad(mx.compile(lambda a, b: (a * b).sum()), argnums=(0, 1))(mx.arange(3.0), mx.ones((3,)))
mx.value_and_grad(mx.compile(lambda p: (p['a'] ** 2).sum()))({'a': mx.arange(3.0)})
mx.vmap(mx.compile(lambda a: mx.exp(a) * 2 + a.sum()))(mx.arange(6.0).reshape(2, 3))
mx.jvp(mx.compile(lambda a: mx.exp(a) * 2), [mx.arange(3.0)], [mx.ones((3,))])
mx.checkpoint(mx.compile(lambda a: mx.exp(a) * 2))(mx.arange(3.0))
mx.compile(mx.checkpoint(lambda a: mx.exp(a) * 2))(mx.arange(3.0))
""")

PROGRAMS = programs("""
n = [0]
def f(x, s):
    n[0] += 1
    return x * 2 if s == "two" else x * 3
g = mx.compile(f)
x = mx.ones((2,))
[g(x, "two"), g(x, "three"), g(x, "two"), n]

state = {"y": mx.array(2)}
def fun(x):
    y = state["y"]
    state["y"] = x + y
    return x + y
f = mx.compile(fun, outputs=state)
out = [f(mx.array(3)), state]
f2 = mx.compile(fun, inputs=state, outputs=state)
state["y"] = mx.array(10)
out + [f2(mx.array(3)), state, f2(mx.array(3)), state]

state = [mx.array(2), mx.array(2)]
def fun(x):
    state[0] += x
    state[1] = state[0] * 2
    return x + sum(state)
f = mx.compile(fun, inputs=state, outputs=state)
[f(mx.array(1)), f(mx.array(1)), state]

state = [mx.array(2)]
def fun(x):
    state.append(x)
    return x
f = mx.compile(fun, inputs=state, outputs=state)
[attempt(f, mx.array(1)), state, attempt(f, mx.array(1)), state]

state = {"a": mx.array(2)}
def fun(x):
    state["b"] = x
    return x
f = mx.compile(fun, inputs=state, outputs=state)
[attempt(f, mx.array(1)), state, attempt(f, mx.array(5)), state]

state = {"a": {"b": [mx.array(2), (mx.array(3),)]}}
def fun(x):
    state["a"]["b"][0] += x
    return state["a"]["b"][1][0] * x
f = mx.compile(fun, inputs=state, outputs=state)
[f(mx.array(1)), f(mx.array(5)), state]

y = mx.array(2.0)
def fun(x):
    return x + y
f = mx.compile(fun)
a = f(mx.array(1.0))
y = mx.array(5.0)
[a, f(mx.array(1.0))]

y = mx.random.normal((3,)) * 2
def fun(x):
    return x + y
[mx.compile(fun)(mx.ones((3,))) - y]

class M:
    def __init__(self):
        self.w = mx.ones((2,))
        self.n = 0
    def __call__(self, x):
        self.n += 1
        return self.w * x
    def method(self, x, y=1):
        self.n += 1
        return self.w * x + y
m = M()
f = mx.compile(m); g = mx.compile(m.method)
[f(mx.ones((2,))), f(mx.ones((2,))), g(mx.ones((2,))), g(mx.ones((2,)), y=2), g(mx.ones((2,)), 2), m.n]

from functools import partial
f = partial(mx.compile, shapeless=True)
@f
def fun(x, y):
    return x * y
@partial(mx.compile, inputs=mx.random.state, outputs=mx.random.state)
def rnd(x):
    return mx.random.uniform(shape=x.shape) * 0 + x
[fun(mx.ones((2,)), mx.ones((2,))), fun(mx.ones((3,)), mx.ones((3,))), rnd(mx.ones((2,)))]

import gc, weakref
class Big: pass
def make():
    b = Big()
    def fun(x):
        b
        return x + 1
    f = mx.compile(fun)
    f(mx.ones((2,)))
    return weakref.ref(b)
r = make()
gc.collect()
r() is None

import gc, weakref
class Big: pass
b = Big()
x = mx.ones((10,))
f = mx.compile(lambda a: a + x)
f(mx.ones((10,)))
before = mx.get_active_memory()
del f
gc.collect()
mx.get_active_memory() <= before

def f(x):
    raise KeyError("a")
g = mx.compile(f)
[attempt(g, mx.ones((2,))), attempt(g, mx.ones((2,)))]

def inner(x):
    return mx.exp(x) * 2
ci = mx.compile(inner)
def outer(x):
    return ci(x) + ci(x * 2)
[mx.compile(outer)(mx.ones((2,))), mx.compile(outer, shapeless=True)(mx.ones((2,)))]

mx.disable_compile()
n = [0]
def f(x):
    n[0] += 1
    return x * 2, "a", None, 3
g = mx.compile(f)
a = [g(mx.ones((2,))), g(mx.ones((2,))), n[0]]
mx.enable_compile()
a + [g(mx.ones((2,))), g(mx.ones((2,))), n[0]]

f = mx.compile(lambda x, y: x + y, shapeless=True)
[f(mx.ones((2, 3)), mx.ones((3,))), attempt(f, mx.ones((2, 3)), mx.ones((1, 3))), attempt(f, mx.ones((4, 5)), mx.ones((5,))), attempt(f, mx.ones((4, 5)), mx.ones((4, 5)))]

f = mx.compile(lambda x: mx.broadcast_to(x, (2, 3)), shapeless=True)
[f(mx.ones((3,))), attempt(f, mx.ones((1,))), attempt(f, mx.ones((5,)))]

f = mx.compile(lambda x: x.sum() * mx.ones(x.shape), shapeless=True)
[f(mx.ones((3,))), attempt(f, mx.ones((5,)))]

f = mx.compile(lambda x: x.flatten(0, 1), shapeless=True)
[f(mx.ones((3, 2, 2))), attempt(f, mx.ones((5, 2, 4)))]

f = mx.compile(lambda x: mx.unflatten(x, 0, (2, -1)), shapeless=True)
[f(mx.ones((4, 2))), attempt(f, mx.ones((8, 3)))]

f = mx.compile(lambda x: [x[0], x[1:], x[..., None], x[::-1], x[-1]], shapeless=True)
[attempt(f, mx.arange(4)), attempt(f, mx.arange(5))]

f = mx.compile(lambda x: mx.concatenate([x, x]), shapeless=True)
[f(mx.arange(4)), attempt(f, mx.arange(5))]

f = mx.compile(lambda x: mx.split(x, 2), shapeless=True)
[attempt(f, mx.arange(4)), attempt(f, mx.arange(6))]

f = mx.compile(lambda x, w: x @ w, shapeless=True)
[f(mx.ones((2, 3)), mx.ones((3, 4))), f(mx.ones((5, 2)), mx.ones((2, 1))), attempt(f, mx.ones((5, 2)), mx.ones((3, 1)))]

f = mx.compile(lambda x: mx.softmax(x, axis=-1) + mx.mean(x, axis=0) + x.max(), shapeless=True)
[f(mx.ones((2, 3))), attempt(f, mx.ones((4, 2)))]

f = mx.compile(lambda x: mx.sum(x, axis=(0, 1)), shapeless=True)
[f(mx.ones((2, 3))), attempt(f, mx.ones((4, 2))), attempt(f, mx.ones((4, 2, 2)))]

f = mx.compile(lambda x, i: (mx.take(x, i, axis=0), x[i], mx.take_along_axis(x, i[:, None], axis=1)), shapeless=True)
[attempt(f, mx.ones((2, 3)), mx.array([0, 1])), attempt(f, mx.ones((3, 4)), mx.array([0, 1, 2]))]

f = mx.compile(lambda x: mx.fast.rms_norm(x, None, 1e-5) + mx.fast.layer_norm(x, None, None, 1e-5), shapeless=True)
[f(mx.arange(6.0).reshape(2, 3)), attempt(f, mx.arange(4.0).reshape(2, 2))]

f = mx.compile(lambda q: mx.fast.scaled_dot_product_attention(q, q, q, scale=1.0), shapeless=True)
[f(mx.ones((1, 1, 2, 4))), attempt(f, mx.ones((1, 2, 3, 4)))]

f = mx.compile(lambda x: mx.fft.fft(x), shapeless=True)
[attempt(f, mx.ones((4,))), attempt(f, mx.ones((5,)))]

f = mx.compile(lambda x: (mx.sort(x), mx.argsort(x), mx.cumsum(x), mx.repeat(x, 2), mx.tile(x, 2), mx.pad(x, 1)), shapeless=True)
[attempt(f, mx.ones((3,))), attempt(f, mx.ones((5,)))]

f = mx.compile(lambda x: (x.swapaxes(0, 1), x.T, mx.squeeze(x[:1]), mx.expand_dims(x, 0), mx.stack([x, x]), mx.moveaxis(x, 0, 1)), shapeless=True)
[attempt(f, mx.ones((2, 3))), attempt(f, mx.ones((4, 2)))]

f = mx.compile(lambda x: x + mx.random.normal(x.shape), inputs=mx.random.state, outputs=mx.random.state)
a = f(mx.zeros((2,))); b = f(mx.zeros((2,)))
mx.random.seed(7)
[(a == b).all(), (f(mx.zeros((2,))) == a).all()]
""")

CASES = [*LINES, *PROGRAMS]
