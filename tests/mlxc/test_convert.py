"""Python data to arrays and back."""

import gc
import math
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import mlxc as mx

NUMPY_TYPES = [
    np.bool_,
    np.uint8,
    np.uint16,
    np.uint32,
    np.uint64,
    np.int8,
    np.int16,
    np.int32,
    np.int64,
    np.float16,
    np.float32,
    np.complex64,
]


@pytest.mark.parametrize(
    ("value", "dtype", "shape"),
    [
        (True, mx.bool_, ()),
        (3, mx.int32, ()),
        (2**31, mx.int64, ()),
        (2.5, mx.float32, ()),
        (1j, mx.complex64, ()),
        ([1, 2], mx.int32, (2,)),
        ((1, 2), mx.int32, (2,)),
        ([1, 2**40], mx.int64, (2,)),
        ([True, 1], mx.int32, (2,)),
        ([1, 2.5, True], mx.float32, (3,)),
        ([1, 1j], mx.complex64, (2,)),
        ([], mx.float32, (0,)),
        ([[]], mx.float32, (1, 0)),
        ([[1, 2], [3, 4]], mx.int32, (2, 2)),
    ],
    ids=repr,
)
def test_python_data_gets_the_type_that_mlx_gives_it(value, dtype, shape):
    a = mx.array(value)

    assert a.dtype is dtype
    assert a.shape == shape
    assert np.array_equal(np.asarray(a), np.asarray(value))


@given(hnp.arrays(st.sampled_from(NUMPY_TYPES), hnp.array_shapes(min_dims=0, min_side=0)))
def test_a_numpy_array_comes_back_as_it_went_in(a):
    back = np.asarray(mx.array(a))

    assert back.dtype == a.dtype
    assert np.array_equal(back, a, equal_nan=a.dtype.kind in "fc")


@given(hnp.arrays(np.int32, hnp.array_shapes(max_dims=3)), st.data())
def test_a_strided_numpy_array_keeps_its_order(a, data):
    view = data.draw(st.sampled_from([a.T, a[::-1], a[..., ::2], np.asfortranarray(a)]))

    assert np.array_equal(np.asarray(mx.array(view)), view)


def test_numpys_float64_becomes_float32_unless_asked_for():
    a = np.array([1.1, 2.2])

    assert mx.array(a).dtype is mx.float32
    assert mx.array(a, dtype=mx.float64).tolist() == a.tolist()


def test_a_big_endian_numpy_array_keeps_its_values():
    assert mx.array(np.array([1, 2], dtype=">i4")).tolist() == [1, 2]


def test_bytes_are_uint8():
    a = mx.array(b"ab")

    assert a.dtype is mx.uint8
    assert a.tolist() == [97, 98]


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        ([1.7, -1.7], mx.int32, [1, -1]),
        ([300], mx.uint8, [44]),
        (3, mx.float16, 3.0),
        (True, mx.float32, 1.0),
        ([1, 2], mx.bool_, [True, True]),
        (2**63 + 1, mx.uint64, 2**63 + 1),
        ([0.1], mx.float64, [0.1]),
    ],
    ids=repr,
)
def test_a_given_dtype_converts(value, dtype, expected):
    a = mx.array(value, dtype=dtype)

    assert a.dtype is dtype
    assert a.tolist() == expected


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ([[1], [1, 2]], ValueError),
        ([1, [2]], ValueError),
        ("text", ValueError),
        ([None], ValueError),
        (object(), ValueError),
        (np.array(["a"]), ValueError),
        (2**70, OverflowError),
        ([1.0, 2, 2**70, 1j, "x"], ValueError),
    ],
    ids=repr,
)
def test_what_is_no_data_is_refused(value, error):
    with pytest.raises(error):
        mx.array(value)


def test_arrays_in_a_list_are_stacked_in_their_common_type():
    a = mx.array([mx.array([1, 2]), mx.array([3.5, 4.5])])

    assert a.dtype is mx.float32
    assert a.tolist() == [[1, 2], [3.5, 4.5]]


@given(st.floats(width=16) | st.floats(width=32))
@pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16], ids=repr)
def test_a_python_float_rounds_to_half_types_as_mlx_casts_it(dtype, value):
    direct = mx.array(value, dtype=dtype).view(mx.uint16).item()
    cast = mx.array(value, dtype=mx.float32).astype(dtype).view(mx.uint16).item()

    assert direct == cast or math.isnan(value)


