"""Statistics, with numpy as the oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.assert_close import assert_close
from support.draw import AXES, SEEDS, floats

import mlxc as mx

SHAPE = (2, 3, 4)


@pytest.mark.parametrize("name", ["mean", "median", "var", "std"])
@given(axis=AXES, keepdims=st.booleans(), seed=SEEDS)
def test_a_statistic_agrees_with_numpy(name, axis, keepdims, seed):
    x = floats(SHAPE, seed)
    expected = getattr(np, name)(
        x, axis=tuple(axis) if isinstance(axis, list) else axis, keepdims=keepdims
    )

    assert_close(getattr(mx, name)(mx.array(x), axis, keepdims), expected)


@pytest.mark.parametrize("name", ["var", "std"])
@pytest.mark.parametrize("axis", [None, 1, (0, 2)])
def test_ddof_is_taken_from_the_divisor(name, axis):
    x = floats(SHAPE, seed=3)

    result = getattr(mx, name)(mx.array(x), axis, ddof=1)

    assert_close(result, getattr(np, name)(x, axis=axis, ddof=1))


@pytest.mark.parametrize("name", ["var", "std"])
def test_correction_is_another_name_of_ddof(name):
    x = floats(SHAPE, seed=4)

    result = getattr(mx.array(x), name)(1, correction=1)

    assert_close(result, getattr(np, name)(x, axis=1, ddof=1))
