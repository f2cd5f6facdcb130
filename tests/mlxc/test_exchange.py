"""Arrays to and from other libraries, files and text."""

import copy
import ctypes
import gc
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import mlxc as mx

TYPES = [
    mx.bool_,
    mx.uint8,
    mx.uint16,
    mx.uint32,
    mx.uint64,
    mx.int8,
    mx.int16,
    mx.int32,
    mx.int64,
    mx.float16,
    mx.float32,
    mx.float64,
    mx.bfloat16,
    mx.complex64,
]
NUMPY_TYPES = st.sampled_from(
    [np.bool_, np.uint8, np.int16, np.uint64, np.float16, np.float32, np.complex64]
)
ARRAYS = hnp.arrays(NUMPY_TYPES, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))


class Tensor:
    """What speaks DLPack and nothing else, in version 0 or 1."""

    def __init__(self, value, versioned):
        self.value, self.versioned, self.made = value, versioned, []

    def __dlpack_device__(self):
        return self.value.__dlpack_device__()

    def __dlpack__(self, **options):
        if not self.versioned and options:
            raise TypeError("version 0 has no options")
        self.made.append(self.value.__dlpack__(**options))
        return self.made[-1]


def same(left, right):
    return left.shape == right.shape and np.array_equal(
        np.asarray(left), np.asarray(right), equal_nan=right.dtype.kind in "fc"
    )


# --- DLPack ---------------------------------------------------------------------------


@given(ARRAYS, st.booleans(), st.data())
def test_dlpack_takes_any_strides(a, versioned, data):
    view = data.draw(st.sampled_from([a, a.T, a[..., ::-1] if a.ndim else a, a[None]]))

    assert same(mx.from_dlpack(Tensor(view, versioned)), view)


@given(ARRAYS)
def test_dlpack_gives_what_numpy_reads(a):
    b = mx.array(a)

    assert same(np.from_dlpack(b), a)
    assert same(np.from_dlpack(b.T), a.T)
    assert same(np.from_dlpack(b, copy=True), a)


@pytest.mark.parametrize("dtype", TYPES, ids=repr)
@pytest.mark.parametrize("versioned", [False, True])
def test_every_type_goes_through_dlpack(dtype, versioned):
    a = mx.array([[0, 1], [1, 1]]).astype(dtype, stream=mx.cpu)

    back = mx.asarray(Tensor(a, versioned), dtype)

    assert back.dtype is dtype
    assert back.tolist() == a.tolist()


def test_wide_types_become_narrow_ones():
    assert mx.from_dlpack(np.array([0.5, 2.5])).dtype is mx.float32
    narrowed = mx.from_dlpack(np.array([[1 + 2j, 3j], [4, 5]]).T)
    assert narrowed.dtype is mx.complex64
    assert narrowed.tolist() == [[1 + 2j, 4], [3j, 5]]


def test_an_object_with_dlpack_is_an_array_wherever_one_is_asked_for():
    tensor = Tensor(np.array([1.0, 2.0], np.float32), True)

    assert mx.array(tensor).tolist() == [1, 2]
    assert (mx.array([1.0, 1.0]) + tensor).tolist() == [2, 3]


def test_an_exported_array_shares_its_memory_until_the_last_reader_is_gone():
    a = mx.arange(1000) * 3
    view = np.from_dlpack(a)

    assert view.ctypes.data == np.asarray(a).ctypes.data
    assert not view.flags.writeable
    del a
    gc.collect()
    mx.eval([mx.zeros((1000,), mx.int32) + i for i in range(10)])
    assert view[999] == 2997


def test_an_exported_copy_may_be_written_to():
    a = mx.array([1, 2])

    view = np.from_dlpack(a, copy=True)
    view[0] = 9

    assert a.tolist() == [1, 2]


def test_a_capsule_that_nobody_takes_frees_its_array():
    before = mx.get_active_memory()
    for _ in range(3):
        mx.zeros((1 << 16,)).__dlpack__()
        mx.zeros((1 << 16,)).__dlpack__(max_version=(1, 0))
    gc.collect()

    assert mx.get_active_memory() <= before + (1 << 16)


def test_a_capsule_is_taken_once():
    capsule = mx.array([1]).__dlpack__()

    class Again:
        def __dlpack_device__(self):
            return (1, 0)

        def __dlpack__(self, **options):
            return capsule

    mx.from_dlpack(Again())
    with pytest.raises(ValueError, match="used before"):
        mx.from_dlpack(Again())


