"""Arithmetic of two arrays; a Python scalar takes the type of the array beside it.

Every function takes `stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._ffi import lib
from .._handle import at, pair, unpack, wrap

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice
    from .._handle import ArrayLike

__all__ = [
    "add",
    "arctan2",
    "divide",
    "divmod",
    "floor_divide",
    "logaddexp",
    "maximum",
    "minimum",
    "multiply",
    "power",
    "remainder",
    "subtract",
]


def add(a: ArrayLike, b: ArrayLike, stream: StreamOrDevice = None) -> array:
    """The sum `a + b`.

    Args:
        a: any shape.
        b: any shape that broadcasts with `a`.

    Returns:
        The broadcast shape, the promoted type; a Python scalar takes the other's type.

    Example:
        >>> import mlxc as mx
        >>> mx.add(mx.array([1, 2]), 0.5)
        array([1.5, 2.5], dtype=float32)
    """
    a, b = pair(a, b)
    return wrap(lib.h_add(a._h, b._h, at(stream)))


def subtract(a: ArrayLike, b: ArrayLike, stream: StreamOrDevice = None) -> array:
    """The difference `a - b`.

    Args:
        a: any shape.
        b: any shape that broadcasts with `a`.

    Example:
        >>> import mlxc as mx
        >>> mx.subtract(mx.array([3, 4]), 1)
        array([2, 3], dtype=int32)
    """
    a, b = pair(a, b)
    return wrap(lib.h_subtract(a._h, b._h, at(stream)))


def multiply(a: ArrayLike, b: ArrayLike, stream: StreamOrDevice = None) -> array:
    """The product `a * b`.

    Args:
        a: any shape.
        b: any shape that broadcasts with `a`.

    Example:
        >>> import mlxc as mx
        >>> mx.multiply(mx.array([3, 4]), 0.5)
        array([1.5, 2], dtype=float32)
    """
    a, b = pair(a, b)
    return wrap(lib.h_multiply(a._h, b._h, at(stream)))


def divide(a: ArrayLike, b: ArrayLike, stream: StreamOrDevice = None) -> array:
    """The quotient `a / b`.

    Args:
        a: any shape.
        b: any shape that broadcasts with `a`.

    Returns:
        Integers divide as float32.

    Example:
        >>> import mlxc as mx
        >>> mx.divide(mx.array([3, 4]), 2)
        array([1.5, 2], dtype=float32)
    """
    a, b = pair(a, b)
    return wrap(lib.h_divide(a._h, b._h, at(stream)))


def floor_divide(a: ArrayLike, b: ArrayLike, stream: StreamOrDevice = None) -> array:
    """The quotient rounded down, `a // b`.

    Args:
        a: any shape.
        b: any shape that broadcasts with `a`.

    Returns:
        The common type of both. An integer divided by 0 is 0.

    Example:
        >>> import mlxc as mx
        >>> mx.floor_divide(mx.array([5, -5]), 3)
        array([1, -2], dtype=int32)
    """
    a, b = pair(a, b)
    return wrap(lib.h_safe_floor_divide(a._h, b._h, at(stream)))


def remainder(a: ArrayLike, b: ArrayLike, stream: StreamOrDevice = None) -> array:
    """What division leaves, `a % b`, with the sign of `b`.

    Args:
        a: any shape.
        b: any shape that broadcasts with `a`.

    Example:
        >>> import mlxc as mx
        >>> mx.remainder(mx.array([5, -5]), 3)
        array([2, 1], dtype=int32)
    """
    a, b = pair(a, b)
    return wrap(lib.h_safe_remainder(a._h, b._h, at(stream)))


def power(a: ArrayLike, b: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """`a` to the power of `b`.

    Args:
        a: any shape.
        b: any shape that broadcasts with `a`. Negative powers need a float type.

    Example:
        >>> import mlxc as mx
        >>> mx.power(mx.array([2, 3]), 2)
        array([4, 9], dtype=int32)
    """
    a, b = pair(a, b)
    return wrap(lib.h_power(a._h, b._h, at(stream)))


def maximum(a: ArrayLike, b: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The larger of `a` and `b`; nan if either is.

    Args:
        a: any shape.
        b: any shape that broadcasts with `a`.

    Example:
        >>> import mlxc as mx
        >>> mx.maximum(mx.array([1, 5]), 3)
        array([3, 5], dtype=int32)
    """
    a, b = pair(a, b)
    return wrap(lib.h_maximum(a._h, b._h, at(stream)))


def minimum(a: ArrayLike, b: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The smaller of `a` and `b`; nan if either is.

    Args:
        a: any shape.
        b: any shape that broadcasts with `a`.

    Example:
        >>> import mlxc as mx
        >>> mx.minimum(mx.array([1, 5]), 3)
        array([1, 3], dtype=int32)
    """
    a, b = pair(a, b)
    return wrap(lib.h_minimum(a._h, b._h, at(stream)))


def logaddexp(a: ArrayLike, b: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """`log(exp(a) + exp(b))` without overflow.

    Args:
        a: any shape; integers are converted to float32.
        b: any shape that broadcasts with `a`.

    Example:
        >>> import mlxc as mx
        >>> mx.logaddexp(mx.array([0.0, 1000.0]), mx.array([0.0, 1000.0]))
        array([0.693147, 1000.69], dtype=float32)
    """
    a, b = pair(a, b)
    return wrap(lib.h_logaddexp(a._h, b._h, at(stream)))


def arctan2(a: ArrayLike, b: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The angle of the point (`b`, `a`) in [-pi, pi] radians.

    Args:
        a: the ordinates, any shape, real; integers are converted to float32.
        b: the abscissae, any shape that broadcasts with `a`.

    Example:
        >>> import mlxc as mx
        >>> mx.arctan2(mx.array([1.0, 0.0]), mx.array([1.0, -1.0]))
        array([0.785398, 3.14159], dtype=float32)
    """
    a, b = pair(a, b)
    return wrap(lib.h_arctan2(a._h, b._h, at(stream)))


def divmod(a: ArrayLike, b: ArrayLike, stream: StreamOrDevice = None) -> list[array]:
    """The quotient rounded down and the remainder, `[a // b, a % b]`.

    Args:
        a: any shape, real.
        b: any shape that broadcasts with `a`.

    Returns:
        Both in the common type. An integer divided by 0 gives 0 and leaves itself.

    Raises:
        ValueError: `a` or `b` is complex.

    Example:
        >>> import mlxc as mx
        >>> mx.divmod(mx.array([5, -5]), 3)
        [array([1, -2], dtype=int32), array([2, 1], dtype=int32)]
    """
    a, b = pair(a, b)
    return unpack(lib.h_safe_divmod(a._h, b._h, at(stream)))
