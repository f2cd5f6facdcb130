"""Truth values, with numpy as the oracle."""

import numpy as np
import pytest
from hypothesis import given
from support.assert_close import assert_close
from support.draw import SEEDS, SHAPES, ints

import mlxc as mx

SPECIAL = np.float32([0, 1, np.nan, np.inf, -np.inf])


@pytest.mark.parametrize("name", ["logical_and", "logical_or", "logical_xor"])
@given(shape=SHAPES, seed=SEEDS)
def test_a_connective_agrees_with_numpy(name, shape, seed):
    a, b = ints(shape, seed, 0, 3), ints(shape, seed + 1, 0, 3)

    assert_close(getattr(mx, name)(mx.array(a), mx.array(b)), getattr(np, name)(a, b))


@pytest.mark.parametrize(
    "name", ["isnan", "isinf", "isfinite", "isposinf", "isneginf", "logical_not"]
)
def test_a_question_about_each_element_agrees_with_numpy(name):
    assert_close(getattr(mx, name)(mx.array(SPECIAL)), getattr(np, name)(SPECIAL))
