"""Statistics: mean, median, variance.

Every function takes `stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._ffi import lib
from .._handle import at, only_array, wrap
from ._arguments import ints
from .reduce import reduced

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice

__all__ = [
    "mean",
    "median",
    "std",
    "var",
]


def mean(
    a: array,
    /,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The arithmetic mean.

    Args:
        a: any shape.
        axis: the axis or axes to reduce; None is all of them.
        keepdims: keep the reduced axes with length 1.

    Returns:
        Type float32 for integers, else that of `a`.

    Example:
        >>> import mlxc as mx
        >>> mx.mean(mx.array([[1.0, 2.0], [3.0, 5.0]]), axis=0)
        array([2, 3.5], dtype=float32)
    """
    return reduced(lib.h_mean, lib.h_mean_axis, lib.h_mean_axes, a, axis, keepdims, stream)


def median(
    a: array,
    /,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The middle of the sorted elements, the mean of both if there are two.

    Args:
        a: any shape; integers are converted to float32.
        axis: the axis or axes to reduce; None is all of them.
        keepdims: keep the reduced axes with length 1.

    Example:
        >>> import mlxc as mx
        >>> mx.median(mx.array([1.0, 5.0, 2.0]))
        array(2, dtype=float32)
    """
    a = only_array(a)
    axes = range(a.ndim) if axis is None else axis
    axes = ints(axes, "axis")
    return wrap(lib.h_median(a._h, axes, len(axes), keepdims, at(stream)))


def var(
    a: array,
    /,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
    ddof: int = 0,
    *,
    correction: int | None = None,
    stream: StreamOrDevice = None,
) -> array:
    """The variance: the mean squared distance from the mean.

    Args:
        a: any shape; integers are converted to float32.
        axis: the axis or axes to reduce; None is all of them.
        keepdims: keep the reduced axes with length 1.
        ddof: what is subtracted from the number of elements in the divisor; 1 gives the
            unbiased estimate.
        correction: another name of `ddof`, which it overrides.

    Example:
        >>> import mlxc as mx
        >>> mx.var(mx.array([1.0, 2.0, 3.0, 4.0]))
        array(1.25, dtype=float32)
    """
    a = only_array(a)
    ddof = ddof if correction is None else correction
    if axis is None:
        return wrap(lib.h_var(a._h, keepdims, ddof, at(stream)))
    axes = ints(axis, "axis")
    return wrap(lib.h_var_axes(a._h, axes, len(axes), keepdims, ddof, at(stream)))


def std(
    a: array,
    /,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
    ddof: int = 0,
    *,
    correction: int | None = None,
    stream: StreamOrDevice = None,
) -> array:
    """The standard deviation: the square root of the variance.

    Args:
        a: any shape; integers are converted to float32.
        axis: the axis or axes to reduce; None is all of them.
        keepdims: keep the reduced axes with length 1.
        ddof: what is subtracted from the number of elements in the divisor; 1 gives the
            unbiased estimate.
        correction: another name of `ddof`, which it overrides.

    Example:
        >>> import mlxc as mx
        >>> mx.std(mx.array([1.0, 3.0]))
        array(1, dtype=float32)
    """
    a = only_array(a)
    ddof = ddof if correction is None else correction
    if axis is None:
        return wrap(lib.h_std(a._h, keepdims, ddof, at(stream)))
    axes = ints(axis, "axis")
    return wrap(lib.h_std_axes(a._h, axes, len(axes), keepdims, ddof, at(stream)))
