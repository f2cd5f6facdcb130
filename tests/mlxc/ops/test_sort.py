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
    with pytest.raises(ValueError, match="1-D"):
        searchsorted(mx.ones((2, 2)), mx.array(1.0))
    with pytest.raises(ValueError, match="side"):
        searchsorted(mx.ones((2,)), mx.array(1.0), "middle")


# --- unique ---


@pytest.mark.native
@given(n=st.integers(0, 9), size=st.integers(0, 12), seed=SEEDS)
def test_unique_gives_the_elements_of_numpy_filled_up_or_cut(n, size, seed):
    x = ints((n,), seed, 0, 6)
    values, index, counts = np.unique(x, return_index=True, return_counts=True)
    rest = max(size - len(values), 0)

    found, where, often = mx.unique(
        mx.array(x), size, return_index=True, return_counts=True, fill_value=77
    )

    assert (found.dtype, where.dtype, often.dtype) == (mx.int32, mx.uint32, mx.int32)
    assert found.tolist() == [*values[:size].tolist(), *[77] * rest]
    assert where.tolist()[: len(values)] == index[:size].tolist()
    assert often.tolist() == [*counts[:size].tolist(), *[0] * rest]


@pytest.mark.native
@given(n=st.integers(1, 4), seed=SEEDS)
def test_unique_tells_how_to_rebuild_its_argument(n, seed):
    x = ints((n, 3), seed, 0, 6)

    found, inverse = mx.unique(mx.array(x), 6, return_inverse=True)

    assert inverse.shape == x.shape
    assert mx.take(found, inverse).tolist() == x.tolist()


@pytest.mark.native
def test_unique_fills_up_with_the_smallest_element():
    assert mx.unique(mx.array([3, 1, 1]), 4).tolist() == [1, 3, 1, 1]
    assert mx.unique(mx.array([3.0, 1.0]), 3, fill_value=mx.array(0.5)).tolist() == [1, 3, 0.5]
    assert mx.unique(mx.array([True, False, True]), 2, stream=mx.cpu).tolist() == [False, True]


@pytest.mark.native
def test_unique_takes_every_nan_for_another():
    found, counts = mx.unique(mx.array([np.nan, 1.0, np.nan]), 3, return_counts=True)

    np.testing.assert_array_equal(np.array(found), [1, np.nan, np.nan])
    assert counts.tolist() == [1, 1, 1]


@pytest.mark.native
@pytest.mark.parametrize(
    ("values", "size", "fill", "words"),
    [
        ([1], -1, None, "negative size -1"),
        ([], 2, None, "A fill value is required"),
        ([1], 2, [1, 2], "must have one element"),
    ],
)
def test_unique_refuses_what_it_cannot_fill(values, size, fill, words):
    with pytest.raises(ValueError, match=words):
        mx.unique(mx.array(values), size, fill_value=fill if fill is None else mx.array(fill))
