"""Reductions: one value for all elements, or for those along some axes.

Every function takes `stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .._dtype import bool_
from .._ffi import lib
from .._handle import as_array, at, wrap
from ._arguments import ints

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice
    from .._dtype import Dtype
    from .._handle import ArrayLike

__all__ = [
    "all",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "logsumexp",
    "max",
    "mean",
    "median",
    "min",
    "minmax",
    "prod",
    "softmax",
    "std",
    "sum",
    "trace",
    "var",
]


def reduced(
    of_all: Callable[..., int],
    along_one: Callable[..., int],
    along_several: Callable[..., int],
    a: ArrayLike,
    axis: int | Sequence[int] | None,
    keepdims: bool,
    stream: StreamOrDevice,
) -> array:
    """The call of the one of three C functions that fits `axis`."""
    a = as_array(a)
    if axis is None:
        return wrap(of_all(a._h, keepdims, at(stream)))
    if isinstance(axis, int):
        return wrap(along_one(a._h, axis, keepdims, at(stream)))
    axes = ints(axis, "axis")
    return wrap(along_several(a._h, axes, len(axes), keepdims, at(stream)))


def sum(
    a: ArrayLike,
    /,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The sum.

    Args:
        a: any shape.
        axis: the axis or axes to reduce; None is all of them.
        keepdims: keep the reduced axes with length 1.

    Returns:
        Type int32 for bool and the small integers, else that of `a`.

    Example:
        >>> import mlxc as mx
        >>> mx.sum(mx.array([[1, 2], [3, 4]]), axis=0)
        array([4, 6], dtype=int32)
    """
    return reduced(lib.h_sum, lib.h_sum_axis, lib.h_sum_axes, a, axis, keepdims, stream)


