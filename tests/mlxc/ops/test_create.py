"""New arrays, with numpy as the oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.assert_close import assert_close
from support.draw import SHAPES

import mlxc as mx


@given(shape=SHAPES)
def test_constant_arrays_have_the_shape_and_value(shape):
    assert_close(mx.zeros(shape), np.zeros(shape))
    assert_close(mx.ones(shape), np.ones(shape))
    assert_close(mx.full(shape, 7), np.full(shape, 7))


@pytest.mark.parametrize("create", [mx.zeros, mx.ones], ids=["zeros", "ones"])
def test_a_constant_array_is_float32_unless_asked(create):
    assert create(3).dtype == create(3, None).dtype == mx.float32
    assert create(3, mx.int8).dtype == mx.int8
    assert create([3]).shape == (3,)


def test_full_takes_the_type_of_its_value():
    assert mx.full(2, 1).dtype == mx.int32
    assert mx.full(2, 1.5).dtype == mx.float32
    assert mx.full(2, 1, mx.float16).dtype == mx.float16
    assert_close(mx.full((2, 3), mx.array([1, 2, 3])), np.full((2, 3), [1, 2, 3]))


def test_like_takes_shape_and_type_of_another():
    a = mx.ones((2, 3), mx.float16)

    for result in (mx.zeros_like(a), mx.ones_like(a), mx.full_like(a, 2)):
        assert (result.shape, result.dtype) == (a.shape, a.dtype)
    assert mx.zeros_like(a, mx.int8).dtype == mx.ones_like(a, mx.int8).dtype == mx.int8
    assert mx.full_like(a, 2.5, mx.float32).tolist() == [[2.5] * 3] * 2


def test_a_shape_that_is_no_integer_is_named():
    with pytest.raises(TypeError, match="shape must be"):
        mx.zeros("2")
    with pytest.raises(ValueError, match="[Nn]egative"):
        mx.zeros(-1)


@pytest.mark.parametrize(
    "arguments",
    [(3,), (3.0,), (1, 3), (1.0, 3), (1, 3, 0.5), (5, 0, -2), (0, 5, -1), (2**40, 2**40 + 2)],
)
def test_arange_agrees_with_numpy(arguments):
    assert_close(mx.arange(*arguments), np.arange(*arguments))


@pytest.mark.parametrize(
    ("arguments", "dtype"),
    [
        ((3,), mx.int32),
        ((3.0,), mx.float32),
        ((0, 3, 0.5), mx.float32),
        ((2**31 - 1,), mx.int32),
        ((0, 2**31, 2**30), mx.int64),
        ((0, 3, 1, mx.float16), mx.float16),
        ((3, None, mx.int8), mx.int8),
        ((3, 2, mx.int8), mx.int8),
    ],
    ids=str,
)
def test_arange_chooses_the_type_by_its_arguments(arguments, dtype):
    assert mx.arange(*arguments).dtype == dtype


def test_arange_takes_its_arguments_by_name():
    assert mx.arange(stop=3).tolist() == [0, 1, 2]
    assert mx.arange(3, step=2).tolist() == [0, 2]
    assert mx.arange(start=1, stop=3).tolist() == [1, 2]
    assert mx.arange(3, dtype=mx.int8).dtype == mx.int8


@pytest.mark.parametrize("arguments", [(0, 3, 0), (float("nan"),), (True,), (1e30,)])
def test_arange_refuses_what_it_cannot_count(arguments):
    with pytest.raises(ValueError, match="arange"):
        mx.arange(*arguments)


@given(num=st.integers(0, 7), endpoint=st.booleans())
def test_linspace_agrees_with_numpy(num, endpoint):
    assert_close(mx.linspace(-1, 2, num, endpoint), np.linspace(-1, 2, num, endpoint))


def test_linspace_converts_to_its_type():
    assert mx.linspace(0, 10, 5, dtype=mx.int32).tolist() == [0, 2, 5, 7, 10]
