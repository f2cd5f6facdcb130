"""Boolean arrays in an index, with numpy as the oracle."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import mlxc as mx

SHAPE = (3, 4, 5)


def numbered(shape=SHAPE):
    return np.arange(np.prod(shape), dtype=np.int32).reshape(shape)


@st.composite
def keys_with_masks(draw):
    """Keys of `SHAPE` in which at least one part is a mask."""
    key, axis, masks = [], 0, 0
    broadcast = draw(st.integers(0, 3))  # how many elements each mask and array selects
    while axis < len(SHAPE):
        kind = draw(st.sampled_from(["mask", "mask", "slice", "array", "int", "new"]))
        if kind == "mask":
            depth = draw(st.integers(1, len(SHAPE) - axis))
            lengths = SHAPE[axis : axis + depth]
            size = int(np.prod(lengths))
            chosen = draw(st.permutations(range(size)))[: min(broadcast, min(SHAPE))]
            mask = np.zeros(size, bool)
            mask[chosen] = True
            key.append(mask.reshape(lengths))
            axis, masks = axis + depth, masks + 1
        elif kind == "slice":
            key.append(draw(st.slices(SHAPE[axis])))
            axis += 1
        elif kind == "array":
            entries = st.integers(-SHAPE[axis], SHAPE[axis] - 1)
            count = min(broadcast, min(SHAPE))
            values = draw(st.lists(entries, min_size=count, max_size=count))
            key.append(np.array(values, dtype=np.int32))
            axis += 1
        elif kind == "int":
            key.append(draw(st.integers(-SHAPE[axis], SHAPE[axis] - 1)))
            axis += 1
        else:
            key.append(None)
        if draw(st.booleans()):
            break
    assume(masks)
    if draw(st.booleans()):
        key.append(...)
    return tuple(key)


def with_mlx_arrays(key):
    return tuple(mx.array(part) if isinstance(part, np.ndarray) else part for part in key)


@given(keys_with_masks())
def test_masks_among_other_indices_read_as_in_numpy(key):
    a = numbered()

    result = mx.array(a)[with_mlx_arrays(key)]

    assert np.array_equal(np.asarray(result), a[key])


@given(keys_with_masks(), st.booleans())
def test_masks_among_other_indices_write_as_in_numpy(key, scalar):
    a = numbered()
    b = mx.array(a)
    shape = () if scalar else a[key].shape
    value = -1 - np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    assume(is_unique(key))

    b[with_mlx_arrays(key)] = mx.array(value)
    a[key] = value

    assert np.array_equal(np.asarray(b), a)


def is_unique(key):
    """Whether no element is written twice, where the order would count."""
    counts = np.zeros(SHAPE, np.int32)
    np.add.at(counts, key, 1)
    return counts.max(initial=0) <= 1


@given(hnp.arrays(np.bool_, hnp.array_shapes(min_dims=1, max_dims=3, min_side=0)), st.data())
def test_one_mask_reads_and_writes_as_in_numpy(mask, data):
    left = data.draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3))
    a = numbered((*mask.shape, *left))
    b = mx.array(a)
    chosen = a[mask]
    shape = data.draw(
        st.sampled_from([(), left, chosen.shape, (1, *left), (len(chosen), *[1] * len(left))])
    )
    value = -1 - np.arange(np.prod(shape), dtype=np.int32).reshape(shape)

    assert np.array_equal(np.asarray(b[mx.array(mask)]), chosen)
    b[mx.array(mask)] = mx.array(value)
    a[mask] = value
    assert np.array_equal(np.asarray(b), a)


@pytest.mark.parametrize("key", [True, False, np.True_, mx.array(False)], ids=repr)
def test_a_mask_without_axes_adds_one(key):
    a = numbered((2, 3))
    bare = bool(key)

    assert np.array_equal(np.asarray(mx.array(a)[key]), a[bare])
    b = mx.array(a)
    b[key] = 7
    a[bare] = 7
    assert np.array_equal(np.asarray(b), a)


@pytest.mark.parametrize("mask", [[True, False, True], np.array([True, False, True])], ids=repr)
def test_lists_and_numpy_arrays_of_booleans_are_masks(mask):
    a = mx.array([1, 2, 3])

    assert a[mask].tolist() == [1, 3]
    a[mask] = 0
    assert a.tolist() == [0, 2, 0]


@pytest.mark.parametrize("mask", [mx.zeros((2,), mx.bool_), mx.zeros((3, 1), mx.bool_)], ids=repr)
def test_a_mask_of_another_shape_is_a_value_error(mask):
    a = mx.zeros((3, 4))

    with pytest.raises(ValueError, match="mask has shape"):
        a[mask]
    with pytest.raises(ValueError, match="mask has shape"):
        a[mask] = 1


def test_an_assignment_through_a_mask_takes_the_values_in_order():
    a = mx.zeros((2, 3))

    a[mx.array([[True, False, True], [False, True, False]])] = mx.array([1.0, 2.0, 3.0])

    assert a.tolist() == [[1, 0, 2], [0, 3, 0]]


def test_an_assignment_through_a_mask_is_differentiated():
    def loss(x):
        y = x * 2
        y[mx.array([True, False])] = 0
        return y.sum()

    assert mx.grad(loss)(mx.array([1.0, 1.0])).tolist() == [0, 2]


def test_a_read_through_a_mask_is_differentiated():
    mask = mx.array([True, False, True])

    gradient = mx.grad(lambda x: (x[mask] ** 2).sum())(mx.array([1.0, 2.0, 3.0]))

    assert gradient.tolist() == [2, 0, 6]
