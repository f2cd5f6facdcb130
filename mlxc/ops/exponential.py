"""Exponentials and logarithms, and the functions made of them.

Every function takes `stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._ffi import lib
from .._handle import as_array, at, wrap
from .reduce import reduced

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice
    from .._handle import ArrayLike

__all__ = [
    "erf",
    "erfinv",
    "exp",
    "expm1",
    "log",
    "log10",
    "log1p",
    "log2",
    "logsumexp",
    "sigmoid",
    "softmax",
]


def exp(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The exponential of each element.

    Args:
        a: any shape and type; integers are converted to float32.

    Example:
        >>> import mlxc as mx
        >>> mx.exp(mx.array([0.0, 1.0]))
        array([1, 2.71828], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_cpu_exp(a._h, at(stream)))


def expm1(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """`exp(a) - 1` of each element, exact near zero.

    Args:
        a: any shape, real; integers are converted to float32.

    Example:
        >>> import mlxc as mx
        >>> mx.expm1(mx.array([1e-6, 1.0]))
        array([1e-06, 1.71828], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_expm1(a._h, at(stream)))


def log(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The natural logarithm of each element.

    Args:
        a: any shape and type; integers are converted to float32.

    Example:
        >>> import mlxc as mx
        >>> import math
        >>> mx.log(mx.array([1.0, math.e]))
        array([0, 1], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_cpu_log(a._h, at(stream)))


def log2(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The base-2 logarithm of each element.

    Args:
        a: any shape and type; integers are converted to float32.

    Example:
        >>> import mlxc as mx
        >>> mx.log2(mx.array([1.0, 8.0]))
        array([0, 3], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_log2(a._h, at(stream)))


def log10(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The base-10 logarithm of each element.

    Args:
        a: any shape and type; integers are converted to float32.

    Example:
        >>> import mlxc as mx
        >>> mx.log10(mx.array([1.0, 1000.0]))
        array([0, 3], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_log10(a._h, at(stream)))


def log1p(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """`log(1 + a)` of each element, exact near zero.

    Args:
        a: any shape and type; integers are converted to float32.

    Example:
        >>> import mlxc as mx
        >>> mx.log1p(mx.array([1e-6, 1.0]))
        array([1e-06, 0.693147], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_log1p(a._h, at(stream)))


def sigmoid(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The logistic function `1 / (1 + exp(-a))` of each element.

    Args:
        a: any shape and type; integers are converted to float32.

    Example:
        >>> import mlxc as mx
        >>> mx.sigmoid(mx.array([-1.0, 0.0]))
        array([0.268941, 0.5], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_cpu_sigmoid(a._h, at(stream)))


def erf(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The error function of each element.

    Args:
        a: any shape and type; integers are converted to float32.

    Example:
        >>> import mlxc as mx
        >>> mx.erf(mx.array([0.5]))
        array([0.5205], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_erf(a._h, at(stream)))


def erfinv(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The inverse of the error function of each element in [-1, 1]; nan outside.

    Args:
        a: any shape, real; integers are converted to float32.

    Example:
        >>> import mlxc as mx
        >>> mx.erfinv(mx.array([0.0, 0.5]))
        array([0, 0.476936], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_erfinv(a._h, at(stream)))


def logsumexp(
    a: array,
    /,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """`log(sum(exp(a)))` without overflow.

    Args:
        a: any shape; integers are converted to float32.
        axis: the axis or axes to reduce; None is all of them.
        keepdims: keep the reduced axes with length 1.

    Example:
        >>> import mlxc as mx
        >>> mx.logsumexp(mx.array([0.0, 0.0]))
        array(0.693147, dtype=float32)
    """
    return reduced(
        lib.h_cpu_logsumexp,
        lib.h_cpu_logsumexp_axis,
        lib.h_logsumexp_axes,
        a,
        axis,
        keepdims,
        stream,
    )


def softmax(
    a: array,
    /,
    axis: int | Sequence[int] | None = None,
    *,
    precise: bool = False,
    stream: StreamOrDevice = None,
) -> array:
    """`exp(a) / sum(exp(a))` without overflow: positive numbers that sum to 1.

    Args:
        a: any shape; integers are converted to float32.
        axis: the axis or axes that sum to 1; None is all of them.
        precise: compute half precision types in float32.

    Returns:
        The shape of `a`.

    Example:
        >>> import mlxc as mx
        >>> mx.softmax(mx.array([[0.0, 0.0]]), axis=-1)
        array([[0.5, 0.5]], dtype=float32)
    """
    return reduced(
        lib.h_cpu_softmax, lib.h_cpu_softmax_axis, lib.h_softmax_axes, a, axis, precise, stream
    )
