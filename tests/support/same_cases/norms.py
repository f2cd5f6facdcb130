"""Norms of every order along every axis, and cross products."""

from support.differential import lines

SETUP = """\
a = mx.random.normal((4, 4), key=mx.random.key(0))
b = mx.random.normal((2, 3, 3), key=mx.random.key(1))
r = mx.random.normal((2, 5, 3), key=mx.random.key(2))
w = mx.random.normal((3, 5), key=mx.random.key(3))
p = a @ a.T + mx.eye(4)
c = a + 1j * mx.random.normal((4, 4), key=mx.random.key(4))
z = mx.zeros((2, 0, 3))
v = mx.array([3.0, -4.0, 0.0])
d = a.astype(mx.float64)
i = mx.arange(9).reshape(3, 3)
h = a.astype(mx.float16)
cpu = mx.cpu
U = None
"""
ORDERS = lines("""
2
1
0
-1
-2
3
2.5
mx.inf
float('-inf')
'fro'
'nuc'
'f'
'inf'
'abc'
None
True
""")
AXES = lines("""
None
0
(0, 1)
[-2, -1]
(-1,)
5
(0, 0)
(0, 1, 2)
-1, keepdims=True
(-1, 0), keepdims=True
""")
OTHERS = lines("""
mx.linalg.norm(a, None, None, True)
mx.linalg.norm(a, 1, 0, False, cpu)
mx.linalg.norm(a, 1, 0, False)
mx.linalg.norm(a, ord=None, axis=[])
mx.linalg.norm(a, ord=2, axis=[])
mx.matrix_norm(a)
mx.matrix_norm(b, keepdims=True)
mx.matrix_norm(b, ord='nuc')
mx.matrix_norm(b, ord=1)
mx.matrix_norm(v)
mx.matrix_norm(a, ord='zz')
mx.linalg.cross(v, v + 1)
mx.linalg.cross(v[:2], v[:2] + 1)
mx.linalg.cross(v[:2], v + 1)
mx.linalg.cross(v, v[1:])
mx.linalg.cross(b, v)
mx.linalg.cross(b, v[None], axis=1)
mx.linalg.cross(b, b, axis=1)
mx.linalg.cross(b, b + 1, axis=1)
mx.linalg.cross(b, b + 1, 0)
mx.linalg.cross(b, b + 1, 3)
mx.linalg.cross(b, b + 1, -4)
mx.linalg.cross(v, mx.array([1, 2, 3]))
mx.linalg.cross(mx.array([1, 2, 3]), mx.array([3, 2, 1]))
mx.linalg.cross(mx.array([1, 2, 3], mx.uint8), mx.array([3, 2, 1], mx.uint8))
mx.linalg.cross(mx.array([True, False, True]), mx.array([3, 2, 1]))
mx.linalg.cross(mx.ones((4,)), mx.ones((4,)))
mx.linalg.cross(mx.ones((1,)), mx.ones((1,)))
mx.linalg.cross(mx.ones((2, 3)), mx.ones((4, 3)))
mx.linalg.cross(mx.ones((2, 1, 3)), mx.ones((4, 3)))
mx.linalg.cross(c[0, :3], v)
mx.grad(lambda x: mx.linalg.cross(x, v + 1).sum())(v)
mx.vmap(lambda x: mx.linalg.norm(x))(b)
mx.grad(lambda x: mx.linalg.norm(x))(a)
mx.grad(lambda x: mx.linalg.norm(x, ord='nuc', stream=cpu))(a)
mx.jvp(lambda x: mx.linalg.norm(x, stream=cpu), [a], [a])
""")

CASES = [
    *(
        f"{SETUP}mx.linalg.norm({a}, {order}, {axis}, stream=cpu)"
        for a in "avbcd"
        for order in ORDERS
        for axis in AXES
        if a in "av" or axis in AXES[:3]
    ),
    *(f"{SETUP}mx.linalg.norm({a}, stream=cpu)" for a in "abrwpcvdihz"),
    *(SETUP + line for line in OTHERS),
]
