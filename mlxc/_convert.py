"""Python data as arrays: scalars, nested lists, numpy arrays, buffers.

Rules of types, as in mlx.core: Python ints are int32 (int64 where they do not fit), floats
float32, complex numbers complex64; numpy's float64 becomes float32 unless float64 is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ._dlpack import imported
from ._dtype import (
    DTYPES,
    Dtype,
    DtypeCategory,
    bfloat16,
    bool_,
    code_of,
    complex64,
    float16,
    float32,
    float64,
    int32,
    int64,
    issubdtype,
    promote_types,
    uint64,
)
from ._ffi import ffi, lib
from ._handle import Handle, as_array, wrap

if TYPE_CHECKING:
    from numpy import ndarray

    from ._array import array

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

C_TYPES = {int32: "int32_t[]", int64: "int64_t[]", float32: "float[]", float64: "double[]"}

BY_NAME = {dtype._name: dtype for dtype in DTYPES}


def new_array(value: Any, dtype: Dtype | None = None) -> array:
    """An array of `value`'s data, copied.

    Raises:
        ValueError: `value` is of an unknown type, or its nested lists have unequal lengths.
        OverflowError: an integer does not fit into 64 bits.
        TypeError: `value` is None, or `dtype` is not a data type.
    """
    if dtype is not None and type(dtype) is not Dtype:
        raise TypeError(f"dtype must be a data type, as mx.float32, or None, not {dtype!r}")
    if isinstance(value, Handle):
        return _astype(value, dtype)  # type: ignore[arg-type]
    if isinstance(value, (bool, int, float, complex)):
        return scalar(value, dtype)
    if isinstance(value, (list, tuple)):
        return _from_nested(value, dtype)
    return _from_object(value, dtype)


def _from_object(value: Any, dtype: Dtype | None) -> array:
    """An array of what speaks one of the protocols for arrays, numpy's own first."""
    if hasattr(value, "__array_interface__"):
        import numpy

        return _from_numpy(numpy.asarray(value), dtype)
    if hasattr(value, "__mlx_array__"):
        return _from_mlx_array(value, dtype)
    if hasattr(value, "__dlpack__"):
        return imported(value, dtype)
    if hasattr(value, "__array__"):
        import numpy

        return _from_numpy(numpy.asarray(value), dtype)
    if value is None:
        raise TypeError("an array cannot be made of None")
    try:
        view = memoryview(value)
    except TypeError:
        raise ValueError(
            f"Invalid type {type(value).__name__} received in array initialization."
        ) from None
    import numpy

    return _from_numpy(numpy.asarray(view), dtype)


def _from_mlx_array(value: Any, dtype: Dtype | None) -> array:
    result = value.__mlx_array__()
    if not isinstance(result, Handle):
        raise TypeError(
            f"{type(value).__name__}.__mlx_array__ must return an array, not "
            f"{type(result).__name__}"
        )
    return _astype(result, dtype)  # type: ignore[arg-type]


def scalar(value: complex, dtype: Dtype | None) -> array:
    """A 0-d array of a Python scalar."""
    if isinstance(value, bool):
        return wrap(lib.h_scalar_int(value, (dtype or bool_)._code))
    if isinstance(value, int):
        if not INT64_MIN <= value <= INT64_MAX:
            return _big_int(value, dtype)
        fits = INT32_MIN <= value <= INT32_MAX
        return wrap(lib.h_scalar_int(value, (dtype or (int32 if fits else int64))._code))
    if isinstance(value, float):
        return wrap(lib.h_scalar_float(value, code_of(dtype or float32)))
    return _astype(wrap(lib.h_scalar_complex(value.real, value.imag)), dtype)


def _big_int(value: int, dtype: Dtype | None) -> array:
    if dtype is not None and issubdtype(dtype, DtypeCategory.inexact):
        return scalar(float(value), dtype)
    if dtype is uint64 and 0 <= value < 2**64:
        return scalar(value - 2**64, uint64)
    raise OverflowError(f"{value} does not fit into 64 bits; pass a float or a float dtype")


