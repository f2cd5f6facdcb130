"""Functions of each element of one array: signs, rounding, powers, parts of complex numbers.

Every function takes `stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._ffi import lib
from .._handle import as_array, at, only_array, pair, wrap

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice
    from .._handle import ArrayLike

__all__ = [
    "abs",
    "ceil",
    "clip",
    "conj",
    "conjugate",
    "floor",
    "imag",
    "nan_to_num",
    "negative",
    "positive",
    "real",
    "reciprocal",
    "round",
    "rsqrt",
    "sign",
    "sqrt",
    "square",
    "trunc",
]


def abs(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The absolute value of each element.

    Args:
        a: any shape and type.

    Returns:
        The shape and type of `a`; for complex64 the modulus, as float32.

    Example:
        >>> import mlxc as mx
        >>> mx.abs(mx.array([-1, 2]))
        array([1, 2], dtype=int32)
    """
    a = as_array(a)
    return wrap(lib.h_abs(a._h, at(stream)))


def negative(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The negation of each element.

    Args:
        a: any shape and type but bool.

    Raises:
        ValueError: `a` is bool; use `logical_not`.

    Example:
        >>> import mlxc as mx
        >>> mx.negative(mx.array([1, -2]))
        array([-1, 2], dtype=int32)
    """
    a = as_array(a)
    return wrap(lib.h_negative(a._h, at(stream)))


def sign(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The sign of each element: -1, 0 or 1.

    Args:
        a: any shape and type. A complex element is divided by its modulus.

    Returns:
        The shape and type of `a`.

    Example:
        >>> import mlxc as mx
        >>> mx.sign(mx.array([-3.0, 0.0, 2.0]))
        array([-1, 0, 1], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_sign(a._h, at(stream)))


def square(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The square of each element.

    Args:
        a: any shape and type.

    Returns:
        The shape and type of `a`.

    Example:
        >>> import mlxc as mx
        >>> mx.square(mx.array([2, 3]))
        array([4, 9], dtype=int32)
    """
    a = as_array(a)
    return wrap(lib.h_square(a._h, at(stream)))


def sqrt(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The square root of each element; nan for negative numbers.

    Args:
        a: any shape and type; integers are converted to float32.

    Example:
        >>> import mlxc as mx
        >>> mx.sqrt(mx.array([4.0, 9.0]))
        array([2, 3], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_sqrt(a._h, at(stream)))


def rsqrt(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """One over the square root of each element.

    Args:
        a: any shape and type; integers are converted to float32.

    Example:
        >>> import mlxc as mx
        >>> mx.rsqrt(mx.array([4.0, 16.0]))
        array([0.5, 0.25], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_rsqrt(a._h, at(stream)))


def reciprocal(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """One over each element.

    Args:
        a: any shape and type; integers are converted to float32.

    Example:
        >>> import mlxc as mx
        >>> mx.reciprocal(mx.array([2.0, 4.0]))
        array([0.5, 0.25], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_reciprocal(a._h, at(stream)))


def floor(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The largest whole number not above each element.

    Args:
        a: any shape, real; integers are returned as they are.

    Returns:
        The shape and type of `a`.

    Example:
        >>> import mlxc as mx
        >>> mx.floor(mx.array([1.5, -1.5]))
        array([1, -2], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_floor(a._h, at(stream)))


def ceil(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The smallest whole number not below each element.

    Args:
        a: any shape, real; integers are returned as they are.

    Returns:
        The shape and type of `a`.

    Example:
        >>> import mlxc as mx
        >>> mx.ceil(mx.array([1.5, -1.5]))
        array([2, -1], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_ceil(a._h, at(stream)))


def real(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The real part of each element.

    Args:
        a: any shape and type; real types are returned as they are.

    Returns:
        Type float32 for complex64.

    Example:
        >>> import mlxc as mx
        >>> mx.real(mx.array([1 + 2j]))
        array([1], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_real(a._h, at(stream)))


def imag(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The imaginary part of each element.

    Args:
        a: any shape and type.

    Returns:
        Type float32 for complex64; for real types zeros of the type of `a`.

    Example:
        >>> import mlxc as mx
        >>> mx.imag(mx.array([1 + 2j]))
        array([2], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_imag(a._h, at(stream)))


def conjugate(a: ArrayLike, *, stream: StreamOrDevice = None) -> array:
    """The complex conjugate of each element.

    Args:
        a: any shape and type; real types are returned as they are.

    Example:
        >>> import mlxc as mx
        >>> mx.conjugate(mx.array([1 + 2j]))
        array([1-2j], dtype=complex64)
    """
    a = as_array(a)
    return wrap(lib.h_conjugate(a._h, at(stream)))


conj = conjugate


def round(a: ArrayLike, /, decimals: int = 0, stream: StreamOrDevice = None) -> array:
    """Each element rounded to a number of decimals, halves to the even neighbour.

    Args:
        a: any shape and type.
        decimals: how many digits after the point to keep; negative ones count before it.

    Example:
        >>> import mlxc as mx
        >>> mx.round(mx.array([0.5, 1.5, -1.26]), 1)
        array([0.5, 1.5, -1.3], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_round(a._h, decimals, at(stream)))


def trunc(a: array, /, *, stream: StreamOrDevice = None) -> array:
    """Each element without its fraction: rounded towards zero.

    Args:
        a: any shape, real; integers are returned as they are.

    Returns:
        The shape and type of `a`.

    Example:
        >>> import mlxc as mx
        >>> mx.trunc(mx.array([1.7, -1.7]))
        array([1, -1], dtype=float32)
    """
    a, zero = pair(only_array(a), 0)
    s = at(stream)
    negative = wrap(lib.h_less(a._h, zero._h, s))
    up, down = wrap(lib.h_ceil(a._h, s)), wrap(lib.h_floor(a._h, s))
    return wrap(lib.h_where(negative._h, up._h, down._h, s))


def positive(a: array, /, *, stream: StreamOrDevice = None) -> array:
    """The elements as they are, which is what `+a` means.

    Args:
        a: any shape and type.

    Example:
        >>> import mlxc as mx
        >>> mx.positive(mx.array([1, -2]))
        array([1, -2], dtype=int32)
    """
    a = only_array(a)
    return wrap(lib.h_keep(a._h))


def clip(
    a: array,
    /,
    a_min: ArrayLike | None,
    a_max: ArrayLike | None,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """Each element moved into a range.

    Args:
        a: any shape and type.
        a_min: the lower limit, broadcast with `a`; None leaves that side open.
        a_max: the upper limit, broadcast with `a`; None leaves that side open.

    Raises:
        ValueError: both limits are None.

    Example:
        >>> import mlxc as mx
        >>> mx.clip(mx.array([1, 5, 9]), 2, 6)
        array([2, 5, 6], dtype=int32)
    """
    if a_min is None and a_max is None:
        raise ValueError("clip needs a limit: a_min and a_max are both None")
    a = only_array(a)
    low = None if a_min is None else pair(a, a_min)[1]
    high = None if a_max is None else pair(a, a_max)[1]
    return wrap(
        lib.h_clip(a._h, 0 if low is None else low._h, 0 if high is None else high._h, at(stream))
    )


def nan_to_num(
    a: ArrayLike,
    nan: float = 0,
    posinf: float | None = None,
    neginf: float | None = None,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """Each element, with numbers in place of nan and the infinities.

    Args:
        a: any shape and type; integers are returned as they are.
        nan: what replaces nan.
        posinf: what replaces infinity; None is the largest number of the type.
        neginf: what replaces minus infinity; None is the lowest number of the type.

    Example:
        >>> import mlxc as mx
        >>> mx.nan_to_num(mx.array([float("nan"), 1.0]))
        array([0, 1], dtype=float32)
    """
    a = as_array(a)
    return wrap(
        lib.h_nan_to_num(
            a._h,
            nan,
            0 if posinf is None else posinf,
            posinf is not None,
            0 if neginf is None else neginf,
            neginf is not None,
            at(stream),
        )
    )
