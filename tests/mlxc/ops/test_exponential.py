"""Exponentials and logarithms, with numpy and math as oracles."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.assert_close import assert_close
from support.draw import AXES, SEEDS, SHAPES, floats

import mlxc as mx

erf = np.vectorize(math.erf)
erfinv = np.vectorize(lambda x: NormalDist().inv_cdf((x + 1) / 2) / math.sqrt(2))

# name, oracle, lower and upper end of the domain
FUNCTIONS = [
    ("exp", np.exp, -3, 3),
    ("expm1", np.expm1, -1e-3, 1e-3),
    ("log", np.log, 0.1, 9),
    ("log2", np.log2, 0.1, 9),
    ("log10", np.log10, 0.1, 9),
    ("log1p", np.log1p, -1e-3, 1e-3),
    ("sigmoid", lambda x: 1 / (1 + np.exp(-x)), -9, 9),
    ("erf", erf, -3, 3),
    ("erfinv", erfinv, -0.99, 0.99),
]
NAMES = [name for name, *_ in FUNCTIONS]
SHAPE = (2, 3, 4)


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


@given(axis=AXES, keepdims=st.booleans(), seed=SEEDS)
def test_logsumexp_is_what_its_name_says(axis, keepdims, seed):
    x = floats(SHAPE, seed)
    along = tuple(axis) if isinstance(axis, list) else axis

    result = mx.logsumexp(mx.array(x), axis, keepdims)

    assert_close(result, np.log(np.sum(np.exp(x), axis=along, keepdims=keepdims)))


@pytest.mark.parametrize("axis", [None, -1, 0, (1, 2)])
def test_softmax_sums_to_one_along_its_axes(axis):
    x = floats(SHAPE, seed=4, low=-80, high=80)
    e = np.exp(x - x.max(axis=axis, keepdims=True))

    assert_close(mx.softmax(mx.array(x), axis), e / e.sum(axis=axis, keepdims=True))


def test_precise_softmax_of_a_half_type_is_rounded_once():
    x = floats((1000,), seed=5, low=-1, high=1).astype(np.float16)
    e = np.exp(x.astype(np.float64))

    result = mx.softmax(mx.array(x), precise=True)

    assert result.dtype == mx.float16
    np.testing.assert_array_max_ulp(np.array(result), (e / e.sum()).astype(np.float16))
