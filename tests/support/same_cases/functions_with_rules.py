"""Functions with rules of their own, and functions computed again."""

from support.differential import programs

CASES = programs("""
def checkpoint_forms():
    x, y = mx.array([1.0, 2.0]), mx.array([3.0, 4.0])
    return answers(
        lambda: mx.checkpoint(lambda a: a * 2)(x),
        lambda: mx.checkpoint(lambda a, b: {"s": a + b, "n": 3})(x, b=y),
        lambda: mx.checkpoint(lambda a, n: a * n)(x, 3),
        lambda: mx.checkpoint(lambda t: [t["a"][0] * t["a"][1], (t["k"],)])({"a": (x, y), "k": 1}),
        lambda: mx.grad(lambda a: mx.checkpoint(lambda b: mx.exp(b).sum())(a))(x),
        lambda: mx.grad(mx.checkpoint(lambda a, *, b: (a * b).sum()), argnames="b")(x, b=y),
        lambda: mx.grad(mx.checkpoint(lambda a: (a * y).sum()))(x),
        lambda: mx.grad(lambda z: mx.checkpoint(lambda a: (a * z).sum())(x))(y),
        lambda: mx.checkpoint(lambda: x)(),
    )
checkpoint_forms()

def custom_vjp():
    x, y = mx.array([1.0, 2.0]), mx.array([3.0, 4.0])
    seen = []
    @mx.custom_function
    def f(a, b):
        return mx.sin(a) * b
    @f.vjp
    def f_vjp(primals, cotangent, output):
        seen.append([type(primals).__name__, type(cotangent).__name__, type(output).__name__])
        return mx.ones_like(primals[0]) * 7 * cotangent, output * 0 + 9
    @mx.custom_function
    def one(a):
        return a * 2
    @one.vjp
    def one_vjp(primals, cotangent, output):
        seen.append([type(primals).__name__, type(cotangent).__name__, type(output).__name__])
        return cotangent * 5
    @mx.custom_function
    def tree(t, *, k=2):
        return {"p": t["a"] * t["b"][0] * k, "q": [t["a"]]}
    @tree.vjp
    def tree_vjp(primals, cotangents, outputs):
        seen.append([shown(primals), sorted(cotangents), sorted(outputs)])
        (t,) = primals if isinstance(primals, tuple) else (primals,)
        return {"a": cotangents["p"] * 2, "b": [t["b"][0] * 3]}
    def use(t):
        out = tree(t)
        return out["p"].sum() + out["q"][0].sum()
    return answers(
        lambda: f(x, y),
        lambda: mx.grad(lambda a, b: f(a, b).sum(), argnums=(0, 1))(x, y),
        lambda: mx.grad(lambda a: one(a).sum())(x),
        lambda: mx.vjp(one, [x], [y]),
        lambda: mx.jvp(one, [x], [y]),
        lambda: mx.vmap(one)(x),
        lambda: mx.vmap(mx.grad(one))(x),
        lambda: mx.grad(use)({"a": x, "b": [y]}),
        lambda: tree({"a": x, "b": [y]}, k=3),
        lambda: mx.grad(lambda a: tree({"a": a, "b": [y]}, k=5)["p"].sum())(x),
        lambda: mx.grad(mx.grad(one))(mx.array(1.0)),
        lambda: mx.compile(mx.grad(one))(mx.array(1.0)),
        lambda: mx.grad(mx.compile(one))(mx.array(1.0)),
        lambda: f(x, 3.0),
        lambda: mx.grad(lambda a: f(a, 3.0).sum())(x),
        lambda: seen,
    )
custom_vjp()

def custom_vjp_results():
    x = mx.array([1.0, 2.0])
    def rule(result):
        @mx.custom_function
        def f(a, b):
            return a * b
        f.vjp(lambda p, c, o: result)
        return mx.grad(lambda a, b: f(a, b).sum(), argnums=(0, 1))(x, x)
    def raising():
        @mx.custom_function
        def f(a):
            return a
        @f.vjp
        def f_vjp(p, c, o):
            raise KeyError("abort")
        return mx.grad(lambda a: f(a).sum())(x)
    def twice():
        f = mx.custom_function(lambda a: a * 2)
        f.vjp(lambda p, c, o: c)
        f.vjp(lambda p, c, o: c * 100)
        return mx.grad(f)(mx.array(1.0))
    return answers(
        lambda: rule((x, x)),
        lambda: rule([x, x]),
        raising,
        twice,
    )
custom_vjp_results()

def custom_captured():
    x, y = mx.array(2.0), mx.array(3.0)
    def g(x, y):
        @mx.custom_function
        def f(x):
            return x * y
        @f.vjp
        def f_vjp(x, dx, fx):
            raise ValueError("abort")
        return f(x)
    return answers(
        lambda: g(x, y),
        lambda: mx.grad(g)(x, y),
        lambda: mx.grad(g, argnums=1)(x, y),
    )
custom_captured()

def custom_jvp():
    x, y = mx.array([1.0, 2.0]), mx.array([3.0, 4.0])
    seen = []
    @mx.custom_function
    def f(a, b):
        return a * b
    @f.jvp
    def f_jvp(primals, tangents):
        seen.append([shown(primals), shown(tangents)])
        return primals[0] * 100 if tangents[0] is None else tangents[0] * 10
    @mx.custom_function
    def one(a):
        return a * 2
    @one.jvp
    def one_jvp(primals, tangents):
        seen.append([shown(primals), shown(tangents)])
        return mx.ones((2,))
    return answers(
        lambda: mx.jvp(f, [x, y], [x, y]),
        lambda: mx.jvp(lambda a: f(a, y), [x], [y]),
        lambda: mx.jvp(lambda a: f(y, a), [x], [y]),
        lambda: mx.jvp(one, [x], [y]),
        lambda: mx.jvp(lambda a: f(a, 3.0), [x], [y]),
        lambda: mx.grad(lambda a: one(a).sum())(x),
        lambda: seen,
    )
custom_jvp()

def custom_vmap():
    x, y = mx.arange(6).reshape(2, 3), mx.arange(6).reshape(3, 2)
    seen = []
    @mx.custom_function
    def f(a, b):
        return a + b
    @f.vmap
    def f_vmap(inputs, axes):
        seen.append([shown(inputs), shown(axes)])
        return (inputs[0] + inputs[1]) * 10, 0
    @mx.custom_function
    def two(a):
        return a + 1, a.sum()
    @two.vmap
    def two_vmap(inputs, axes):
        seen.append([shown(inputs), shown(axes)])
        return (inputs, mx.array(5)), (axes, None)
    @mx.custom_function
    def broken(a):
        return a
    broken.vmap(lambda inputs, axes: inputs)
    @mx.custom_function
    def tree(t):
        return {"r": t["a"] + t["b"]}
    @tree.vmap
    def tree_vmap(inputs, axes):
        seen.append([shown(inputs), shown(axes)])
        return {"r": inputs["a"] * 3}, {"r": axes["a"]}
    return answers(
        lambda: mx.vmap(f)(x, x),
        lambda: mx.vmap(f, in_axes=(0, None))(x, mx.array([1, 2, 3])),
        lambda: mx.vmap(two)(x),
        lambda: mx.vmap(two, in_axes=1)(x),
        lambda: mx.vmap(two, in_axes=1, out_axes=1)(x),
        lambda: mx.vmap(broken)(x),
        lambda: mx.vmap(tree, in_axes={"a": 0, "b": None})({"a": x, "b": mx.array(1)}),
        lambda: f(x, y.T),
        lambda: seen,
    )
custom_vmap()
""")
