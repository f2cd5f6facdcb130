"""Operations on the bits of integers.

Every function takes `stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._ffi import lib
from .._handle import as_array, at, pair, wrap

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice
    from .._handle import ArrayLike

__all__ = [
    "bitwise_and",
    "bitwise_invert",
    "bitwise_or",
    "bitwise_xor",
    "left_shift",
    "right_shift",
]


def bitwise_and(a: ArrayLike, b: ArrayLike, stream: StreamOrDevice = None) -> array:
    """The bits set in both, `a & b`.

    Args:
        a: integers or bool, any shape.
        b: integers or bool, any shape that broadcasts with `a`.

    Raises:
        RuntimeError: `a` or `b` is neither integer nor bool.

    Example:
        >>> import mlxc as mx
        >>> mx.bitwise_and(mx.array([12, 10]), 6)
        array([4, 2], dtype=int32)
    """
    a, b = pair(a, b)
    return wrap(lib.h_bitwise_and(a._h, b._h, at(stream)))


def bitwise_or(a: ArrayLike, b: ArrayLike, stream: StreamOrDevice = None) -> array:
    """The bits set in either, `a | b`.

    Args:
        a: integers or bool, any shape.
        b: integers or bool, any shape that broadcasts with `a`.

    Raises:
        RuntimeError: `a` or `b` is neither integer nor bool.

    Example:
        >>> import mlxc as mx
        >>> mx.bitwise_or(mx.array([12, 9]), 6)
        array([14, 15], dtype=int32)
    """
    a, b = pair(a, b)
    return wrap(lib.h_bitwise_or(a._h, b._h, at(stream)))


def bitwise_xor(a: ArrayLike, b: ArrayLike, stream: StreamOrDevice = None) -> array:
    """The bits set in one of both, `a ^ b`.

    Args:
        a: integers or bool, any shape.
        b: integers or bool, any shape that broadcasts with `a`.

    Raises:
        RuntimeError: `a` or `b` is neither integer nor bool.

    Example:
        >>> import mlxc as mx
        >>> mx.bitwise_xor(mx.array([12, 10]), 6)
        array([10, 12], dtype=int32)
    """
    a, b = pair(a, b)
    return wrap(lib.h_bitwise_xor(a._h, b._h, at(stream)))


def left_shift(a: ArrayLike, b: ArrayLike, stream: StreamOrDevice = None) -> array:
    """The bits of `a` moved up by `b` places, `a << b`.

    Args:
        a: integers, any shape.
        b: integers, any shape that broadcasts with `a`; from 0 to below the bits of the type.

    Raises:
        RuntimeError: `a` or `b` is floating point or complex.

    Example:
        >>> import mlxc as mx
        >>> mx.left_shift(mx.array([1, 3]), 2)
        array([4, 12], dtype=int32)
    """
    a, b = pair(a, b)
    return wrap(lib.h_left_shift(a._h, b._h, at(stream)))


def right_shift(a: ArrayLike, b: ArrayLike, stream: StreamOrDevice = None) -> array:
    """The bits of `a` moved down by `b` places, `a >> b`.

    Args:
        a: integers, any shape; the sign of signed types is kept.
        b: integers, any shape that broadcasts with `a`; from 0 to below the bits of the type.

    Raises:
        RuntimeError: `a` or `b` is floating point or complex.

    Example:
        >>> import mlxc as mx
        >>> mx.right_shift(mx.array([20, -20]), 2)
        array([5, -5], dtype=int32)
    """
    a, b = pair(a, b)
    return wrap(lib.h_right_shift(a._h, b._h, at(stream)))


def bitwise_invert(a: ArrayLike, stream: StreamOrDevice = None) -> array:
    """The bits that are not set, `~a`.

    Args:
        a: integers or bool, any shape.

    Raises:
        ValueError: `a` is neither integer nor bool.

    Example:
        >>> import mlxc as mx
        >>> mx.bitwise_invert(mx.array([0, 5]))
        array([-1, -6], dtype=int32)
    """
    a = as_array(a)
    return wrap(lib.h_bitwise_invert(a._h, at(stream)))