#: The codes of the types that a Python scalar takes beside an array, by the array's code.
INT_BESIDE = [(int32 if dtype is bool_ else dtype)._code for dtype in DTYPES]
FLOAT_BESIDE = [
    (dtype if issubdtype(dtype, DtypeCategory.floating) else float32)._code for dtype in DTYPES
]


#: The least and the largest value of integer types, by code.
LIMITS = {
    dtype._code: (0, 2 ** (8 * dtype.size) - 1)
    if dtype._category is DtypeCategory.unsignedinteger
    else (-(2 ** (8 * dtype.size - 1)), 2 ** (8 * dtype.size - 1) - 1)
    for dtype in DTYPES
    if issubdtype(dtype, DtypeCategory.integer)
}


def check_fits(value: int, code: int) -> None:
    """Raise a ValueError if a type of integers cannot hold `value`."""
    limits = LIMITS.get(code)
    if limits is not None and not limits[0] <= value <= limits[1]:
        if code == uint64._code and INT64_MIN <= value < 0:
            return  # it wraps around
        name = DTYPES[code]._name
        raise ValueError(f"Converting {value} to {name} would result in overflow.")


def operand(value: Any, dtype: Dtype | None = None) -> array:
    """What is no array yet as an operand: a Python scalar or an array of another library."""
    if isinstance(value, (list, tuple)):
        kind = type(value).__name__
        raise ValueError(f"a {kind} is no operand; mx.array makes an array of it")
    return new_array(value, dtype)


def make_pair(a: Any, b: Any) -> tuple[array, array]:
    """What `pair` does when one of the two is not an array."""
    if isinstance(a, Handle):
        return a, beside(b, lib.h_dtype(a._h))  # type: ignore[return-value]
    if isinstance(b, Handle):
        return beside(a, lib.h_dtype(b._h)), b  # type: ignore[return-value]
    return as_array(a), as_array(b)


def beside(value: Any, code: int) -> array:
    """`value` as an array; a Python scalar takes the given type unless that loses its kind."""
    if isinstance(value, Handle):
        return value  # type: ignore[return-value]
    if isinstance(value, float):
        return wrap(lib.h_scalar_float(value, FLOAT_BESIDE[code]))
    if isinstance(value, bool):
        return scalar(value, DTYPES[code])
    if isinstance(value, int):
        check_fits(value, code)
        return scalar(value, DTYPES[INT_BESIDE[code]])
    if isinstance(value, complex):
        return scalar(value, complex64)
    if hasattr(value, "__mlx_array__"):
        return new_array(value)
    return operand(value, DTYPES[code])


def _astype(a: array, dtype: Dtype | None) -> array:
    if dtype is None:
        return wrap(lib.h_keep(a._h))
    return wrap(lib.h_astype(a._h, dtype._code, 0))


# --- nested lists ---------------------------------------------------------------------


SCALARS = {bool, int, float, complex}
#: Buffers, and with them `tolist` and files, have no more axes.
DEEPEST = 64


def _from_nested(values: Sequence[Any], dtype: Dtype | None) -> array:
    shape, flat = _flatten(values)
    kinds = set(map(type, flat))
    if not kinds <= SCALARS:  # methods of other classes could change the list while C reads it
        flat = tuple(flat)
    if type(None) in kinds:
        raise ValueError("Invalid type NoneType received in array initialization.")
    if not kinds <= SCALARS and any(issubclass(kind, Handle) for kind in kinds):
        return _stack(values, dtype)
    content = _content_dtype(kinds, flat)
    if dtype is float64 and content is float32:
        content = float64
    data: Any
    if content is bool_:
        data = bytes(flat)
    elif content is complex64:
        data = ffi.new("float[]", [part for z in flat for part in (z.real, z.imag)])
    else:
        data = ffi.new(C_TYPES[content], flat)
    result = wrap(lib.h_from_data(data, shape, len(shape), content._code))
    return result if dtype is None or dtype is content else _astype(result, dtype)


