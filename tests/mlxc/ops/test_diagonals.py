"""Diagonals and triangles, with numpy as the oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.assert_close import assert_close
from support.draw import floats, ints

import mlxc as mx

X = ints((2, 3, 4), seed=1)
A = mx.array(X)


@given(n=st.integers(1, 4), m=st.none() | st.integers(1, 4), k=st.integers(-3, 3))
def test_diagonal_matrices_agree_with_numpy(n, m, k):
    assert_close(mx.eye(n, m, k), np.eye(n, m, k))
    assert_close(mx.tri(n, m, k), np.tri(n, m, k))
    assert_close(mx.identity(n), np.identity(n))


@pytest.mark.parametrize("k", [-1, 0, 2])
def test_triangles_agree_with_numpy(k):
    x = ints((2, 3, 4), seed=1)

    assert_close(mx.tril(mx.array(x), k), np.tril(x, k))
    assert_close(mx.triu(mx.array(x), k), np.triu(x, k))


@pytest.mark.parametrize("offset", [-2, 0, 1])
def test_diagonals_agree_with_numpy(offset):
    assert_close(mx.diagonal(A, offset, 1, 2), X.diagonal(offset, 1, 2))
    assert_close(mx.diag(A[0], offset), np.diag(X[0], offset))
    assert_close(mx.diag(A[0, 0], offset), np.diag(X[0, 0], offset))


@pytest.mark.parametrize("offset", [-1, 0, 2])
def test_trace_agrees_with_numpy(offset):
    x = floats((2, 3, 4), seed=8)

    assert_close(mx.trace(mx.array(x), offset, 1, 2), np.trace(x, offset, 1, 2))


def test_the_trace_of_a_diagonal_outside_of_the_matrices_is_zero():
    assert mx.trace(mx.arange(24).reshape(2, 3, 4), 3).tolist() == [0, 0, 0, 0]


def test_trace_sums_in_the_wanted_type():
    assert mx.trace(mx.eye(2, dtype=mx.int32), dtype=mx.float16).dtype == mx.float16
