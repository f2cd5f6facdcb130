"""Arithmetic of two arrays, with numpy as the oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import mutually_broadcastable_shapes
from support.assert_close import assert_close
from support.draw import SEEDS, ints

import mlxc as mx

PAIRS = mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=4)

FUNCTIONS = [
    ("add", np.add),
    ("subtract", np.subtract),
    ("multiply", np.multiply),
    ("divide", np.divide),
    ("floor_divide", np.floor_divide),
    ("remainder", np.remainder),
    ("power", np.power),
    ("maximum", np.maximum),
    ("minimum", np.minimum),
    ("logaddexp", np.logaddexp),
    ("arctan2", np.arctan2),
]


@pytest.mark.parametrize(("name", "oracle"), FUNCTIONS, ids=[name for name, _ in FUNCTIONS])
@given(shapes=PAIRS, seed=SEEDS)
def test_a_function_of_two_arrays_broadcasts_as_numpy_does(name, oracle, shapes, seed):
    left, right = shapes.input_shapes
    # Quarters: their quotients are whole or far from it, so rounding down is never a toss-up.
    a, b = ints(left, seed, 2, 13) / np.float32(4), ints(right, seed + 1, 2, 13) / np.float32(4)

    assert_close(getattr(mx, name)(mx.array(a), mx.array(b)), oracle(a, b))


@given(shapes=PAIRS, seed=SEEDS)
def test_divmod_gives_quotient_and_remainder(shapes, seed):
    left, right = shapes.input_shapes
    a, b = ints(left, seed, 0, 20), ints(right, seed + 1, 1, 9)

    quotient, remainder = mx.divmod(mx.array(a), mx.array(b))

    assert_close(quotient, a // b)
    assert_close(remainder, a % b)


def test_the_remainder_has_the_sign_of_the_divisor():
    assert mx.remainder(mx.array([5, -5]), mx.array([-3, 3])).tolist() == [-1, 1]


@pytest.mark.parametrize(
    ("dtype", "scalar", "expected"),
    [(mx.float16, 2.5, mx.float16), (mx.int8, 2, mx.int8), (mx.int32, 0.5, mx.float32)],
    ids=str,
)
def test_a_scalar_takes_the_type_beside_it_as_far_as_its_kind_allows(dtype, scalar, expected):
    a = mx.ones((2,), dtype)

    assert mx.add(a, scalar).dtype == expected
    assert mx.add(scalar, a).dtype == expected


def test_shapes_that_do_not_broadcast_are_refused():
    with pytest.raises(ValueError, match="broadcast"):
        mx.add(mx.ones((2,)), mx.ones((3,)))


def test_a_stream_of_the_wrong_type_is_refused():
    with pytest.raises(TypeError, match="stream"):
        mx.add(1, 2, stream="cpu")