def _flatten(values: Sequence[Any]) -> tuple[list[int], Sequence[Any]]:
    """The shape of nested sequences and their scalars in row-major order.

    Of sequences with one shape, one that contains itself does so in its first item.
    """
    flat: Sequence[Any] = values
    if type(values) not in (list, tuple):
        flat = [item for item in values]  # however many it says it has
    shape = [len(flat)]
    chain = {id(values)}
    while flat and isinstance(flat[0], (list, tuple)):
        if any(isinstance(row, Handle) for row in flat):
            break
        length = len(flat[0])
        if any(not isinstance(row, (list, tuple)) or len(row) != length for row in flat):
            raise ValueError("Initialization encountered non-uniform length.")
        if len(shape) == DEEPEST or id(flat[0]) in chain:
            raise ValueError(f"lists must be nested at most {DEEPEST} deep, and not in themselves")
        chain.add(id(flat[0]))
        count = len(flat) * length
        flat = [item for row in flat for item in row]
        if len(flat) != count:
            raise ValueError("Initialization encountered non-uniform length.")
        shape.append(length)
    return shape, flat


def _content_dtype(kinds: set[type], flat: Sequence[Any]) -> Dtype:
    if kinds != {int}:
        for kind in kinds:
            if not issubclass(kind, (bool, int, float, complex)):
                raise ValueError(f"Invalid type {kind.__name__} received in array initialization.")
        if any(issubclass(kind, complex) for kind in kinds):
            return complex64
        if not kinds or any(issubclass(kind, float) for kind in kinds):
            return float32
        if kinds == {bool}:
            return bool_
    low, high = min(flat), max(flat)
    if low < INT64_MIN or high > INT64_MAX:
        raise OverflowError("an integer in the list does not fit into 64 bits")
    return int32 if INT32_MIN <= low and high <= INT32_MAX else int64


def _stack(values: Sequence[Any], dtype: Dtype | None) -> array:
    """Nested lists that hold arrays: each item becomes an array, all become one."""
    items = [new_array(item, None) for item in values]
    if dtype is None:
        dtype = items[0].dtype
        for item in items:
            dtype = promote_types(dtype, item.dtype)
    items = [_astype(item, dtype) for item in items]
    return wrap(lib.h_stack_axis([item._h for item in items], len(items), 0, 0))


# --- numpy ----------------------------------------------------------------------------


def _from_numpy(value: ndarray[Any, Any], dtype: Dtype | None) -> array:
    name = value.dtype.name
    if name == "complex128":
        value, name = value.astype("complex64"), "complex64"
    elif name == "float64" and dtype is not float64:
        value, name = value.astype("float32"), "float32"
    if (content := BY_NAME.get(name)) is None:
        raise ValueError(f"Invalid type {name} received in array initialization.")
    value = value.astype(value.dtype.newbyteorder("="), order="C", copy=False)
    data = ffi.cast("void*", value.__array_interface__["data"][0])
    address = lib.h_from_data(data, list(value.shape), value.ndim, content._code)
    result = wrap(address)
    return result if dtype is None or dtype is content else _astype(result, dtype)


# --- and back -------------------------------------------------------------------------

#: The types that a memoryview cannot read, and what they are read as.
WIDENED = {float16._code: float32, bfloat16._code: float32}


def item(a: array) -> Any:
    """The one element of `a` as a Python scalar."""
    if a.size != 1:
        raise ValueError("[convert] Only length-1 arrays can be converted to Python scalars.")
    code = lib.h_dtype(a._h)
    if code == complex64._code:
        return complex(*_parts(a).reshape(2).tolist())
    if code in WIDENED:
        a = _astype(a, WIDENED[code])
    return memoryview(a)[(0,) * a.ndim]


def to_list(a: array) -> Any:
    """The elements of `a` as nested lists; a scalar for a 0-d array."""
    code = lib.h_dtype(a._h)
    if code == complex64._code:
        return _joined(_parts(a).tolist(), a.ndim)
    return memoryview(_astype(a, WIDENED[code]) if code in WIDENED else a).tolist()


def _parts(a: array) -> array:
    """Complex numbers as pairs of floats on a new last axis."""
    one = wrap(lib.h_expand_dims(a._h, -1, 0))
    return wrap(lib.h_view(one._h, float32._code, 0))


def _joined(parts: Any, depth: int) -> Any:
    return [_joined(part, depth - 1) for part in parts] if depth else complex(*parts)
