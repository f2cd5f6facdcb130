"""Elements chosen and put back, with numpy as the oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.assert_close import assert_close
from support.draw import SEEDS, SHAPES, ints

import mlxc as mx

X = ints((3, 4), seed=1)
A = mx.array(X)


@given(shape=SHAPES, seed=SEEDS)
def test_where_chooses_as_numpy_does(shape, seed):
    condition = ints(shape, seed, 0, 2)
    x, y = ints(shape, seed + 1), ints(shape, seed + 2)

    result = mx.where(mx.array(condition), mx.array(x), mx.array(y))

    assert_close(result, np.where(condition, x, y))


@pytest.mark.parametrize(
    ("x", "y", "dtype"),
    [
        (mx.ones((2,), mx.float16), 0, mx.float16),
        (-1.5, mx.ones((2,), mx.bfloat16), mx.bfloat16),
        (mx.array([1, 2]), 0.5, mx.float32),
        (1, 2.5, mx.float32),
        (1, 2, mx.int32),
    ],
    ids=str,
)
def test_a_scalar_in_where_takes_the_other_type(x, y, dtype):
    assert mx.where(True, x, y).dtype == dtype


@given(axis=st.none() | st.integers(-2, 1), shape=SHAPES, seed=SEEDS)
def test_take_agrees_with_numpy(axis, shape, seed):
    indices = ints(shape, seed, -3, 3)

    assert_close(mx.take(A, mx.array(indices), axis), np.take(X, indices, axis))


@pytest.mark.parametrize(("index", "axis"), [(0, 0), (-1, 1), (11, None), (-12, None)])
def test_take_of_one_index_drops_the_axis(index, axis):
    assert_close(mx.take(A, index, axis), np.take(X, index, axis))


@pytest.mark.parametrize(("index", "axis"), [(3, 0), (-4, 0), (12, None), (0, 2)])
def test_take_refuses_an_index_out_of_bounds(index, axis):
    with pytest.raises(IndexError, match="out of bounds"):
        mx.take(A, index, axis)


@given(axis=st.none() | st.integers(-2, 1), seed=SEEDS)
def test_take_along_axis_agrees_with_numpy(axis, seed):
    shape = (5,) if axis is None else (3, 4)
    indices = ints(shape, seed, 0, 3)

    result = mx.take_along_axis(A, mx.array(indices), axis)

    assert_close(result, np.take_along_axis(X, indices, axis))


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_put_along_axis_agrees_with_numpy(axis):
    indices = np.array([5, 2, 9]) if axis is None else np.argsort(X, axis).take([0], axis)
    expected = X.copy()
    np.put_along_axis(expected, indices, 99, axis)

    assert_close(mx.put_along_axis(A, mx.array(indices), mx.array(99), axis), expected)
    assert_close(A, X)


def test_a_slice_starts_where_an_array_says():
    result = mx.slice(A, mx.array([1, 2]), (0, 1), (2, 2))

    assert_close(result, X[1:3, 2:4])


def test_a_slice_update_starts_where_an_array_says():
    expected = X.copy()
    expected[1:2, 2:4] = [[70, 80]]

    result = mx.slice_update(A, mx.array([[70, 80]]), mx.array([1, 2]), (0, 1))

    assert_close(result, expected)
    assert_close(A, X)


def test_a_slice_update_of_more_axes_is_refused():
    with pytest.raises(ValueError, match="more axes"):
        mx.slice_update(mx.zeros((3, 4)), mx.ones((1, 3, 4)), mx.array([1]), [0])


@pytest.mark.parametrize("index", [4, -5, np.int64(4), 2**40])
@pytest.mark.parametrize("axis", [1, -1])
def test_an_integer_out_of_bounds_is_refused(index, axis):
    with pytest.raises(IndexError, match="out of bounds for axis -?1 with size 4"):
        mx.take(A, index, axis=axis)


def test_an_integer_beyond_a_flattened_array_is_refused():
    with pytest.raises(IndexError, match="12 is out of bounds for the flattened array"):
        mx.take(A, 12)


@pytest.mark.parametrize(
    "use",
    [
        lambda a: mx.take(a, [0]),
        lambda a: mx.take_along_axis(a, [[0]]),
        lambda a: mx.put_along_axis(a, mx.array([[0]]), 0),
        lambda a: mx.slice(a, [0], axes=(0,), slice_size=(1, 4)),
        lambda a: mx.slice_update(a, a, [0], axes=(0,)),
    ],
)
def test_indices_and_values_must_be_arrays(use):
    with pytest.raises(TypeError, match="expected an array, got (list|int)"):
        use(A)
