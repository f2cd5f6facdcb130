"""Truth values: connectives, and which elements are finite.

Every function takes `stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._ffi import lib
from .._handle import as_array, at, wrap

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice
    from .._handle import ArrayLike

__all__ = [
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
]


def logical_and(a: ArrayLike, b: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """Where both are true.

    Args:
        a: any shape and type; what is not zero is true.
        b: any shape that broadcasts with `a`.

    Example:
        >>> import mlxc as mx
        >>> mx.logical_and(mx.array([True, False]), True)
        array([True, False], dtype=bool)
    """
    a, b = as_array(a), as_array(b)
    return wrap(lib.h_logical_and(a._h, b._h, at(stream)))


def logical_or(a: ArrayLike, b: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """Where either is true.

    Args:
        a: any shape and type; what is not zero is true.
        b: any shape that broadcasts with `a`.

    Example:
        >>> import mlxc as mx
        >>> mx.logical_or(mx.array([True, False]), mx.array([2, 0]))
        array([True, False], dtype=bool)
    """
    a, b = as_array(a), as_array(b)
    return wrap(lib.h_logical_or(a._h, b._h, at(stream)))


def logical_xor(a: ArrayLike, b: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """Where one of both is true.

    Args:
        a: any shape and type; what is not zero is true.
        b: any shape that broadcasts with `a`.

    Example:
        >>> import mlxc as mx
        >>> mx.logical_xor(mx.array([True, False]), True)
        array([False, True], dtype=bool)
    """
    a, b = as_array(a), as_array(b)
    s = at(stream)
    left, right = wrap(lib.h_logical_not(a._h, s)), wrap(lib.h_logical_not(b._h, s))
    return wrap(lib.h_not_equal(left._h, right._h, s))


def logical_not(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """Where the element is not true.

    Args:
        a: any shape and type; what is not zero is true.

    Example:
        >>> import mlxc as mx
        >>> mx.logical_not(mx.array([True, False]))
        array([False, True], dtype=bool)
    """
    a = as_array(a)
    return wrap(lib.h_logical_not(a._h, at(stream)))


def isnan(a: ArrayLike, stream: StreamOrDevice = None) -> array:
    """Where the element is not a number.

    Args:
        a: any shape and type.

    Returns:
        Booleans of the shape of `a`.

    Example:
        >>> import mlxc as mx
        >>> mx.isnan(mx.array([1.0, float("nan")]))
        array([False, True], dtype=bool)
    """
    a = as_array(a)
    return wrap(lib.h_isnan(a._h, at(stream)))


def isinf(a: ArrayLike, stream: StreamOrDevice = None) -> array:
    """Where the element is infinite, of either sign.

    Args:
        a: any shape and type.

    Returns:
        Booleans of the shape of `a`.

    Example:
        >>> import mlxc as mx
        >>> mx.isinf(mx.array([1.0, float("-inf"), float("nan")]))
        array([False, True, False], dtype=bool)
    """
    a = as_array(a)
    return wrap(lib.h_isinf(a._h, at(stream)))


def isfinite(a: ArrayLike, stream: StreamOrDevice = None) -> array:
    """Where the element is neither infinite nor nan.

    Args:
        a: any shape and type.

    Returns:
        Booleans of the shape of `a`.

    Example:
        >>> import mlxc as mx
        >>> mx.isfinite(mx.array([1.0, float("inf"), float("nan")]))
        array([True, False, False], dtype=bool)
    """
    a = as_array(a)
    return wrap(lib.h_isfinite(a._h, at(stream)))


def isposinf(a: ArrayLike, stream: StreamOrDevice = None) -> array:
    """Where the element is infinity.

    Args:
        a: any shape and type.

    Returns:
        Booleans of the shape of `a`.

    Example:
        >>> import mlxc as mx
        >>> mx.isposinf(mx.array([float("inf"), float("-inf")]))
        array([True, False], dtype=bool)
    """
    a = as_array(a)
    return wrap(lib.h_isposinf(a._h, at(stream)))


def isneginf(a: ArrayLike, stream: StreamOrDevice = None) -> array:
    """Where the element is minus infinity.

    Args:
        a: any shape and type.

    Returns:
        Booleans of the shape of `a`.

    Example:
        >>> import mlxc as mx
        >>> mx.isneginf(mx.array([float("inf"), float("-inf")]))
        array([False, True], dtype=bool)
    """
    a = as_array(a)
    return wrap(lib.h_isneginf(a._h, at(stream)))
