"""Reductions, with numpy as the oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.assert_close import assert_close
from support.draw import AXES, SEEDS, floats, ints

import mlxc as mx

FUNCTIONS = [
    ("sum", np.sum),
    ("prod", np.prod),
    ("max", np.max),
    ("min", np.min),
    ("all", np.all),
    ("any", np.any),
]
NAMES = [name for name, _ in FUNCTIONS]
SHAPE = (2, 3, 4)


@pytest.mark.parametrize(("name", "oracle"), FUNCTIONS, ids=NAMES)
@given(axis=AXES, keepdims=st.booleans(), seed=SEEDS)
def test_a_reduction_agrees_with_numpy(name, oracle, axis, keepdims, seed):
    x = floats(SHAPE, seed)
    expected = oracle(x, axis=tuple(axis) if isinstance(axis, list) else axis, keepdims=keepdims)

    assert_close(getattr(mx, name)(mx.array(x), axis, keepdims), expected)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@given(axis=st.none() | st.integers(-3, 2), keepdims=st.booleans(), seed=SEEDS)
def test_the_index_of_an_extreme_agrees_with_numpy(name, axis, keepdims, seed):
    x = ints(SHAPE, seed, 0, 4)

    result = getattr(mx, name)(mx.array(x), axis, keepdims)

    assert result.dtype == mx.uint32
    assert_close(result, getattr(np, name)(x, axis=axis, keepdims=keepdims))


@pytest.mark.parametrize("axis", [None, 1, (0, 2)])
def test_minmax_gives_both_extremes(axis):
    x = floats(SHAPE, seed=6)

    low, high = mx.minmax(mx.array(x), axis, keepdims=True)

    assert_close(low, x.min(axis=axis, keepdims=True))
    assert_close(high, x.max(axis=axis, keepdims=True))


@pytest.mark.parametrize("axis", [None, 1, (0, 2)])
def test_count_nonzero_agrees_with_numpy(axis):
    x = ints(SHAPE, seed=7, low=-1, high=2)

    assert_close(mx.count_nonzero(mx.array(x), axis=axis), np.count_nonzero(x, axis=axis))


def test_no_axes_reduce_nothing():
    assert mx.sum(mx.array([1, 2]), axis=()).tolist() == [1, 2]


def test_the_sum_of_nothing_is_zero():
    assert mx.sum(mx.zeros((0, 2)), axis=0).tolist() == [0, 0]


def test_an_axis_out_of_bounds_is_an_index_error():
    with pytest.raises(IndexError, match="axis"):
        mx.sum(mx.ones((2,)), axis=1)


def test_an_axis_that_is_no_integer_is_named():
    with pytest.raises(TypeError, match=r"axis must be .* got 1\.5"):
        mx.sum(mx.ones((2,)), axis=1.5)


def test_the_maximum_of_nothing_is_refused():
    with pytest.raises(ValueError):
        mx.max(mx.zeros((0,)))
