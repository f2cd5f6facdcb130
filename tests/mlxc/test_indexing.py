"""Reading and writing parts of arrays, with numpy as the oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import mlxc as mx

SHAPE = (3, 4, 5)


def numbered(shape=SHAPE):
    return np.arange(np.prod(shape), dtype=np.int32).reshape(shape)


BASIC = [
    0,
    -1,
    slice(1, 3),
    slice(None, None, -1),
    slice(2, 0, -1),
    slice(10, 20),
    slice(None, None, 2),
    None,
    ...,
    (0, 1),
    (0, 1, 2),
    (slice(None), 0),
    (..., 0),
    (0, ...),
    (None, 0),
    (0, None, slice(1, 3)),
    (slice(None), None, slice(None), 2, None),
    (slice(0, 2), slice(None, None, -2), slice(3, 0, -1)),
]


@pytest.mark.parametrize("key", BASIC, ids=repr)
def test_basic_index_reads_as_numpy_does(key):
    a = numbered()

    assert np.array_equal(np.asarray(mx.array(a)[key]), a[key])


@pytest.mark.parametrize("key", BASIC, ids=repr)
def test_basic_index_writes_a_scalar_as_numpy_does(key):
    a = numbered()
    b = mx.array(a)

    b[key] = 7
    a[key] = 7

    assert np.array_equal(np.asarray(b), a)


@pytest.mark.parametrize("key", BASIC, ids=repr)
def test_basic_index_writes_an_array_as_numpy_does(key):
    a = numbered()
    b = mx.array(a)
    value = -np.arange(a[key].size, dtype=np.int32).reshape(a[key].shape)

    b[key] = mx.array(value)
    a[key] = value

    assert np.array_equal(np.asarray(b), a)


@given(hnp.basic_indices(SHAPE, allow_newaxis=True, allow_ellipsis=True, max_dims=6))
def test_any_basic_index_reads_as_numpy_does(key):
    a = numbered()

    assert np.array_equal(np.asarray(mx.array(a)[key]), a[key])


@given(hnp.basic_indices(SHAPE, allow_newaxis=True, allow_ellipsis=True, max_dims=6))
def test_any_basic_index_writes_as_numpy_does(key):
    a = numbered()
    b = mx.array(a)
    value = -np.arange(a[key].size, dtype=np.int32).reshape(a[key].shape)

    b[key] = mx.array(value)
    a[key] = value

    assert np.array_equal(np.asarray(b), a)


ROW, COLUMN = np.array([0, 2]), np.array([[1], [3]])

GATHERED = [
    (ROW,),
    (COLUMN % 3,),
    (slice(None), ROW),
    (..., ROW),
    (ROW, ROW),
    (ROW, COLUMN),
    (slice(None), ROW, COLUMN),
    (ROW, slice(None), COLUMN),
    (slice(1, 3), ROW),
    (None, ROW),
    (ROW, None, COLUMN),
    (ROW, ROW, None),
    (0, ROW),
    (ROW, 0),
    (0, ROW, COLUMN),
    (np.array(1), slice(None)),
]


@pytest.mark.parametrize("key", GATHERED, ids=repr)
def test_integer_arrays_gather_as_in_numpy(key):
    a = numbered()

    result = mx.array(a)[with_mlx_arrays(key)]

    assert np.array_equal(np.asarray(result), a[key])


@pytest.mark.parametrize("key", GATHERED, ids=repr)
def test_integer_arrays_scatter_as_in_numpy(key):
    a = numbered()
    b = mx.array(a)
    value = -np.arange(a[key].size, dtype=np.int32).reshape(a[key].shape)

    b[with_mlx_arrays(key)] = mx.array(value)
    a[key] = value

    assert np.array_equal(np.asarray(b), a)


@pytest.mark.parametrize("key", GATHERED, ids=repr)
def test_a_scalar_scatters_as_in_numpy(key):
    a = numbered()
    b = mx.array(a)

    b[with_mlx_arrays(key)] = -1
    a[key] = -1

    assert np.array_equal(np.asarray(b), a)


def with_mlx_arrays(key):
    parts = tuple(mx.array(part) if isinstance(part, np.ndarray) else part for part in key)
    return parts[0] if len(parts) == 1 else parts


def test_a_list_of_integers_is_an_integer_array():
    a = numbered()

    assert np.array_equal(np.asarray(mx.array(a)[[2, 0]]), a[[2, 0]])


@given(st.integers(-(2**40), 2**40).filter(lambda i: not -3 <= i < 3))
def test_an_integer_outside_of_the_axis_is_an_index_error(index):
    with pytest.raises(IndexError, match="out of bounds for axis 0 with size 3"):
        mx.array(numbered())[index]


@pytest.mark.parametrize(
    "key", [(0, 0, 0, 0), (..., ...), "x", 1.5, mx.array([0.5])], ids=lambda k: str(k)
)
def test_what_is_no_index_is_a_value_error(key):
    with pytest.raises(ValueError, match="[Ii]nd(ex|ices)|[Cc]annot index"):
        mx.array(numbered())[key]


def test_a_value_of_the_wrong_shape_leaves_the_array_as_it_was():
    a = mx.array(numbered())

    with pytest.raises(ValueError):
        a[0] = mx.zeros((7,))

    assert np.array_equal(np.asarray(a), numbered())


def test_a_view_taken_before_a_write_keeps_the_old_values():
    a = mx.array([1, 2, 3])
    before = memoryview(a)

    a[0] = 9

    assert before.tolist() == [1, 2, 3]
    assert a.tolist() == [9, 2, 3]


def test_a_view_and_a_copy_do_not_follow_a_write():
    a = mx.array([1, 2, 3])
    head, copy = a[:2], a + 0

    a[0] = 9

    assert head.tolist() == [1, 2]
    assert copy.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "key", [np.int64(2), (np.int32(1), ..., np.uint8(3)), (slice(1), np.int64(0))]
)
def test_a_numpy_integer_counts_as_an_integer(key):
    a = numbered()
    b = mx.array(a)

    assert np.array_equal(np.asarray(b[key]), a[key])
    b[key] = 7
    a[key] = 7
    assert np.array_equal(np.asarray(b), a)


@pytest.mark.parametrize("key", [0, slice(None), mx.array([0])], ids=repr)
def test_an_array_without_axes_has_no_parts(key):
    with pytest.raises(ValueError, match="Too many indices"):
        mx.array(1)[key]


@given(st.integers(0, 4), st.data())
def test_any_slice_reads_and_writes_as_numpy_does(length, data):
    bound = st.none() | st.integers(-7, 7)
    step = st.none() | st.integers(-7, 7).filter(bool)
    first = slice(data.draw(bound), data.draw(bound), data.draw(step))
    a = numbered((length, 2))

    for key in (first, (first, slice(None)), (first, np.array([1, 0]))):
        b, expected = mx.array(a), a.copy()
        mlx_key = with_mlx_arrays(key) if isinstance(key, tuple) else key
        assert np.array_equal(np.asarray(b[mlx_key]), a[key])
        b[mlx_key] = 9
        expected[key] = 9
        assert np.array_equal(np.asarray(b), expected)


@pytest.mark.parametrize("key", [[0, 3], [-4], ([0, 1], [0, 4]), (slice(None), [[4]]), (..., [-5])])
def test_integers_in_lists_and_numpy_arrays_are_checked(key):
    a = mx.zeros((3, 4))
    as_numpy = tuple(np.array(part) if isinstance(part, list) else part for part in key)

    for wrong in (key, as_numpy if isinstance(key, tuple) else np.array(key)):
        with pytest.raises(IndexError, match="out of bounds for axis"):
            a[wrong]
        with pytest.raises(IndexError, match="out of bounds for axis"):
            a[wrong] = 1
        with pytest.raises(IndexError, match="out of bounds for axis"):
            a.at[wrong].add(1)

    assert not a.any()


SLICES = [
    slice(None),
    slice(1, 3),
    slice(-2, None),
    slice(5, 2),
    slice(0, 99),
    slice(None, None, 1),
]


@pytest.mark.parametrize("first", SLICES, ids=repr)
@pytest.mark.parametrize("second", [None, *SLICES], ids=repr)
def test_slices_alone_read_and_write_as_numpy_does(first, second):
    key = (first,) if second is None else (slice(None), first, second)
    x = np.arange(60, dtype=np.float32).reshape(3, 4, 5)
    a = mx.array(x)
    before = a[...]

    np.testing.assert_array_equal(a[key], x[key])
    assert a[key] is not a

    a[key] = -1
    x[key] = -1
    np.testing.assert_array_equal(a, x)
    assert before.sum().item() == 1770


def test_what_no_slice_can_be_is_refused_beside_slices():
    a = mx.zeros((2, 3))

    for key in [(slice(None), slice("a", None)), (slice(None),) * 3, (slice(None), slice(0, 1, 0))]:
        with pytest.raises(ValueError):
            a[key]
        with pytest.raises(ValueError):
            a[key] = 1
    with pytest.raises(ValueError):
        a[:, 0:2] = mx.zeros((2, 3))
