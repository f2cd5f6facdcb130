"""Functions of each element, with numpy as the oracle."""

import numpy as np
import pytest
from hypothesis import given
from support.assert_close import assert_close
from support.draw import SEEDS, SHAPES, floats

import mlxc as mx

# name, oracle, lower and upper end of the domain
FUNCTIONS = [
    ("abs", np.abs, -3, 3),
    ("negative", np.negative, -3, 3),
    ("sign", np.sign, -3, 3),
    ("square", np.square, -3, 3),
    ("sqrt", np.sqrt, 0, 9),
    ("rsqrt", lambda x: 1 / np.sqrt(x), 0.1, 9),
    ("reciprocal", np.reciprocal, 0.1, 9),
    ("floor", np.floor, -3, 3),
    ("ceil", np.ceil, -3, 3),
    ("trunc", np.trunc, -3, 3),
    ("positive", np.positive, -3, 3),
    ("round", np.round, -9, 9),
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


@pytest.mark.parametrize("name", ["sqrt", "rsqrt", "reciprocal"])
def test_integers_become_floats_where_the_result_is_no_integer(name):
    assert getattr(mx, name)(mx.array([0, 1])).dtype == mx.float32


@pytest.mark.parametrize("name", ["abs", "sign", "square", "floor", "ceil", "trunc", "positive"])
def test_integers_stay_integers_where_the_result_is_one(name):
    assert getattr(mx, name)(mx.array([-2, 3])).dtype == mx.int32


def test_a_function_takes_a_python_scalar():
    assert_close(mx.sqrt(2.0), np.sqrt(np.float32(2)))


def test_a_function_runs_on_the_given_stream():
    assert mx.sqrt(mx.array(4.0), stream=mx.cpu).item() == 2


def test_negative_of_bool_is_refused():
    with pytest.raises(ValueError, match="logical_not"):
        mx.negative(mx.array([True]))


def test_trunc_keeps_nan_and_infinity():
    x = np.float32([np.nan, np.inf, -np.inf, -0.5])

    assert_close(mx.trunc(mx.array(x)), np.trunc(x))


@pytest.mark.parametrize("decimals", [-1, 0, 2])
def test_round_keeps_the_wanted_decimals(decimals):
    x = np.float32([12.345, -67.891, 0.5, 1.5])

    assert_close(mx.round(mx.array(x), decimals), np.round(x, decimals))


@pytest.mark.parametrize(("low", "high"), [(-1, 1), (None, 0.5), (0.5, None)])
def test_clip_leaves_a_side_open_for_none(low, high):
    x = floats((3, 4), seed=1)

    assert_close(mx.clip(mx.array(x), low, high), np.clip(x, low, high))


def test_clip_broadcasts_its_limits():
    x = floats((3, 4), seed=1)
    low = floats((4,), seed=2)

    assert_close(mx.clip(mx.array(x), mx.array(low), None), np.maximum(x, low))


def test_clip_without_a_limit_is_refused():
    with pytest.raises(ValueError, match="a_min and a_max"):
        mx.clip(mx.array([1.0]), None, None)


def test_nan_to_num_replaces_what_is_not_finite():
    x = np.float32([np.nan, np.inf, -np.inf, 1])

    assert_close(mx.nan_to_num(mx.array(x)), np.nan_to_num(x))
    assert mx.nan_to_num(mx.array(x), 1, 2, 3).tolist() == [1, 2, 3, 1]


def test_parts_of_a_complex_array():
    z = np.complex64([1 + 2j, -3])

    assert_close(mx.real(mx.array(z)), z.real)
    assert_close(mx.imag(mx.array(z)), z.imag)
    assert_close(mx.conjugate(mx.array(z)), z.conj())
    assert_close(mx.abs(mx.array(z)), np.abs(z))