def test_the_data_is_on_the_cpu():
    a = mx.array([1])

    assert a.__dlpack_device__() == (1, 0)
    a.__dlpack__(dl_device=(1, 0))
    with pytest.raises(BufferError, match="dl_device"):
        a.__dlpack__(dl_device=(2, 0))


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: mx.from_dlpack([1, 2]), TypeError, "DLPack"),
        (lambda: mx.from_dlpack(np.array([1.5]), copy=False), ValueError, "copy"),
        (lambda: mx.asarray([1], copy=False), ValueError, "copy"),
        (lambda: mx.asarray(None), TypeError, "None"),
        (lambda: mx.asarray([1], dtype="float32"), TypeError, "dtype"),
    ],
)
def test_what_cannot_be_taken_is_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


class HandMade:
    """A DLPack tensor of version 0 over eight floats, described as one likes."""

    class Description(ctypes.Structure):
        _fields_ = [
            ("data", ctypes.c_void_p),
            ("device", ctypes.c_int32 * 2),
            ("ndim", ctypes.c_int32),
            ("code", ctypes.c_uint8),
            ("bits", ctypes.c_uint8),
            ("lanes", ctypes.c_uint16),
            ("shape", ctypes.c_void_p),
            ("strides", ctypes.c_void_p),
            ("byte_offset", ctypes.c_uint64),
            ("manager_ctx", ctypes.c_void_p),
            ("deleter", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
        ]

    def __init__(self, shape, ndim=None, device=1, code=2, bits=32, lanes=1, offset=0):
        self.released = 0
        self.data = (ctypes.c_float * 8)(*range(8))
        self.shape = (ctypes.c_int64 * 8)(*shape)
        self.description = self.Description(
            ctypes.addressof(self.data),
            (ctypes.c_int32 * 2)(device, 0),
            len(shape) if ndim is None else ndim,
            code,
            bits,
            lanes,
            ctypes.addressof(self.shape),
            None,
            offset,
            None,
            self.Description._fields_[-1][1](self.release),
        )

    def release(self, address):
        self.released += 1

    def __dlpack_device__(self):
        return (1, 0)

    def __dlpack__(self):
        new = ctypes.pythonapi.PyCapsule_New
        new.restype = ctypes.py_object
        new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        return new(ctypes.addressof(self.description), b"dltensor", None)


def test_an_offset_is_counted_in_bytes():
    tensor = HandMade([2, 3], offset=8)

    assert mx.from_dlpack(tensor).tolist() == [[2, 3, 4], [5, 6, 7]]
    assert tensor.released == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"shape": [-1]},
        {"shape": [2**40]},
        {"shape": [2**31 - 1] * 3},
        {"shape": [2], "ndim": -1},
        {"shape": [2], "ndim": 100},
        {"shape": [2], "lanes": 4},
        {"shape": [2], "bits": 8},
        {"shape": [2], "code": 9},
        {"shape": [2], "device": 2},
    ],
    ids=str,
)
def test_a_tensor_that_cannot_be_is_refused_and_released(wrong):
    tensor = HandMade(**wrong)

    with pytest.raises(ValueError, match="^x "):
        mx.from_dlpack(tensor)
    assert tensor.released == 1


@pytest.mark.reference
def test_torch_reads_and_is_read():
    import torch

    a = mx.array([[1.5, 2.0], [3.0, -1.0]], mx.bfloat16)

    tensor = torch.from_dlpack(a.T)

    assert tensor.dtype is torch.bfloat16
    assert tensor.tolist() == a.T.tolist()
    assert mx.array(tensor).dtype is mx.bfloat16
    assert mx.array(tensor[:, ::2]).tolist() == a.T[:, ::2].tolist()


@pytest.mark.reference
def test_torch_tensors_become_arrays_of_their_type_and_float64_becomes_float32():
    import torch

    assert mx.array(torch.tensor(2)).dtype is mx.int64
    assert mx.array(torch.tensor([1.5], dtype=torch.float64)).dtype is mx.float32
    assert mx.array(torch.tensor([1.5], requires_grad=True)).tolist() == [1.5]
    assert torch.tensor(mx.arange(3)).tolist() == [0, 1, 2]


# --- other objects --------------------------------------------------------------------


@pytest.mark.parametrize(
    "use",
    [
        lambda x: mx.array(x),
        lambda x: mx.asarray(x),
        lambda x: mx.add(x, 0),
        lambda x: mx.array([0, 0]) + x,
        lambda x: mx.ArrayLike(x).__mlx_array__(),
    ],
)
def test_an_object_with_mlx_array_counts_as_one(use):
    class Holder:
        def __mlx_array__(self):
            return mx.array([7, 8])

    assert use(Holder()).tolist() == [7, 8]


def test_mlx_array_must_return_an_array():
    class Wrong:
        def __mlx_array__(self):
            return 5

    with pytest.raises(TypeError, match="int"):
        mx.array(Wrong())


