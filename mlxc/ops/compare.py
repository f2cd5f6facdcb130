"""Comparisons, element by element and of whole arrays.

Every function takes `stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._ffi import lib
from .._handle import at, only_array, pair, wrap

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice
    from .._handle import ArrayLike

__all__ = [
    "allclose",
    "array_equal",
    "equal",
    "greater",
    "greater_equal",
    "isclose",
    "less",
    "less_equal",
    "not_equal",
]


def equal(a: ArrayLike, b: ArrayLike, stream: StreamOrDevice = None) -> array:
    """Where `a == b`.

    Args:
        a: any shape.
        b: any shape that broadcasts with `a`.

    Returns:
        Booleans of the broadcast shape.

    Example:
        >>> import mlxc as mx
        >>> mx.equal(mx.array([1, 2]), 2)
        array([False, True], dtype=bool)
    """
    a, b = pair(a, b)
    return wrap(lib.h_equal(a._h, b._h, at(stream)))


def not_equal(a: ArrayLike, b: ArrayLike, stream: StreamOrDevice = None) -> array:
    """Where `a != b`.

    Args:
        a: any shape.
        b: any shape that broadcasts with `a`.

    Returns:
        Booleans of the broadcast shape.

    Example:
        >>> import mlxc as mx
        >>> mx.not_equal(mx.array([1, 2]), 2)
        array([True, False], dtype=bool)
    """
    a, b = pair(a, b)
    return wrap(lib.h_not_equal(a._h, b._h, at(stream)))


def less(a: ArrayLike, b: ArrayLike, stream: StreamOrDevice = None) -> array:
    """Where `a < b`.

    Args:
        a: any shape.
        b: any shape that broadcasts with `a`.

    Returns:
        Booleans of the broadcast shape.

    Example:
        >>> import mlxc as mx
        >>> mx.less(mx.array([1, 2]), 2)
        array([True, False], dtype=bool)
    """
    a, b = pair(a, b)
    return wrap(lib.h_less(a._h, b._h, at(stream)))


def less_equal(a: ArrayLike, b: ArrayLike, stream: StreamOrDevice = None) -> array:
    """Where `a <= b`.

    Args:
        a: any shape.
        b: any shape that broadcasts with `a`.

    Returns:
        Booleans of the broadcast shape.

    Example:
        >>> import mlxc as mx
        >>> mx.less_equal(mx.array([1, 2]), 1)
        array([True, False], dtype=bool)
    """
    a, b = pair(a, b)
    return wrap(lib.h_less_equal(a._h, b._h, at(stream)))


def greater(a: ArrayLike, b: ArrayLike, stream: StreamOrDevice = None) -> array:
    """Where `a > b`.

    Args:
        a: any shape.
        b: any shape that broadcasts with `a`.

    Returns:
        Booleans of the broadcast shape.

    Example:
        >>> import mlxc as mx
        >>> mx.greater(mx.array([1, 2]), 1)
        array([False, True], dtype=bool)
    """
    a, b = pair(a, b)
    return wrap(lib.h_greater(a._h, b._h, at(stream)))


def greater_equal(a: ArrayLike, b: ArrayLike, stream: StreamOrDevice = None) -> array:
    """Where `a >= b`.

    Args:
        a: any shape.
        b: any shape that broadcasts with `a`.

    Returns:
        Booleans of the broadcast shape.

    Example:
        >>> import mlxc as mx
        >>> mx.greater_equal(mx.array([1, 2]), 2)
        array([False, True], dtype=bool)
    """
    a, b = pair(a, b)
    return wrap(lib.h_greater_equal(a._h, b._h, at(stream)))


def array_equal(
    a: ArrayLike, b: ArrayLike, equal_nan: bool = False, stream: StreamOrDevice = None
) -> array:
    """Whether two arrays have one shape and equal elements.

    Args:
        a: any shape.
        b: any shape; another one than that of `a` makes them unequal.
        equal_nan: whether nan equals nan.

    Returns:
        A boolean of shape ().

    Example:
        >>> import mlxc as mx
        >>> mx.array_equal(mx.array([1, 2]), mx.array([1.0, 2.0]))
        array(True, dtype=bool)
    """
    a, b = pair(a, b)
    return wrap(lib.h_array_equal(a._h, b._h, equal_nan, at(stream)))


def isclose(
    a: array,
    b: array,
    /,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    *,
    equal_nan: bool = False,
    stream: StreamOrDevice = None,
) -> array:
    """Where `abs(a - b) <= atol + rtol * abs(b)`; equal infinities are close.

    Args:
        a: any shape.
        b: any shape that broadcasts with `a`.
        rtol: tolerance relative to `b`.
        atol: absolute tolerance.
        equal_nan: whether nan is close to nan.

    Returns:
        Booleans of the broadcast shape.

    Example:
        >>> import mlxc as mx
        >>> mx.isclose(mx.array([1.0, 2.0]), mx.array([1.0, 2.1]))
        array([True, False], dtype=bool)
    """
    a, b = only_array(a), only_array(b)
    return wrap(lib.h_isclose(a._h, b._h, rtol, atol, equal_nan, at(stream)))


def allclose(
    a: array,
    b: array,
    /,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    *,
    equal_nan: bool = False,
    stream: StreamOrDevice = None,
) -> array:
    """Whether all elements are close, as `isclose` defines it.

    Args:
        a: any shape.
        b: any shape that broadcasts with `a`.
        rtol: tolerance relative to `b`.
        atol: absolute tolerance.
        equal_nan: whether nan is close to nan.

    Returns:
        A boolean of shape ().

    Example:
        >>> import mlxc as mx
        >>> mx.allclose(mx.array([1.0]), mx.array([1.001]), rtol=1e-2).item()
        True
    """
    a, b = only_array(a), only_array(b)
    return wrap(lib.h_allclose(a._h, b._h, rtol, atol, equal_nan, at(stream)))
