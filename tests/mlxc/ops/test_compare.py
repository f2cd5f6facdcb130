"""Comparisons, with numpy as the oracle."""

import numpy as np
import pytest
from hypothesis import given
from support.assert_close import assert_close
from support.draw import SEEDS, SHAPES, ints

import mlxc as mx

NAMES = ["equal", "not_equal", "less", "less_equal", "greater", "greater_equal"]
NAN = np.float32([np.nan, 1])


@pytest.mark.parametrize("name", NAMES)
@given(shape=SHAPES, seed=SEEDS)
def test_a_comparison_agrees_with_numpy(name, shape, seed):
    a, b = ints(shape, seed, 0, 3), ints(shape, seed + 1, 0, 3)

    assert_close(getattr(mx, name)(mx.array(a), mx.array(b)), getattr(np, name)(a, b))


def test_arrays_are_equal_in_shape_and_elements():
    a = mx.array([1, 2])

    assert mx.array_equal(a, mx.array([1.0, 2.0])).item()
    assert not mx.array_equal(a, mx.array([1, 3])).item()
    assert not mx.array_equal(a, mx.array([[1, 2]])).item()


@pytest.mark.parametrize("function", [mx.array_equal, mx.allclose], ids=["equal", "close"])
def test_nan_equals_nan_only_if_asked(function):
    assert not function(mx.array(NAN), mx.array(NAN)).item()
    assert function(mx.array(NAN), mx.array(NAN), equal_nan=True).item()


def test_isclose_agrees_with_numpy():
    a = np.float32([1, 1, np.inf, np.inf, np.nan])
    b = np.float32([1.001, 1.1, np.inf, -np.inf, np.nan])

    result = mx.isclose(mx.array(a), mx.array(b), rtol=1e-2)

    assert_close(result, np.isclose(a, b, rtol=1e-2))
    assert not mx.allclose(mx.array(a), mx.array(b), rtol=1e-2).item()