# --- bfloat16 in numpy ----------------------------------------------------------------


def test_bfloat16_becomes_the_numpy_type_of_ml_dtypes():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    a = mx.array([[1.5, -2.0], [0.1, 3e38]], mx.bfloat16).T

    there = np.asarray(a)

    assert there.dtype == ml_dtypes.bfloat16
    assert there.astype(np.float32).tolist() == a.tolist()
    assert mx.array(there).dtype is mx.bfloat16
    assert mx.array(there).tolist() == a.tolist()


def test_without_ml_dtypes_bfloat16_says_what_to_do():
    program = """
import sys
sys.modules["ml_dtypes"] = None
import numpy, mlxc as mx
try:
    numpy.asarray(mx.array([1.0], mx.bfloat16))
except BufferError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert "ml_dtypes" in done.stdout and "astype" in done.stdout, done.stderr


# --- pickle, bytes, format ------------------------------------------------------------


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("dtype", TYPES, ids=repr)
def test_a_pickled_array_comes_back(dtype, protocol):
    a = mx.array([[0, 1, 2], [3, 4, 5]]).astype(dtype, stream=mx.cpu).T

    back = pickle.loads(pickle.dumps(a, protocol))

    assert (back.dtype, back.shape, back.tolist()) == (dtype, a.shape, a.tolist())


def test_the_state_is_a_numpy_array_and_the_number_of_the_type():
    values, code = mx.array([1.0, 2.0], mx.bfloat16).__getstate__()

    assert (values.dtype, values.tolist(), code) == (np.uint16, [16256, 16384], 12)
    a = mx.array(0)
    a.__setstate__((values, code))
    assert (a.dtype, a.tolist()) == (mx.bfloat16, [1, 2])


def test_copies_are_other_objects_with_the_same_values():
    a = mx.array([1, 2])

    for b in (copy.copy(a), copy.deepcopy(a)):
        b[0] = 9
        assert (a.tolist(), b.tolist()) == ([1, 2], [9, 2])


@pytest.mark.parametrize(
    ("a", "expected"),
    [
        (mx.array([1, -1], mx.int8), b"\x01\xff"),
        (mx.array([1.0, 2.0], mx.bfloat16), b"\x80?\x00@"),
        (mx.array([[0, 1], [2, 3]], mx.uint8).T, b"\x00\x02\x01\x03"),
        (mx.array(5, mx.uint8), b"\x05"),
        (mx.zeros((0,)), b""),
    ],
    ids=repr,
)
def test_bytes_are_those_of_the_elements_in_order(a, expected):
    assert bytes(a) == expected


def test_an_array_without_axes_is_formatted_as_its_element():
    assert f"{mx.array(1.5):.2f}" == "1.50"
    assert f"{mx.array(3):5d}" == "    3"
    assert f"{mx.array(True)}" == "True"


def test_an_array_with_axes_has_the_empty_format_only():
    assert f"{mx.array([1])}" == "array([1], dtype=int32)"
    with pytest.raises(TypeError, match="format"):
        f"{mx.array([1]):.2f}"


# --- the array API --------------------------------------------------------------------


def test_the_namespace_of_an_array_is_the_package():
    assert mx.array(1).__array_namespace__() is mx
    with pytest.raises(ValueError, match="api_version"):
        mx.array(1).__array_namespace__(api_version="2023.12")


def test_the_namespace_tells_its_types_and_devices():
    info = mx.__array_namespace_info__()

    assert info.default_device() in info.devices()
    assert info.default_dtypes()["real floating"] is mx.float32
    assert list(info.dtypes(kind="complex floating", device=mx.Device(mx.cpu))) == ["complex64"]
    assert "float64" in info.dtypes(device=mx.Device(mx.cpu))
    assert "float64" not in info.dtypes(device=mx.Device(mx.gpu))
    with pytest.raises(ValueError, match="kind"):
        info.dtypes(kind="x")
    with pytest.raises(TypeError, match="Device"):
        info.dtypes(device="cpu")


# --- iteration ------------------------------------------------------------------------


def test_iteration_gives_the_parts_along_the_first_axis():
    iterator = iter(mx.array([[1, 2], [3, 4]]))

    assert isinstance(iterator, mx.ArrayIterator)
    assert [part.tolist() for part in iterator] == [[1, 2], [3, 4]]
    assert next(iterator, None) is None


def test_an_array_without_axes_is_not_iterated_over():
    with pytest.raises(TypeError, match="0-dimensional"):
        iter(mx.array(1))


def test_in_compares_the_elements():
    assert 2 in mx.array([1, 2])
    assert 5 not in mx.array([1, 2])
