"""Functions transformed: forms of arguments and results, axes, trees, faults."""

from support.differential import programs

CASES = programs("""
def vjp_forms():
    x, y, c = mx.array([1.0, 2.0]), mx.array([3.0, 4.0]), mx.array([1.0, 10.0])
    return answers(
        lambda: mx.vjp(mx.sin, (x,), (c,)),
        lambda: mx.vjp(mx.sin, [x], [c]),
        lambda: mx.vjp(lambda a, b: (a * b, a + b), [x, y], [c, c]),
        lambda: mx.vjp(lambda a, b: [a * b], [x, y], [c]),
        lambda: mx.vjp(lambda a: a * 2, x, c),
        lambda: mx.vjp(lambda a: a * 2, [x], [c, c]),
        lambda: mx.vjp(lambda a: a * 2, [x], [mx.array(1.0)]),
        lambda: mx.vjp(lambda a: a * 2, [x], [c.astype(mx.float16)]),
        lambda: mx.vjp(lambda a: {"a": a}, [x], [c]),
        lambda: mx.vjp(lambda a: 3, [x], [c]),
        lambda: mx.vjp(lambda a: (a, 3), [x], [c]),
        lambda: mx.vjp(lambda a: a, [3.0], [c]),
        lambda: mx.vjp(lambda a: (a, (a, a)), [x], [c, c, c]),
        lambda: mx.vjp(lambda: x, [], [c]),
    )
vjp_forms()

def jvp_forms():
    x, y, t = mx.array([1.0, 2.0]), mx.array([3.0, 4.0]), mx.array([1.0, 10.0])
    return answers(
        lambda: mx.jvp(mx.sin, (x,), (t,)),
        lambda: mx.jvp(mx.sin, [x], [t]),
        lambda: mx.jvp(lambda a, b: (a * b, a + b), [x, y], [t, t]),
        lambda: mx.jvp(lambda a: a * 2, x, t),
        lambda: mx.jvp(lambda a: a * 2, [x], [t, t]),
        lambda: mx.jvp(lambda a: a * 2, [x], [mx.array(1.0)]),
        lambda: mx.jvp(lambda a: {"a": a}, [x], [t]),
        lambda: mx.jvp(lambda a: 3, [x], [t]),
        lambda: mx.jvp(lambda a: a, [3.0], [t]),
        lambda: mx.jvp(lambda a: mx.vjp(mx.sin, [a], [t])[1][0], [x], [t]),
    )
jvp_forms()

def vmap_axes():
    a = mx.arange(6).reshape(2, 3)
    b = mx.arange(6).reshape(3, 2) * 10
    v = mx.array([1, 2, 3])
    pair = {"x": a, "y": (b, v)}
    def tree(p):
        return p["x"].sum() + p["y"][0].sum() + p["y"][1].sum()
    return answers(
        lambda: mx.vmap(lambda x: x + 1)(a),
        lambda: mx.vmap(lambda x, y: x + y, in_axes=(0, 1))(a, b),
        lambda: mx.vmap(lambda x, y: x + y, in_axes=(0, None))(a, v),
        lambda: mx.vmap(lambda x, y: x + y, in_axes=(0, None), out_axes=1)(a, v),
        lambda: mx.vmap(lambda x, y: x + y, in_axes=(0, -1), out_axes=-1)(a, b),
        lambda: mx.vmap(lambda x: (x.sum(), [x]), out_axes=(0, [1]))(a),
        lambda: mx.vmap(lambda x: (x.sum(), [x]), out_axes=(0, 1))(a),
        lambda: mx.vmap(lambda x: {"s": x.sum(), "x": x}, out_axes={"s": 0, "x": 1})(a),
        lambda: mx.vmap(tree, in_axes=({"x": 1, "y": (0, 0)},))(pair),
        lambda: mx.vmap(tree, in_axes={"x": 1, "y": (0, 0)})(pair),
        lambda: mx.vmap(tree, in_axes={"x": 1, "y": 0})(pair),
        lambda: mx.vmap(tree, in_axes=({"x": 1, "y": (0, None)},))(pair),
        lambda: mx.vmap(tree, in_axes={"x": None, "y": (None, 0)})(pair),
        lambda: mx.vmap(lambda x, y: x.sum() + y.sum(), in_axes=((0, 0),))(a, b.T),
        lambda: mx.vmap(lambda x, y: x.sum() + y.sum(), in_axes=[0, 1])(a, b),
        lambda: mx.vmap(lambda p: p[0] + p[1], in_axes=(0, 1))((a, b)),
        lambda: mx.vmap(lambda p: p[0] + p[1], in_axes=([0, 1],))([a, b]),
        lambda: mx.vmap(lambda p: p[0] + p[1], in_axes=[0, 1])([a, b]),
        lambda: mx.vmap(lambda x: v)(a),
        lambda: mx.vmap(lambda x: x * 2, in_axes=(0,), out_axes=(0,))(a),
        lambda: mx.vmap(lambda x: (x * 2,), in_axes=(0,), out_axes=(0,))(a),
        lambda: mx.vmap(lambda x: [x, x], out_axes=[1, 0])(a),
        lambda: mx.vmap(lambda x: [x, x], out_axes=(1, 0))(a),
    )
vmap_axes()

def vmap_wrong():
    a = mx.arange(6).reshape(2, 3)
    return answers(
        lambda: mx.vmap(lambda x: x, in_axes=2)(a),
        lambda: mx.vmap(lambda x: x, in_axes=-3)(a),
        lambda: mx.vmap(lambda x: x, out_axes=2)(a),
        lambda: mx.vmap(lambda x: x, out_axes=-3)(a),
        lambda: mx.vmap(lambda x: x, in_axes="a")(a),
        lambda: mx.vmap(lambda x: x, in_axes=1.0)(a),
        lambda: mx.vmap(lambda x, y: x + y)(a, a.T),
        lambda: mx.vmap(lambda x, y: x + y)(a, 2),
        lambda: mx.vmap(lambda x, y: x + y, in_axes=(0, None))(a, 2),
        lambda: mx.vmap(lambda x, y: x + y, in_axes=(0,))(a, a),
        lambda: mx.vmap(lambda x, y: x + y, in_axes=(0, 0, 0))(a, a),
        lambda: mx.vmap(lambda x: x, in_axes=(0, 0))(a),
        lambda: mx.vmap(lambda x: x)(x=a),
        lambda: mx.vmap(lambda x: x)(mx.array(1)),
        lambda: mx.vmap(lambda x: 3)(a),
        lambda: mx.vmap(lambda x: (x, 3))(a),
        lambda: mx.vmap(lambda x: None)(a),
        lambda: mx.vmap(lambda: a)(),
        lambda: mx.vmap(lambda p: p["x"], in_axes=({"z": 0},))({"x": a}),
        lambda: mx.vmap(3),
    )
vmap_wrong()

def vmap_over_transforms():
    x = mx.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    w = mx.array([10.0, 100.0])
    def loss(v):
        return (w * v * v).sum()
    return answers(
        lambda: mx.vmap(mx.grad(loss))(x),
        lambda: mx.grad(lambda y: mx.vmap(loss)(y).sum())(x),
        lambda: mx.vmap(mx.vmap(lambda a, b: a * b, in_axes=(None, 0)), in_axes=(0, None))(w, w),
        lambda: mx.vmap(mx.vmap(lambda a: a + 1, in_axes=0), in_axes=1, out_axes=1)(x),
        lambda: mx.vmap(mx.value_and_grad(loss))(x),
        lambda: mx.vmap(mx.compile(loss))(x),
        lambda: mx.compile(mx.vmap(loss))(x),
        lambda: mx.vmap(lambda v: mx.jvp(mx.sin, [v], [v])[1][0])(x),
        lambda: mx.jvp(lambda y: mx.vmap(loss)(y), [x], [x]),
        lambda: mx.vmap(lambda a, b: a @ b)(x[:, None], x[:, :, None]),
        lambda: mx.vmap(mx.checkpoint(loss))(x),
        lambda: mx.vmap(mx.grad(mx.checkpoint(loss)))(x),
    )
vmap_over_transforms()

def grad_in_place():
    tree = [mx.array(1.0), {"k": mx.array(2.0)}]
    first, second = tree[0], tree[1]["k"]
    def fun(pair):
        pair[0] = pair[0] * pair[1]["k"]
        return pair[0]
    gradient = shown(mx.grad(fun)(tree))
    return [gradient, tree[0] is first, tree[1]["k"] is second, shown(tree)]
grad_in_place()

def grad_wrong():
    x = mx.array([1.0, 2.0])
    def total(a, b=None):
        return a.sum() if b is None else (a * b).sum()
    return answers(
        lambda: mx.grad(total, argnums=-1)(x),
        lambda: mx.grad(total, argnums=(0, 0))(x),
        lambda: mx.grad(total, argnums=(1, 0))(x, x),
        lambda: mx.grad(total, argnums=[0])(x),
        lambda: mx.grad(total, argnums=[])(x),
        lambda: mx.grad(total, argnames="b")(x, b=x),
        lambda: mx.grad(total, argnums=0, argnames=["b"])(x, b=x),
        lambda: mx.grad(total, argnames=["b", "b"])(x, b=x),
        lambda: mx.grad(total, argnames="c")(x, b=x),
        lambda: mx.grad(total, argnums=1)(x, b=x),
        lambda: mx.grad(lambda a: (a.sum(), 3))(x),
        lambda: mx.value_and_grad(lambda a: (a.sum(), a, "s", {"k": a}))(x),
        lambda: mx.value_and_grad(lambda a: [a.sum(), a])(x),
        lambda: mx.grad(lambda a: a)(x),
        lambda: mx.grad(lambda a: 3)(x),
        lambda: mx.grad(lambda a: ())(x),
        lambda: mx.grad(lambda a: (3, a.sum()))(x),
        lambda: mx.grad(total)(3.0),
        lambda: mx.grad(lambda t: t["a"].sum())({"a": x, "n": 3, "s": "x"}),
        lambda: mx.grad(lambda a: a.sum())(mx.array([1, 2])),
        lambda: mx.grad(total, argnums=(0, 1))(x, x),
        lambda: mx.grad(total, argnums=1.0),
        lambda: mx.grad(3),
    )
grad_wrong()
""")
