"""Running results, with numpy as the oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.assert_close import assert_close
from support.draw import SEEDS, floats, ints

import mlxc as mx

SCANS = [
    ("cumsum", np.cumsum, 0),
    ("cumprod", np.cumprod, 1),
    ("cummax", np.maximum.accumulate, -np.inf),
    ("cummin", np.minimum.accumulate, np.inf),
    ("logcumsumexp", np.logaddexp.accumulate, -np.inf),
]


@pytest.mark.parametrize(("name", "oracle", "start"), SCANS, ids=[name for name, *_ in SCANS])
@given(axis=st.integers(-2, 1), reverse=st.booleans(), inclusive=st.booleans(), seed=SEEDS)
def test_a_scan_agrees_with_numpy(name, oracle, start, axis, reverse, inclusive, seed):
    x = floats((3, 4), seed)
    lines = np.moveaxis(np.flip(x, axis) if reverse else x, axis, 0)
    expected = oracle(lines, axis=0)
    if not inclusive:
        expected = np.concatenate([np.full_like(expected[:1], start), expected[:-1]])
    expected = np.moveaxis(expected, 0, axis)

    result = getattr(mx, name)(mx.array(x), axis, reverse=reverse, inclusive=inclusive)

    assert_close(result, np.flip(expected, axis) if reverse else expected)


def test_a_scan_without_axis_runs_over_the_flattened_array():
    x = floats((2, 3), seed=1)

    assert_close(mx.cumsum(mx.array(x)), np.cumsum(x))


def test_a_scan_converts_before_it_runs():
    result = mx.cumsum(mx.array([200, 200], dtype=mx.uint8), dtype=mx.int32)

    assert result.dtype == mx.int32
    assert result.tolist() == [200, 400]


@given(n=st.integers(0, 4), axis=st.integers(-2, 1), seed=SEEDS)
def test_diff_agrees_with_numpy(n, axis, seed):
    x = ints((3, 4), seed)

    assert_close(mx.diff(mx.array(x), n, axis), np.diff(x, n, axis))


def test_diff_of_bool_is_where_neighbours_differ():
    assert mx.diff(mx.array([True, False, False])).tolist() == [True, False]


def test_diff_refuses_what_cannot_be():
    with pytest.raises(ValueError, match="n must not be negative, got -1"):
        mx.diff(mx.array([1, 2]), -1)
    with pytest.raises(IndexError, match="axis 1"):
        mx.diff(mx.array([1, 2]), axis=1)