def prod(
    a: ArrayLike,
    /,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The product.

    Args:
        a: any shape.
        axis: the axis or axes to reduce; None is all of them.
        keepdims: keep the reduced axes with length 1.
    """
    return reduced(lib.h_prod, lib.h_prod_axis, lib.h_prod_axes, a, axis, keepdims, stream)


def mean(
    a: ArrayLike,
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
    """
    return reduced(lib.h_mean, lib.h_mean_axis, lib.h_mean_axes, a, axis, keepdims, stream)


def max(
    a: ArrayLike,
    /,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The largest element; nan if there is one.

    Args:
        a: any shape.
        axis: the axis or axes to reduce; None is all of them.
        keepdims: keep the reduced axes with length 1.

    Raises:
        ValueError: there is nothing to choose from.
    """
    return reduced(lib.h_max, lib.h_max_axis, lib.h_max_axes, a, axis, keepdims, stream)


def min(
    a: ArrayLike,
    /,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The smallest element; nan if there is one.

    Args:
        a: any shape.
        axis: the axis or axes to reduce; None is all of them.
        keepdims: keep the reduced axes with length 1.

    Raises:
        ValueError: there is nothing to choose from.
    """
    return reduced(lib.h_min, lib.h_min_axis, lib.h_min_axes, a, axis, keepdims, stream)


def all(
    a: ArrayLike,
    /,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """Whether all elements are true.

    Args:
        a: any shape; what is not zero is true.
        axis: the axis or axes to reduce; None is all of them.
        keepdims: keep the reduced axes with length 1.
    """
    return reduced(lib.h_all, lib.h_all_axis, lib.h_all_axes, a, axis, keepdims, stream)


def any(
    a: ArrayLike,
    /,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """Whether any element is true.

    Args:
        a: any shape; what is not zero is true.
        axis: the axis or axes to reduce; None is all of them.
        keepdims: keep the reduced axes with length 1.
    """
    return reduced(lib.h_any, lib.h_any_axis, lib.h_any_axes, a, axis, keepdims, stream)


def logsumexp(
    a: ArrayLike,
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
    """
    return reduced(
        lib.h_logsumexp, lib.h_logsumexp_axis, lib.h_logsumexp_axes, a, axis, keepdims, stream
    )


def median(
    a: ArrayLike,
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
    """
    a = as_array(a)
    axes = range(a.ndim) if axis is None else axis
    axes = ints(axes, "axis")
    return wrap(lib.h_median(a._h, axes, len(axes), keepdims, at(stream)))


def var(
    a: ArrayLike,
    /,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
    ddof: int = 0,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The variance: the mean squared distance from the mean.

    Args:
        a: any shape; integers are converted to float32.
        axis: the axis or axes to reduce; None is all of them.
        keepdims: keep the reduced axes with length 1.
        ddof: what is subtracted from the number of elements in the divisor; 1 gives the
            unbiased estimate.
    """
    a = as_array(a)
    if axis is None:
        return wrap(lib.h_var(a._h, keepdims, ddof, at(stream)))
    axes = ints(axis, "axis")
    return wrap(lib.h_var_axes(a._h, axes, len(axes), keepdims, ddof, at(stream)))


def std(
    a: ArrayLike,
    /,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
    ddof: int = 0,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The standard deviation: the square root of the variance.

    Args:
        a: any shape; integers are converted to float32.
        axis: the axis or axes to reduce; None is all of them.
        keepdims: keep the reduced axes with length 1.
        ddof: what is subtracted from the number of elements in the divisor; 1 gives the
            unbiased estimate.
    """
    a = as_array(a)
    if axis is None:
        return wrap(lib.h_std(a._h, keepdims, ddof, at(stream)))
    axes = ints(axis, "axis")
    return wrap(lib.h_std_axes(a._h, axes, len(axes), keepdims, ddof, at(stream)))


def argmax(
    a: ArrayLike,
    /,
    axis: int | None = None,
    keepdims: bool = False,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The index of the first largest element.

    Args:
        a: any shape, real.
        axis: the axis to search; None searches the flattened array.
        keepdims: keep the searched axis, or all of them, with length 1.

    Returns:
        Type uint32.
    """
    a = as_array(a)
    if axis is None:
        return wrap(lib.h_argmax(a._h, keepdims, at(stream)))
    return wrap(lib.h_argmax_axis(a._h, axis, keepdims, at(stream)))


def argmin(
    a: ArrayLike,
    /,
    axis: int | None = None,
    keepdims: bool = False,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The index of the first smallest element.

    Args:
        a: any shape, real.
        axis: the axis to search; None searches the flattened array.
        keepdims: keep the searched axis, or all of them, with length 1.

    Returns:
        Type uint32.
    """
    a = as_array(a)
    if axis is None:
        return wrap(lib.h_argmin(a._h, keepdims, at(stream)))
    return wrap(lib.h_argmin_axis(a._h, axis, keepdims, at(stream)))


def softmax(
    a: ArrayLike,
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
    return reduced(lib.h_softmax, lib.h_softmax_axis, lib.h_softmax_axes, a, axis, precise, stream)


def minmax(
    a: ArrayLike,
    /,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
    *,
    stream: StreamOrDevice = None,
) -> tuple[array, array]:
    """The smallest and the largest element, as `min` and `max` give them.

    Args:
        a: any shape.
        axis: the axis or axes to reduce; None is all of them.
        keepdims: keep the reduced axes with length 1.
    """
    return (
        min(a, axis, keepdims, stream=stream),
        max(a, axis, keepdims, stream=stream),
    )


def count_nonzero(
    a: ArrayLike,
    /,
    *,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
    stream: StreamOrDevice = None,
) -> array:
    """How many elements are not zero.

    Args:
        a: any shape and type.
        axis: the axis or axes to count along; None is all of them.
        keepdims: keep the counted axes with length 1.

    Returns:
        Type int32.
    """
    a = as_array(a)
    is_true = wrap(lib.h_astype(a._h, bool_._code, at(stream)))
    return sum(is_true, axis, keepdims, stream=stream)


def trace(
    a: ArrayLike,
    /,
    offset: int = 0,
    axis1: int = 0,
    axis2: int = 1,
    dtype: Dtype | None = None,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The sum of a diagonal.

    Args:
        a: at least two axes.
        offset: which diagonal; positive ones lie above the main one.
        axis1: the axis of the rows.
        axis2: the axis of the columns.
        dtype: the type to sum in; None is that of `sum`.

    Returns:
        The shape of `a` without the two axes.
    """
    a = as_array(a)
    if dtype is not None:
        return wrap(lib.h_trace(a._h, offset, axis1, axis2, dtype._code, at(stream)))
    diagonal = wrap(lib.h_diagonal(a._h, offset, axis1, axis2, at(stream)))
    return sum(diagonal, -1, stream=stream)
