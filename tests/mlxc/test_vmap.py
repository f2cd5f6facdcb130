"""Vectorized functions against a loop over the axis."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mlxc as mx


def looped(fun, arrays, in_axes, out_axis):
    """What vmap is to give, one place after the other."""
    count = next(a.shape[i] for a, i in zip(arrays, in_axes, strict=True) if i is not None)
    results = []
    for n in range(count):
        at = [
            a if i is None else mx.take(a, n, axis=i) for a, i in zip(arrays, in_axes, strict=True)
        ]
        results.append(fun(*at))
    return mx.stack(results, axis=out_axis)


@given(
    st.sampled_from([0, 1, 2, -1, -2]),
    st.sampled_from([0, 1, -1, None]),
    st.sampled_from([0, 1, 2, -1, -3]),
)
def test_any_axes_are_as_a_loop_over_them(first, second, out):
    a = mx.random.normal((3, 3, 3), key=mx.random.key(1))
    b = mx.random.normal((3, 3), key=mx.random.key(2))

    def fun(x, y):
        return mx.exp(x) * (y if second is None else mx.sum(y))

    found = mx.vmap(fun, in_axes=(first, second), out_axes=out)(a, b)

    assert mx.allclose(found, looped(fun, [a, b], (first, second), out)).item()


def test_axes_may_be_trees_of_the_form_of_arguments_and_results():
    a, b, c = mx.arange(6).reshape(2, 3), mx.arange(6).reshape(3, 2), mx.array(10)

    def fun(tree, z):
        return {"sum": tree["x"] + tree["y"][0], "z": (z, tree["x"])}

    axes = ({"x": 0, "y": [1]}, None)
    found = mx.vmap(fun, in_axes=axes, out_axes={"sum": 1, "z": (0, -1)})({"x": a, "y": [b]}, c)

    assert found["sum"].tolist() == (a.T + b).tolist()
    assert found["z"][0].tolist() == [10, 10]
    assert found["z"][1].tolist() == a.T.tolist()


def test_it_vectorizes_gradients_and_closures():
    w = mx.array([2.0, 3.0])
    x = mx.array([[1.0, 2.0], [3.0, 4.0]])

    assert mx.vmap(mx.grad(lambda v: (w * v * v).sum()))(x).tolist() == (2 * w * x).tolist()


def test_the_function_sees_one_place():
    shapes = []

    mx.vmap(lambda x: shapes.append(x.shape) or x)(mx.zeros((5, 4, 3)))

    assert shapes == [(4, 3)]


def test_an_exception_of_the_function_arrives_as_it_was():
    error = KeyError("mine")

    def fails(x):
        raise error

    with pytest.raises(KeyError) as raised:
        mx.vmap(fails)(mx.zeros((2,)))
    assert raised.value is error


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda a: mx.vmap(mx.exp, in_axes=2)(a), IndexError, "in_axes has 2"),
        (lambda a: mx.vmap(mx.exp, out_axes=2)(a), IndexError, "out_axes has 2"),
        (lambda a: mx.vmap(mx.exp, in_axes="0")(a), ValueError, "int or None"),
        (lambda a: mx.vmap(mx.add, in_axes=(0,))(a, a), ValueError, "a tuple of 1 does not fit"),
        (lambda a: mx.vmap(mx.add)(a, 1), ValueError, "only arrays, got int"),
        (lambda a: mx.vmap(lambda x: 1)(a), ValueError, "only arrays, got int"),
        (lambda a: mx.vmap(mx.add, in_axes=(None, None))(a, a), ValueError, "not None"),
        (lambda a: mx.vmap(mx.add)(a, a.T), ValueError, "axis"),
        (lambda a: mx.vmap(lambda x: x["k"], in_axes={"j": 0})({"k": a}), ValueError, "'j'"),
        (lambda a: mx.vmap(mx.exp)(a=a), TypeError, "keyword"),
        (lambda a: mx.vmap(3), TypeError, "callable"),
    ],
)
def test_wrong_use_says_what(call, error, message):
    with pytest.raises(error, match=message):
        call(mx.zeros((2, 3)))
