"""How gradients are asked for: arguments, trees, results, evaluation in between."""

from support.differential import lines, programs

LINES = lines("""
mx.grad(lambda x: x.sum())(mx.array([1, 2, 3]))
mx.grad(lambda x: (x * 2.0).sum())(mx.array([1, 2, 3]))
mx.grad(lambda x: x)(mx.array(True))
mx.grad(lambda x: mx.array(3.0))(mx.array(1.0))
mx.grad(lambda x: x.sum())(mx.array([1.0, 2.0], mx.float16))
mx.grad(lambda x: x.sum())(mx.array([1.0, 2.0], mx.bfloat16))
mx.grad(lambda x: x.sum())(mx.array([1.0, 2.0], mx.float64))
mx.grad(lambda x, y: (x * y).sum(), argnums=1)(mx.array([1.0, 2.0], mx.float16), mx.array([1.0, 2.0]))
mx.value_and_grad(lambda x, y: (x * y).sum(), argnums=(0, 1))(mx.ones((2,)), mx.ones((2,)))
mx.value_and_grad(lambda x, y: (x * y).sum(), argnums=(1,))(mx.ones((2,)), mx.ones((2,)))
mx.value_and_grad(lambda x, y=None: (x * y).sum(), argnames='y')(mx.ones((2,)), y=mx.ones((2,)))
mx.value_and_grad(lambda x, y=None: (x * y).sum(), argnames=('y',))(mx.ones((2,)), y=mx.ones((2,)))
mx.value_and_grad(lambda x, y=None: (x * y).sum(), argnums=0, argnames=['y'])(mx.ones((2,)), y=mx.ones((2,)))
mx.value_and_grad(lambda x, y=None: (x * y).sum(), argnums=[0], argnames=['y'])(mx.ones((2,)), y=mx.ones((2,)))
mx.value_and_grad(lambda *, x, y: (x * y).sum())(x=mx.ones((2,)), y=mx.ones((2,)))
mx.value_and_grad(lambda x: x.sum(), argnums=1)(mx.ones((2,)))
mx.value_and_grad(lambda x: x.sum(), argnums=(0, 1))(mx.ones((2,)))
mx.value_and_grad(lambda x: x.sum(), argnums='x')(mx.ones((2,)))
mx.value_and_grad(lambda x: x.sum(), argnames=3)(mx.ones((2,)))
mx.value_and_grad(lambda x: x.sum(), argnums=0, argnames=[])(mx.ones((2,)))
mx.value_and_grad(lambda x: x.sum(), None, None)(mx.ones((2,)))
mx.value_and_grad(lambda x: x.sum(), ())(mx.ones((2,)))
mx.value_and_grad(lambda x: (x.sum(), x))(mx.ones((2,)))
mx.value_and_grad(lambda x: (x.sum(), {'a': x, 'b': [x, None, 'k']}))(mx.ones((2,)))
mx.value_and_grad(lambda x: [x.sum(), 1, 2])(mx.ones((2,)))
mx.value_and_grad(lambda x: x)(mx.ones((2,)))
mx.value_and_grad(lambda x: x)(mx.ones((1,)))
mx.value_and_grad(lambda x: x.sum(keepdims=True))(mx.ones((1,)))
mx.value_and_grad(lambda x: None)(mx.ones((1,)))
mx.value_and_grad(lambda x: {'a': x.sum()})(mx.ones((1,)))
mx.value_and_grad(lambda x: 'a')(mx.ones((1,)))
mx.value_and_grad(lambda x: x.sum().item())(mx.ones((1,)))
mx.grad(lambda p: (p['w'] * p['b'][0]).sum())({'w': mx.ones((2,)), 'b': [mx.ones((2,)), mx.zeros((1,))]})
mx.grad(lambda p: p['w'].sum())({'w': mx.ones((2,)), 's': 'name', 'n': None, 'i': 3})
mx.grad(lambda p: p[0].sum())((mx.ones((2,)), mx.ones((3,))))
mx.grad(lambda p: p[0][1].sum())([[mx.ones((2,)), mx.ones((3,))], (mx.ones((1,)),)])
mx.grad(lambda p, q: p[0].sum() * q['a'].sum(), argnums=(0, 1))([mx.ones((2,))], {'a': mx.ones((3,))})
mx.grad(lambda p: mx.array(1.0))({})
mx.grad(lambda p: mx.array(1.0))([])
mx.grad(lambda p: mx.array(1.0))('a')
mx.grad(lambda p: mx.array(1.0))(None)
mx.grad(mx.grad(lambda x: x ** 3))(mx.array(2.0))
mx.grad(mx.grad(mx.grad(lambda x: mx.sin(x))))(mx.array(2.0))
mx.grad(lambda x: mx.grad(lambda y: x * y ** 2)(x))(mx.array(2.0))
mx.jvp(mx.grad(lambda x: x ** 3), [mx.array(2.0)], [mx.array(1.0)])
mx.vjp(lambda x: mx.jvp(mx.sin, [x], [mx.array(1.0)])[1][0], [mx.array(2.0)], [mx.array(1.0)])
mx.grad(lambda x: x.sum(), 0)(mx.ones((2,)), 1)
mx.grad(lambda x, n: (x * n).sum())(mx.ones((2,)), 3)
mx.grad(lambda x, n: (x * n).sum())(mx.ones((2,)), n=3)
mx.grad(lambda x, n: (x * n).sum(), argnums=1)(mx.ones((2,)), 3.0)
mx.grad(lambda x, flag: x.sum() if flag == 'a' else 2 * x.sum())(mx.ones((2,)), 'b')
mx.grad(lambda x: x.sum())()
mx.grad(fun=lambda x: x.sum(), argnums=0, argnames=[])(mx.ones((2,)))
mx.vjp(lambda x, y: (x + y, x * y), [mx.array(1.0), mx.array(2.0)], [mx.array(1.0), mx.array(1.0)])
mx.vjp(lambda x: x + 1, [mx.array(1.0)], [])
mx.vjp(lambda x: x + 1, [mx.array([1.0])], [mx.array([1])])
mx.vjp(lambda x: x + 1, mx.array(1.0), mx.array(1.0))
mx.vjp(3, [mx.array(1.0)], [mx.array(1.0)])
mx.vjp(fun=lambda x: x, primals=[mx.array(1.0)], cotangents=[mx.array(1.0)])
mx.jvp(lambda x: x + 1, [mx.array(1.0)], [])
mx.jvp(lambda x: x.astype(mx.int32), [mx.array(1.0)], [mx.array(1.0)])
mx.jvp(lambda x: x[0], [mx.arange(3.0)], [mx.arange(3.0)])
mx.jvp(lambda x: x[mx.array([0, 1])], [mx.arange(3.0)], [mx.arange(3.0)])
mx.jvp(lambda x: mx.sort(x), [mx.array([2.0, 1.0])], [mx.array([2.0, 1.0])])
mx.jvp(lambda x: mx.max(x), [mx.array([2.0, 1.0])], [mx.array([2.0, 1.0])])
mx.jvp(lambda x: mx.prod(x), [mx.array([2.0, 1.0])], [mx.array([2.0, 1.0])])
mx.jvp(lambda x: mx.cumsum(x), [mx.array([2.0, 1.0])], [mx.array([2.0, 1.0])])
mx.jvp(lambda x: mx.softmax(x), [mx.array([2.0, 1.0])], [mx.array([2.0, 1.0])])
mx.jvp(lambda x: mx.conv1d(x, mx.ones((1, 2, 1))), [mx.ones((1, 4, 1))], [mx.ones((1, 4, 1))])
mx.jvp(lambda x: x.at[0].add(x[1]), [mx.array([2.0, 1.0])], [mx.array([2.0, 1.0])])
mx.jvp(lambda x: mx.where(x > 1, x, 2 * x), [mx.array([2.0, 1.0])], [mx.array([2.0, 1.0])])
mx.jvp(lambda x: x @ x, [mx.ones((2, 2))], [mx.ones((2, 2))])
mx.jvp(lambda x: mx.logsumexp(x), [mx.array([2.0, 1.0])], [mx.array([2.0, 1.0])])
mx.jvp(lambda x: mx.erf(x) + mx.expm1(x) + mx.log1p(x) + mx.rsqrt(x), [mx.array([2.0, 1.0])], [mx.array([2.0, 1.0])])
mx.jvp(lambda x: mx.linalg.norm(x), [mx.array([2.0, 1.0])], [mx.array([2.0, 1.0])])
mx.jvp(lambda x: mx.put_along_axis(x, mx.array([0]), x[:1], 0), [mx.array([2.0, 1.0])], [mx.array([2.0, 1.0])])
mx.jvp(lambda x: mx.take_along_axis(x, mx.array([0]), 0), [mx.array([2.0, 1.0])], [mx.array([2.0, 1.0])])
mx.checkpoint(lambda x: mx.exp(x))(mx.array(1.0))
mx.grad(mx.checkpoint(lambda p: (p['a'] * p['b']).sum()))({'a': mx.ones((2,)), 'b': mx.ones((2,))})
mx.eval(), mx.eval(None), mx.eval(3), mx.eval('a'), mx.eval([mx.ones((2,))], {'a': mx.ones((2,))})
mx.eval(object())
mx.eval([1, [2, (mx.array(3), 'a', None)]])
mx.eval({'a': {'b': [mx.array(1)]}, 3: mx.array(2)})
mx.eval({1, 2})
mx.async_eval(mx.ones((2,)) + 1, [mx.ones((2,))]), mx.async_eval()
mx.async_eval(object())
mx.depends(mx.array(1), mx.array(2))
mx.depends([mx.array(1), mx.array(3)], [mx.array(2)])
mx.depends((mx.array(1), mx.array(3)), mx.array(2))
mx.depends(mx.array(1), [])
""")

