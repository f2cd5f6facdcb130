"""How elements lie in memory, with numpy as the oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import mutually_broadcastable_shapes
from support.assert_close import assert_close
from support.draw import ints

import mlxc as mx

X = ints((2, 3, 4), seed=1)
A = mx.array(X)


@given(shapes=mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=4))
def test_broadcasting_agrees_with_numpy(shapes):
    arrays = [ints(shape, seed=i) for i, shape in enumerate(shapes.input_shapes)]

    assert mx.broadcast_shapes(*shapes.input_shapes) == shapes.result_shape
    results = mx.broadcast_arrays(*map(mx.array, arrays))
    for result, array in zip(results, arrays, strict=True):
        assert_close(result, np.broadcast_to(array, shapes.result_shape))
        assert_close(mx.broadcast_to(mx.array(array), shapes.result_shape), np.array(result))


@pytest.mark.parametrize("shapes", [((2,), (3,)), ((2, 1), (3, 2), (4, 2)), ((0,), (2,))])
def test_shapes_that_do_not_fit_are_refused(shapes):
    with pytest.raises(ValueError, match="broadcast"):
        mx.broadcast_shapes(*shapes)


def test_as_strided_agrees_with_numpy():
    flat = X.reshape(-1)
    expected = np.lib.stride_tricks.as_strided(flat[1:], (3, 4), (4, 8))

    assert_close(mx.as_strided(A, (3, 4), (1, 2), 1), expected)
    assert_close(mx.as_strided(A, (4,), offset=2), flat[2:6])
    assert_close(mx.as_strided(A, (3,), (-1,), 2), flat[2::-1])


@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [((25,), (1,), 0), ((2,), (1,), 23), ((2,), (-1,), 0), ((1,), (1,), -1), ((2, 2), (1,), 0)],
)
def test_as_strided_refuses_to_leave_the_array(shape, strides, offset):
    with pytest.raises(ValueError, match="shape"):
        mx.as_strided(A, shape, strides, offset)


def test_contiguous_puts_the_elements_in_order():
    buffer = memoryview(mx.contiguous(A.T))

    assert buffer.c_contiguous
    np.testing.assert_array_equal(np.asarray(buffer), X.T)
