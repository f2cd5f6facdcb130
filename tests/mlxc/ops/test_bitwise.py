"""Operations on bits, with numpy as the oracle."""

import numpy as np
import pytest
from hypothesis import given
from support.assert_close import assert_close
from support.draw import SEEDS, SHAPES, ints

import mlxc as mx

FUNCTIONS = [
    ("bitwise_and", np.bitwise_and),
    ("bitwise_or", np.bitwise_or),
    ("bitwise_xor", np.bitwise_xor),
    ("left_shift", np.left_shift),
    ("right_shift", np.right_shift),
]


@pytest.mark.parametrize(("name", "oracle"), FUNCTIONS, ids=[name for name, _ in FUNCTIONS])
@given(shape=SHAPES, seed=SEEDS)
def test_a_function_of_bits_agrees_with_numpy(name, oracle, shape, seed):
    a, b = ints(shape, seed, -100, 100), ints(shape, seed + 1, 0, 9)

    assert_close(getattr(mx, name)(mx.array(a), mx.array(b)), oracle(a, b))


@given(shape=SHAPES, seed=SEEDS)
def test_bitwise_invert_agrees_with_numpy(shape, seed):
    a = ints(shape, seed)

    assert_close(mx.bitwise_invert(mx.array(a)), ~a)
