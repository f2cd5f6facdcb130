"""Shapes: reshaped, moved, joined, repeated and padded arrays."""

from support.differential import lines

ARRAYS = (
    "mx.arange(24).reshape(2, 3, 4)",
    "mx.arange(6).reshape(2, 3).T",
    "mx.array(5)",
    "mx.zeros((0, 3))",
)
AXES = (
    "0",
    "1",
    "-1",
    "2",
    "-4",
    "3",
    "None",
    "()",
    "(0,)",
    "(0, 1)",
    "(1, 1)",
    "[0, -1]",
    "2**40",
    "1.5",
    "'a'",
)
FUNCTIONS = lines("""
mx.squeeze({a}, {axis})
mx.expand_dims({a}, {axis})
mx.flatten({a}, {axis})
mx.flatten({a}, 0, {axis})
mx.unflatten({a}, {axis}, (1, -1))
mx.transpose({a}, {axis})
mx.moveaxis({a}, {axis}, 0)
mx.moveaxis({a}, 0, {axis})
mx.swapaxes({a}, {axis}, 0)
mx.roll({a}, 1, {axis})
mx.roll({a}, (1, 2), {axis})
mx.repeat({a}, 2, {axis})
mx.repeat({a}, {axis})
mx.tile({a}, {axis})
mx.split({a}, 2, {axis})
mx.split({a}, [1], {axis})
mx.split({a}, {axis})
mx.unstack({a}, axis={axis})
mx.concatenate([{a}, {a}], {axis})
mx.stack([{a}, {a}], {axis})
mx.diagonal({a}, {axis})
mx.diagonal({a}, 0, {axis}, 0)
mx.reshape({a}, {axis})
mx.broadcast_to({a}, {axis})
mx.pad({a}, {axis})
mx.take({a}, mx.array([0]), {axis})
mx.take({a}, 0, {axis})
""")
MODES = ("constant", "edge", "reflect", "symmetric", "wrap", "")
WIDTHS = (
    "0",
    "1",
    "(1,)",
    "(1, 2)",
    "((1, 2),)",
    "((0, 1), (2, 0))",
    "[(1, 1), (0, 2)]",
    "-1",
    "(1, -1)",
    "5",
    "()",
    "[[1], [2]]",
)
PADDED = ("mx.arange(3)", "mx.arange(6).reshape(2, 3)", "mx.zeros((0, 2))", "mx.array(1.5)")
REST = lines("""
mx.unflatten(mx.arange(6), 0, -1)
mx.unflatten(mx.arange(6), 0, 6)
mx.unflatten(mx.arange(6), 0, (2, 3))
mx.unflatten(mx.arange(6), 0, (4, -1))
mx.unflatten(mx.arange(6), 0, ())
mx.unflatten(mx.arange(6), -1, [3, 2])
mx.roll(mx.arange(6), 2, ())
mx.roll(mx.arange(6), ())
mx.roll(mx.arange(6), (1, 2))
mx.roll(mx.arange(6), (1, 2), 0)
mx.roll(mx.arange(6).reshape(2, 3), (1, 1), (0, 1))
mx.roll(mx.arange(6).reshape(2, 3), (1,), (0, 1))
mx.roll(mx.arange(6), 2**40)
mx.roll(mx.zeros((0,)), 1)
mx.repeat(mx.arange(3), -1)
mx.repeat(mx.arange(3), 0)
mx.repeat(mx.array(3), 2)
mx.tile(mx.arange(3), (2, 2))
mx.tile(mx.arange(3), 0)
mx.tile(mx.arange(3), (2, -1))
mx.tile(mx.arange(3), [])
mx.split(mx.arange(6), 4)
mx.split(mx.arange(6), [2, 1])
mx.split(mx.arange(6), [9])
mx.split(mx.arange(6), [-1])
mx.split(mx.arange(6), 0)
mx.split(mx.arange(6), ())
mx.split(mx.arange(6), (1, 3))
mx.split(mx.arange(6), mx.array([1, 3]))
mx.concatenate([])
mx.concatenate([mx.array(1)])
mx.concatenate([mx.array(1), mx.array(2)], axis=None)
mx.concatenate([mx.arange(2), mx.ones((2, 2))])
mx.concatenate([mx.arange(2), mx.ones(2)])
mx.concatenate([mx.arange(2, dtype=mx.int8), mx.ones(2, mx.float16)])
mx.concatenate((mx.arange(2), mx.arange(3)))
mx.concatenate(mx.ones((2, 2)))
mx.concatenate(mx.ones(2) for _ in range(2))
mx.concat([mx.arange(2), mx.arange(3)])
mx.stack([])
mx.stack([mx.arange(2), mx.arange(3)])
mx.stack([mx.arange(2), mx.ones(2)], axis=1)
mx.stack(mx.ones((2, 2)))
mx.meshgrid(mx.arange(2), mx.arange(3))
mx.meshgrid(mx.arange(2), mx.arange(3), indexing='ij')
mx.meshgrid(mx.arange(2), mx.arange(3), sparse=True)
mx.meshgrid(mx.arange(2), mx.arange(3), indexing='a')
mx.meshgrid(mx.arange(2))
mx.meshgrid(mx.ones((2, 2)))
mx.meshgrid()
mx.meshgrid(mx.array(1), mx.arange(2))
mx.reshape(mx.arange(6), (2, -1))
mx.reshape(mx.arange(6), (-1, -1))
mx.reshape(mx.arange(6), (4, 2))
mx.reshape(mx.zeros((0, 2)), (-1,))
mx.reshape(mx.zeros((0, 2)), (0, -1))
mx.reshape(mx.arange(1), ())
mx.reshape(mx.arange(6), [3, 2])
mx.arange(6).reshape(3, 2)
mx.arange(6).reshape()
mx.arange(1).reshape()
mx.arange(6).reshape([3], [2])
mx.arange(6).reshape(mx.array([3, 2]))
mx.arange(6).transpose()
mx.ones((2, 3)).transpose(0)
mx.ones((2, 3)).transpose(1, 1)
mx.ones((2, 3)).transpose((1, 0))
mx.ones((2, 3)).transpose(1, 0)
mx.ones((2, 3)).transpose([1, 0])
mx.ones((2, 3)).transpose(-1, 0)
mx.ones((2, 3)).transpose(None)
mx.ones((2, 3)).flatten(1, 0)
mx.ones((2, 3)).flatten(5)
mx.array(1).flatten()
mx.ones((2, 1)).squeeze()
mx.ones((2, 1)).squeeze(0)
mx.ones((1, 1)).squeeze([0, 0])
mx.expand_dims(mx.arange(2), (0, 0))
mx.expand_dims(mx.arange(2), (0, -1))
mx.expand_dims(mx.arange(2), (0, 5))
mx.broadcast_arrays(mx.arange(3), mx.ones((2, 1)))
mx.broadcast_arrays(mx.arange(3), mx.ones(2))
mx.broadcast_arrays()
mx.broadcast_shapes((2, 1), (3,))
mx.broadcast_shapes((2,), (3,))
mx.broadcast_shapes((0,), (1,))
mx.broadcast_shapes(())
mx.broadcast_to(mx.arange(3), (2, -1))
mx.broadcast_to(mx.arange(3), (2,))
mx.broadcast_to(mx.arange(3), ())
mx.broadcast_to(2, (2, 2))
mx.atleast_1d(mx.array(1))
mx.atleast_2d(mx.arange(2), mx.array(1))
mx.atleast_3d(mx.arange(2))
mx.atleast_3d(mx.ones((2, 3)))
mx.atleast_1d()
mx.as_strided(mx.arange(6), (2, 2), (1, 2), 1)
mx.as_strided(mx.arange(6), (2, 2))
mx.as_strided(mx.arange(6))
mx.contiguous(mx.arange(6).reshape(2, 3).T)
mx.view(mx.arange(4), mx.int8).shape
mx.view(mx.arange(4, dtype=mx.int8), mx.int32)
mx.view(mx.arange(3, dtype=mx.int8), mx.int32)
mx.view(mx.array(1), mx.int8)
mx.tri(3)
mx.tri(2, 3, 1, mx.int32)
mx.tril(mx.ones((3, 3)), 1)
mx.triu(mx.ones((3, 3)), -1)
mx.tril(mx.ones(3))
mx.diag(mx.arange(3), 1)
mx.diag(mx.ones((2, 3)), -1)
mx.diag(mx.array(1))
mx.diag(mx.ones((1, 1, 1)))
mx.eye(2, 3, 1)
mx.identity(2)
mx.eye(-1)
mx.eye(0)
mx.trace(mx.arange(24).reshape(2, 3, 4))
mx.trace(mx.arange(24).reshape(2, 3, 4), 0, 1, 2, mx.float32)
mx.trace(mx.arange(4))
mx.trace(mx.ones((2, 2)), 0, 0, 0)
mx.unstack(mx.arange(6).reshape(2, 3), axis=1)
mx.unstack(mx.array(1))
""")

CASES = [
    *(form.format(a=a, axis=axis) for form in FUNCTIONS for a in ARRAYS for axis in AXES),
    *(f"mx.pad({a}, {w}, '{mode}')" for a in PADDED for w in WIDTHS for mode in MODES),
    *(
        f"mx.pad({a}, 1, constant_values={v})"
        for a in PADDED
        for v in ("2", "1.5", "mx.array(3)", "mx.arange(2)", "True", "[1]", "None")
    ),
    *REST,
]