@given(hnp.arrays(st.sampled_from(NUMPY_TYPES), hnp.array_shapes(min_dims=0, min_side=0)))
def test_tolist_gives_the_elements(a):
    expected = a.tolist()

    assert same(mx.array(a).tolist(), expected)


def same(left, right):
    if isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right or (left != left and right != right)


@pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16], ids=repr)
def test_half_types_read_as_floats(dtype):
    assert mx.array([0.5, -2.0], dtype=dtype).tolist() == [0.5, -2.0]
    assert mx.array(0.5, dtype=dtype).item() == 0.5


def test_item_of_several_elements_is_a_value_error():
    with pytest.raises(ValueError, match="length-1"):
        mx.array([1, 2]).item()


def test_asarray_and_memoryview_share_the_memory():
    a = mx.arange(6).reshape(2, 3)

    view, memory = np.asarray(a), memoryview(a)

    assert view.__array_interface__["data"] == np.asarray(a).__array_interface__["data"]
    assert (memory.shape, memory.format, memory.tolist()) == ((2, 3), "i", [[0, 1, 2], [3, 4, 5]])


def test_a_view_of_a_transposed_array_has_its_strides():
    a = mx.arange(6).reshape(2, 3).T

    view = np.asarray(a)

    assert view.strides == (4, 12)
    assert view.tolist() == [[0, 3], [1, 4], [2, 5]]


def test_a_view_keeps_the_array_alive():
    view = np.asarray(mx.ones((1000,)) * 3)
    gc.collect()
    mx.clear_cache()
    mx.eval([mx.zeros((1000,)) + i for i in range(10)])

    assert (view == 3).all()


def test_a_copy_is_independent():
    a = mx.array([1, 2])

    copy = np.array(a)
    copy[0] = 9

    assert a.tolist() == [1, 2]


def test_bfloat16_has_no_buffer_and_says_what_to_do():
    with pytest.raises(BufferError, match="astype"):
        memoryview(mx.array([1.0], dtype=mx.bfloat16))


@pytest.mark.native  # MLX < 0.32 aborts
def test_an_error_of_the_evaluation_comes_out_of_the_buffer():
    broken = mx.linalg.inv(mx.zeros((2, 2)), stream=mx.cpu)

    with pytest.raises(RuntimeError, match="LU factorization failed"):
        memoryview(broken)


def test_arrays_can_be_referenced_weakly():
    a = mx.array(1)
    reference = weakref.ref(a)

    del a

    assert reference() is None


@pytest.mark.parametrize(
    ("a", "text"),
    [
        (mx.array(1.5), "array(1.5, dtype=float32)"),
        (mx.array([True, False]), "array([True, False], dtype=bool)"),
        (mx.array([[1, 2], [3, 4]]), "array([[1, 2],\n       [3, 4]], dtype=int32)"),
        (mx.array([]), "array([], dtype=float32)"),
        (mx.array([1 + 2j]), "array([1+2j], dtype=complex64)"),
    ],
    ids=str,
)
def test_repr_reads_as_users_know_it(a, text):
    assert repr(a) == text


def test_a_list_in_itself_is_refused():
    one, two, ragged = [], [], [1]
    one.append(one), two.extend([two, two]), ragged.append(ragged)

    for values in (one, two, ragged, (one,), [[two], [two]]):
        with pytest.raises(ValueError):
            mx.array(values)
        with pytest.raises(ValueError):
            mx.ones(3)[values if isinstance(values, list) else [values]]


def test_lists_are_nested_at_most_as_deep_as_buffers():
    def nested(depth):
        return [nested(depth - 1)] if depth else 1.5

    assert mx.array(nested(64)).tolist() == nested(64)
    with pytest.raises(ValueError, match="at most 64 deep"):
        mx.array(nested(65))


def test_a_list_that_lies_about_its_length_is_read_as_it_is():
    class Longer(list):
        def __len__(self):
            return 10**9

    assert mx.array(Longer([1, 2])).tolist() == [1, 2]
    with pytest.raises(ValueError, match="non-uniform"):
        mx.array([Longer([1, 2])])


def test_a_list_that_changes_while_it_is_read_is_read_as_it_was():
    class Clearing(int):
        def __float__(self):
            values.clear()
            return 7.0

    values = [Clearing(1), 2.5, 3.5]

    assert mx.array(values).tolist()[1:] == [2.5, 3.5]
