"""Order along an axis, with numpy as the oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.assert_close import assert_close
from support.draw import SEEDS, floats, ints

import mlxc as mx
from mlxc.ops.sort import searchsorted

AXES = st.none() | st.integers(-2, 1)


@given(axis=AXES, seed=SEEDS)
def test_sorting_agrees_with_numpy(axis, seed):
    x = floats((4, 5), seed)

    assert_close(mx.sort(mx.array(x), axis), np.sort(x, axis))
    indices = np.array(mx.argsort(mx.array(x), axis)).astype(np.int64)
    assert_close(mx.sort(mx.array(x), axis), np.take_along_axis(x, indices, axis))


@given(axis=AXES, kth=st.integers(-4, 3), seed=SEEDS)
def test_a_partition_has_the_kth_element_in_its_place(axis, kth, seed):
    x = floats((4, 5), seed)
    wanted = np.take(np.sort(x, axis), kth, axis)

    values = np.array(mx.partition(mx.array(x), kth, axis))
    indices = np.array(mx.argpartition(mx.array(x), kth, axis))

    lines = x.reshape(-1) if axis is None else x
    line = 0 if axis is None else axis
    np.testing.assert_array_equal(np.take(values, kth, line), wanted)
    chosen = np.take_along_axis(lines, indices.astype(np.int64), line)
    np.testing.assert_array_equal(np.take(chosen, kth, line), wanted)
    np.testing.assert_array_equal(np.sort(values, line), np.sort(x, axis))


@given(axis=AXES, k=st.integers(1, 4), seed=SEEDS)
def test_topk_gives_the_largest(axis, k, seed):
    x = floats((4, 5), seed)
    ordered = np.sort(x, axis)
    line = 0 if axis is None else axis
    wanted = np.take(ordered, np.arange(-k, 0), line)

    assert_close(mx.sort(mx.topk(mx.array(x), k, axis), line), wanted)


def test_topk_refuses_more_than_there_are():
    with pytest.raises(ValueError, match="k=3"):
        mx.topk(mx.array([1.0, 2.0]), 3)


@pytest.mark.parametrize("side", ["left", "right"])
@given(n=st.integers(0, 9), seed=SEEDS)
def test_searchsorted_agrees_with_numpy(side, n, seed):
    a, values = np.sort(ints((n,), seed)), ints((3, 4), seed + 1)

    result = searchsorted(mx.array(a), mx.array(values), side)

    assert result.dtype == mx.uint32
    assert_close(result, np.searchsorted(a, values, side))


def test_searchsorted_refuses_what_it_cannot_search():
    with pytest.raises(ValueError, match="one axis"):
        searchsorted(mx.ones((2, 2)), mx.array(1.0))
    with pytest.raises(ValueError, match="side must be 'left' or 'right', got 'middle'"):
        searchsorted(mx.ones((2,)), mx.array(1.0), "middle")