PROGRAMS = programs("""
x = mx.array(1.0)
def f(x):
    x += 1
    return x ** 2
(mx.grad(f)(x), x)

x = mx.arange(3.0)
def f(x):
    x[0] = x[1] * 2
    return (x ** 2).sum()
(mx.grad(f)(x), x)

x = mx.arange(3.0)
def f(x, y):
    x[mx.array([0, 1])] = y
    x[1:] += y
    return (x ** 2).sum()
(mx.value_and_grad(f, (0, 1))(x, mx.array([3.0, 4.0])), x)

def f(p):
    p["a"] = p["a"] * 2
    return p["a"].sum()
p = {"a": mx.ones((2,))}
(mx.grad(f)(p), p)

calls = []
def f(x):
    calls.append(1)
    raise ZeroDivisionError
a = attempt(mx.grad(f), mx.ones((2,)))
b = attempt(mx.vjp, f, [mx.ones((2,))], [mx.ones((2,))])
c = attempt(mx.jvp, f, [mx.ones((2,))], [mx.ones((2,))])
d = attempt(mx.vmap(f), mx.ones((2,)))
e = attempt(mx.checkpoint(f), mx.ones((2,)))
g = attempt(mx.compile(f), mx.ones((2,)))
[a, b, c, d, e, g, len(calls)]

def f(x):
    return mx.eval(x * 2)
attempt(mx.grad(f), mx.ones((2,)))

def f(x):
    y = x * 2
    mx.eval(y)
    return y.sum()
(attempt(mx.grad(f), mx.ones((2,))), attempt(mx.vmap(f), mx.ones((2,))), attempt(mx.compile(f), mx.ones((2,))))

def f(x):
    return x.sum() * x.sum().item()
(attempt(mx.grad(f), mx.ones((2,))), attempt(mx.vmap(f), mx.ones((2, 2))), attempt(mx.compile(f), mx.ones((2,))))

def f(x):
    return x.sum() if x.sum() > 0 else -x.sum()
(attempt(mx.grad(f), mx.ones((2,))), attempt(mx.vmap(f), mx.ones((2, 2))), attempt(mx.compile(f), mx.ones((2,))))

def f(x):
    return mx.array(np.array(x)).sum()
(attempt(mx.grad(f), mx.ones((2,))), attempt(mx.vmap(f), mx.ones((2, 2))), attempt(mx.compile(f), mx.ones((2,))))

def f(x):
    return x.tolist()
(attempt(mx.grad(f), mx.ones((2,))), attempt(mx.vmap(f), mx.ones((2, 2))), attempt(mx.compile(f), mx.ones((2,))))

def f(x):
    print(x, file=io.StringIO())
    return x.sum()
(attempt(mx.grad(f), mx.ones((2,))), attempt(mx.vmap(f), mx.ones((2, 2))), attempt(mx.compile(f), mx.ones((2,))))
""")

CASES = [*LINES, *PROGRAMS]
