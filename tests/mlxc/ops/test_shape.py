"""Shapes and parts, with numpy as the oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.assert_close import assert_close
from support.draw import SHAPES, ints

import mlxc as mx

X = ints((2, 3, 4), seed=1)
A = mx.array(X)
ONES = ints((1, 3, 1), seed=2)


def permutations(ndim):
    return st.permutations(range(ndim))


@pytest.mark.parametrize("shape", [(24,), (4, -1), [2, 2, 6], (1, 24, 1)])
def test_reshape_agrees_with_numpy(shape):
    assert_close(mx.reshape(A, shape), X.reshape(shape))


def test_reshape_to_another_size_is_refused():
    with pytest.raises(ValueError):
        mx.reshape(A, (5, 5))


def test_flatten_joins_a_run_of_axes():
    assert_close(mx.flatten(A), X.reshape(-1))
    assert_close(mx.flatten(A, 1), X.reshape(2, 12))
    assert_close(mx.flatten(A, end_axis=1), X.reshape(6, 4))


def test_unflatten_divides_an_axis():
    assert_close(mx.unflatten(A, 2, (2, -1)), X.reshape(2, 3, 2, 2))


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), [2]])
def test_squeeze_agrees_with_numpy(axis):
    expected = np.squeeze(ONES, tuple(axis) if isinstance(axis, list) else axis)

    assert_close(mx.squeeze(mx.array(ONES), axis), expected)


def test_squeezing_a_longer_axis_is_refused():
    with pytest.raises(ValueError, match="squeeze"):
        mx.squeeze(mx.array(ONES), 1)


@pytest.mark.parametrize("axis", [0, -1, (0, 2), (0, -1)])
def test_expand_dims_agrees_with_numpy(axis):
    assert_close(mx.expand_dims(A, axis), np.expand_dims(X, axis))


@given(axes=permutations(3))
def test_transpose_agrees_with_numpy(axes):
    assert_close(mx.transpose(A, axes), X.transpose(axes))
    assert_close(mx.permute_dims(A, axes), X.transpose(axes))


def test_transpose_reverses_the_axes_by_default():
    assert_close(mx.transpose(A), X.T)


@given(source=st.integers(-3, 2), destination=st.integers(-3, 2))
def test_moving_and_swapping_axes_agrees_with_numpy(source, destination):
    assert_close(mx.moveaxis(A, source, destination), np.moveaxis(X, source, destination))
    assert_close(mx.swapaxes(A, source, destination), np.swapaxes(X, source, destination))


def test_matrix_transpose_swaps_the_last_axes():
    assert_close(mx.matrix_transpose(A), X.swapaxes(-1, -2))
    with pytest.raises(ValueError, match="at least 2 dimensions, got 1"):
        mx.matrix_transpose(mx.ones((3,)))


@pytest.mark.parametrize(("where", "axis"), [(3, 1), ([1, 2], 1), ((1,), -1), ([], 0), (2, -1)])
def test_split_agrees_with_numpy(where, axis):
    parts = mx.split(A, where, axis)

    expected = np.split(X, where, axis)
    assert len(parts) == len(expected)
    for part, wanted in zip(parts, expected, strict=True):
        assert_close(part, wanted)


def test_unequal_parts_are_refused():
    with pytest.raises(ValueError, match="equal"):
        mx.split(A, 2, 1)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_unstack_takes_an_axis_apart(axis):
    parts = mx.unstack(A, axis=axis)

    assert isinstance(parts, tuple)
    assert_close(mx.stack(parts, axis), X)


def test_unstack_of_an_empty_axis_gives_nothing():
    assert mx.unstack(mx.zeros((0, 2))) == ()
    with pytest.raises(IndexError, match="axis 2"):
        mx.unstack(mx.zeros((0, 2)), axis=2)


@given(shape=SHAPES)
def test_atleast_adds_axes_as_numpy_does(shape):
    x = ints(shape, seed=3)

    for name in ("atleast_1d", "atleast_2d", "atleast_3d"):
        assert_close(getattr(mx, name)(mx.array(x)), getattr(np, name)(x))


def test_atleast_of_several_arrays_is_a_list():
    assert [a.shape for a in mx.atleast_1d(mx.array(1), mx.array([2]))] == [(1,), (1,)]


@pytest.mark.parametrize("shape", [(7, -2, 0), (-1, -4), (0, -3)])
def test_an_empty_array_has_no_negative_lengths_either(shape):
    with pytest.raises(ValueError, match="negative|reshape"):
        mx.reshape(mx.ones((0, 3)), shape)
