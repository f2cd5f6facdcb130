"""Trigonometric functions, with numpy as the oracle."""

import numpy as np
import pytest
from hypothesis import given
from support.assert_close import assert_close
from support.draw import SEEDS, SHAPES, floats

import mlxc as mx

# name, oracle, lower and upper end of the domain
FUNCTIONS = [
    ("sin", np.sin, -9, 9),
    ("cos", np.cos, -9, 9),
    ("tan", np.tan, -1.5, 1.5),
    ("arcsin", np.arcsin, -1, 1),
    ("arccos", np.arccos, -1, 1),
    ("arctan", np.arctan, -9, 9),
    ("sinh", np.sinh, -3, 3),
    ("cosh", np.cosh, -3, 3),
    ("tanh", np.tanh, -3, 3),
    ("arcsinh", np.arcsinh, -9, 9),
    ("arccosh", np.arccosh, 1.01, 9),
    ("arctanh", np.arctanh, -0.99, 0.99),
    ("degrees", np.degrees, -9, 9),
    ("radians", np.radians, -360, 360),
]
NAMES = [name for name, *_ in FUNCTIONS]


@pytest.mark.parametrize(("name", "oracle", "low", "high"), FUNCTIONS, ids=NAMES)
@given(shape=SHAPES, seed=SEEDS)
def test_a_function_agrees_with_its_oracle(name, oracle, low, high, shape, seed):
    x = floats(shape, seed, low, high)

    assert_close(getattr(mx, name)(mx.array(x)), oracle(x))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16], ids=repr)
def test_a_half_precision_type_is_kept(name, dtype):
    result = getattr(mx, name)(mx.array([0.5], dtype=dtype))

    assert result.dtype == dtype


@pytest.mark.parametrize("name", NAMES)
def test_integers_become_floats(name):
    assert getattr(mx, name)(mx.array([0, 1])).dtype == mx.float32
