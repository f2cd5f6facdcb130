"""New arrays: constant and counting.

Every function takes `stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from .._convert import beside, check_fits
from .._dtype import Dtype, bool_, code_of, float32, int32, int64
from .._ffi import lib
from .._handle import as_array, at, only_array, wrap
from ._arguments import ints

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice
    from .._handle import ArrayLike

__all__ = [
    "arange",
    "full",
    "full_like",
    "linspace",
    "ones",
    "ones_like",
    "zeros",
    "zeros_like",
]


def zeros(
    shape: int | Sequence[int],
    dtype: Dtype | None = float32,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """An array of zeros.

    Args:
        shape: the shape, or the length of the one axis.
        dtype: the type; None is float32.

    Raises:
        ValueError: a length is negative.

    Example:
        >>> import mlxc as mx
        >>> mx.zeros(2, mx.int32)
        array([0, 0], dtype=int32)
    """
    shape = ints(shape, "shape")
    return wrap(lib.h_cpu_zeros(shape, len(shape), code_of(dtype or float32), at(stream)))


def ones(
    shape: int | Sequence[int],
    dtype: Dtype | None = float32,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """An array of ones.

    Args:
        shape: the shape, or the length of the one axis.
        dtype: the type; None is float32.

    Example:
        >>> import mlxc as mx
        >>> mx.ones(2)
        array([1, 1], dtype=float32)
    """
    shape = ints(shape, "shape")
    return wrap(lib.h_ones(shape, len(shape), code_of(dtype or float32), at(stream)))


def full(
    shape: int | Sequence[int],
    vals: ArrayLike,
    dtype: Dtype | None = None,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """An array of one value, or of one array repeated.

    Args:
        shape: the shape, or the length of the one axis.
        vals: what fills it; an array is broadcast, and keeps its type.
        dtype: the type that a Python scalar takes, unless that loses its kind: 0.5 is never an
            integer. None is the scalar's own.

    Raises:
        ValueError: the type of integers does not hold `vals`.

    Example:
        >>> import mlxc as mx
        >>> mx.full((2,), 7)
        array([7, 7], dtype=int32)
    """
    shape = ints(shape, "shape")
    vals = as_array(vals) if dtype is None else beside(vals, code_of(dtype))
    return wrap(lib.h_full(shape, len(shape), vals._h, lib.h_dtype(vals._h), at(stream)))


def zeros_like(a: array, /, dtype: Dtype | None = None, *, stream: StreamOrDevice = None) -> array:
    """Zeros in the shape of another array.

    Args:
        a: any shape.
        dtype: the type; None is that of `a`.

    Example:
        >>> import mlxc as mx
        >>> mx.zeros_like(mx.array([3, 4]))
        array([0, 0], dtype=int32)
    """
    a = only_array(a)
    return zeros(a.shape, dtype or a.dtype, stream=stream)


def ones_like(a: array, /, dtype: Dtype | None = None, *, stream: StreamOrDevice = None) -> array:
    """Ones in the shape of another array.

    Args:
        a: any shape.
        dtype: the type; None is that of `a`.

    Example:
        >>> import mlxc as mx
        >>> mx.ones_like(mx.array([3, 4]))
        array([1, 1], dtype=int32)
    """
    a = only_array(a)
    if dtype is None:
        return wrap(lib.h_ones_like(a._h, at(stream)))
    return ones(a.shape, dtype, stream=stream)


def full_like(
    a: array,
    vals: ArrayLike,
    dtype: Dtype | None = None,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """One value in the shape of another array.

    Args:
        a: any shape.
        vals: what fills it; an array is broadcast.
        dtype: the type; None is that of `a`.

    Raises:
        ValueError: the type of integers does not hold `vals`, or an array does not broadcast.

    Example:
        >>> import mlxc as mx
        >>> mx.full_like(mx.array([3, 4]), 7)
        array([7, 7], dtype=int32)
    """
    a, filling = only_array(a), as_array(vals)
    code = lib.h_dtype(a._h) if dtype is None else code_of(dtype)
    if type(vals) is int:
        check_fits(vals, code)
    return wrap(lib.h_full_like(a._h, filling._h, code, at(stream)))


@overload
def arange(
    start: float,
    stop: float | None,
    step: float | None = None,
    dtype: Dtype | None = None,
    *,
    stream: StreamOrDevice = None,
) -> array: ...
@overload
def arange(
    stop: float,
    step: float | None = None,
    dtype: Dtype | None = None,
    *,
    stream: StreamOrDevice = None,
) -> array: ...
def arange(  # type: ignore[misc]
    start: float | None = None,
    stop: float | None = None,
    step: float | Dtype | None = None,
    dtype: Dtype | None = None,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """Evenly spaced numbers, `arange(stop)` or `arange(start, stop, step)`.

    Args:
        start: the first number; 0 if left out.
        stop: where the numbers end; it is not among them.
        step: the distance of neighbours; None is 1.
        dtype: the type; None is float32 if an argument is a float, else int32, or int64 for
            arguments beyond it.

    Raises:
        ValueError: `step` is 0, or the type is bool.

    Example:
        >>> import mlxc as mx
        >>> mx.arange(3)
        array([0, 1, 2], dtype=int32)
        >>> mx.arange(1, 2, 0.5)
        array([1, 1.5], dtype=float32)
    """
    if isinstance(step, Dtype):
        start, stop, step, dtype = None, start, stop, step
    elif stop is None:
        start, stop = None, start
    first, distance = 0 if start is None else start, 1 if step is None else step
    if stop is None:
        raise TypeError("arange needs stop, as in arange(10)")
    if dtype is None:
        dtype = _counting_dtype(*[one for one in (start, stop, step) if one is not None])
    if dtype is bool_:
        raise ValueError("arange does not count in bool; use an integer type")
    return wrap(lib.h_arange(first, stop, distance, code_of(dtype), at(stream)))


def _counting_dtype(*given: float) -> Dtype:
    kinds = set(map(type, given))
    if kinds != {int} and any(issubclass(kind, float) for kind in kinds):
        return float32
    if kinds == {bool}:
        return bool_
    low, high = -(2**31), 2**31
    fits = all([low <= one < high for one in given])
    return int32 if fits else int64


def linspace(
    start: float,
    stop: float,
    num: int = 50,
    endpoint: bool = True,
    dtype: Dtype | None = float32,
    stream: StreamOrDevice = None,
) -> array:
    """A given number of evenly spaced numbers.

    Args:
        start: the first number.
        stop: the last number, or the one after it.
        num: how many.
        endpoint: whether `stop` is the last of them.
        dtype: the type; None is float32.

    Example:
        >>> import mlxc as mx
        >>> mx.linspace(0, 1, 4, endpoint=False)
        array([0, 0.25, 0.5, 0.75], dtype=float32)
    """
    if not endpoint and num > 0:
        stop = stop - (stop - start) / num
    return wrap(lib.h_linspace(start, stop, num, code_of(dtype or float32), at(stream)))
