"""Arrays made of several, with numpy as the oracle."""

import numpy as np
import pytest
from support.assert_close import assert_close
from support.draw import ints

import mlxc as mx

X, Y = ints((2, 3), seed=1), ints((2, 3), seed=2)
A, B = mx.array(X), mx.array(Y)


@pytest.mark.parametrize("axis", [0, 1, -1, None])
def test_concatenate_agrees_with_numpy(axis):
    assert_close(mx.concatenate([A, B], axis), np.concatenate([X, Y], axis))


def test_concatenate_promotes_the_types():
    assert mx.concatenate([mx.ones((1,), mx.float16), mx.ones((1,), mx.int32)]).dtype == mx.float16


def test_concatenate_takes_any_iterable():
    assert_close(mx.concatenate(part for part in (A, B)), np.concatenate([X, Y]))
    assert_close(mx.concatenate(mx.stack([A, B])), np.concatenate([X, Y]))


def test_concatenating_nothing_is_refused():
    with pytest.raises(ValueError, match="No arrays"):
        mx.concatenate([])


def test_concatenate_refuses_other_lengths():
    with pytest.raises(ValueError):
        mx.concatenate([A, B.T])


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_stack_agrees_with_numpy(axis):
    assert_close(mx.stack([A, B], axis), np.stack([X, Y], axis))


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("indexing", ["xy", "ij"])
def test_meshgrid_agrees_with_numpy(sparse, indexing):
    axes = [np.arange(2), np.arange(3), np.arange(4)]

    grid = mx.meshgrid(*map(mx.array, axes), sparse=sparse, indexing=indexing)

    expected = np.meshgrid(*axes, sparse=sparse, indexing=indexing)
    for result, wanted in zip(grid, expected, strict=True):
        assert_close(result, wanted)


def test_meshgrid_of_nothing_is_empty():
    assert mx.meshgrid() == ()
