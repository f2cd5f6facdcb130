"""Elements reversed, shifted, repeated and padded, with numpy as the oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.assert_close import assert_close
from support.draw import ints

import mlxc as mx

X = ints((3, 4), seed=1)
A = mx.array(X)
# MLX < 0.32 has no such modes.
REFLECTIONS = [pytest.param(mode, marks=pytest.mark.native) for mode in ("reflect", "symmetric")]


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1), ()])
def test_flip_agrees_with_numpy(axis):
    assert_close(mx.flip(A, axis), np.flip(X, axis))


def test_flip_refuses_an_axis_out_of_bounds():
    with pytest.raises(IndexError, match="axis 2"):
        mx.flip(A, 2)


@pytest.mark.parametrize("shift", [0, 1, -2, 7])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)])
def test_roll_agrees_with_numpy(shift, axis):
    assert_close(mx.roll(A, shift, axis), np.roll(X, shift, axis))


def test_roll_takes_a_shift_for_each_axis():
    assert_close(mx.roll(A, (1, 2), (0, 1)), np.roll(X, (1, 2), (0, 1)))
    with pytest.raises(ValueError, match="shift must be one integer or 2"):
        mx.roll(A, (1, 2, 3), (0, 1))


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_repeat_agrees_with_numpy(axis):
    assert_close(mx.repeat(A, 2, axis), np.repeat(X, 2, axis))


@pytest.mark.parametrize("reps", [2, (2,), (2, 1), (2, 1, 3), ()])
def test_tile_agrees_with_numpy(reps):
    assert_close(mx.tile(A, reps), np.tile(X, reps))


@pytest.mark.parametrize("mode", ["constant", "edge", *REFLECTIONS])
@given(width=st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * 2))
def test_pad_agrees_with_numpy(mode, width):
    assert_close(mx.pad(A, width, mode), np.pad(X, width, mode))


@pytest.mark.parametrize("width", [1, (1,), (1, 2), [1, 2], ((1, 2),), [(1, 2), (0, 3)]])
def test_pad_takes_every_form_of_width(width):
    assert_close(mx.pad(A, width), np.pad(X, width))


def test_pad_converts_its_value_to_the_type_of_the_array():
    assert_close(mx.pad(A, 1, constant_values=7.5), np.pad(X, 1, constant_values=7))


@pytest.mark.parametrize("width", [(1, 2, 3), [(1, 2)] * 3, [(1, 2, 3), (1, 2, 3)], -1])
def test_pad_refuses_widths_that_do_not_fit(width):
    with pytest.raises(ValueError, match="(?i)pad"):
        mx.pad(A, width)


def test_pad_refuses_an_unknown_mode():
    with pytest.raises(ValueError, match="wrap"):
        mx.pad(A, 1, "wrap")
