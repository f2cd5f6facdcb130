"""Reductions: one value for all elements, or for those along some axes.

Every function takes `stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .._dtype import bool_, int32
from .._ffi import lib
from .._handle import at, only_array, wrap
from ._arguments import ints

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice

__all__ = [
    "all",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "max",
    "min",
    "minmax",
    "prod",
    "sum",
]


def reduced(
    of_all: Callable[..., int],
    along_one: Callable[..., int],
    along_several: Callable[..., int],
    a: array,
    axis: int | Sequence[int] | None,
    keepdims: bool,
    stream: StreamOrDevice,
) -> array:
    """The call of the one of three C functions that fits `axis`."""
    a = only_array(a)
    if not a.size:  # MLX goes through the strides of empty arrays without end
        a = wrap(lib.h_contiguous(a._h, False, at(stream)))
    if axis is None:
        return wrap(of_all(a._h, keepdims, at(stream)))
    if isinstance(axis, int):
        return wrap(along_one(a._h, axis, keepdims, at(stream)))
    axes = ints(axis, "axis")
    return wrap(along_several(a._h, axes, len(axes), keepdims, at(stream)))


def sum(
    a: array,
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
    a: array,
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

    Example:
        >>> import mlxc as mx
        >>> mx.prod(mx.array([2, 3, 4]))
        array(24, dtype=int32)
    """
    return reduced(lib.h_prod, lib.h_prod_axis, lib.h_prod_axes, a, axis, keepdims, stream)


def max(
    a: array,
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

    Example:
        >>> import mlxc as mx
        >>> mx.max(mx.array([[1, 5], [4, 2]]), axis=0)
        array([4, 5], dtype=int32)
    """
    return reduced(lib.h_max, lib.h_max_axis, lib.h_max_axes, a, axis, keepdims, stream)


def min(
    a: array,
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

    Example:
        >>> import mlxc as mx
        >>> mx.min(mx.array([[1, 5], [4, 2]]), axis=1)
        array([1, 2], dtype=int32)
    """
    return reduced(lib.h_min, lib.h_min_axis, lib.h_min_axes, a, axis, keepdims, stream)


def all(
    a: array,
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

    Example:
        >>> import mlxc as mx
        >>> mx.all(mx.array([[True, False], [True, True]]), axis=1)
        array([False, True], dtype=bool)
    """
    return reduced(lib.h_all, lib.h_all_axis, lib.h_all_axes, a, axis, keepdims, stream)


def any(
    a: array,
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

    Example:
        >>> import mlxc as mx
        >>> mx.any(mx.array([[True, False], [False, False]]), axis=1)
        array([True, False], dtype=bool)
    """
    return reduced(lib.h_any, lib.h_any_axis, lib.h_any_axes, a, axis, keepdims, stream)


def argmax(
    a: array,
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

    Example:
        >>> import mlxc as mx
        >>> mx.argmax(mx.array([[1, 5], [4, 2]]), axis=-1)
        array([1, 0], dtype=uint32)
    """
    a = only_array(a)
    if axis is None:
        return wrap(lib.h_cpu_argmax(a._h, keepdims, at(stream)))
    return wrap(lib.h_cpu_argmax_axis(a._h, axis, keepdims, at(stream)))


def argmin(
    a: array,
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

    Raises:
        ValueError: there is nothing to choose from.

    Example:
        >>> import mlxc as mx
        >>> mx.argmin(mx.array([[1, 5], [4, 2]]), axis=-1)
        array([0, 1], dtype=uint32)
    """
    a = only_array(a)
    if axis is None:
        return wrap(lib.h_cpu_argmin(a._h, keepdims, at(stream)))
    return wrap(lib.h_cpu_argmin_axis(a._h, axis, keepdims, at(stream)))


def minmax(
    a: array,
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

    Raises:
        ValueError: there is nothing to choose from.

    Example:
        >>> import mlxc as mx
        >>> mx.minmax(mx.array([[1, 5], [4, 2]]), axis=0)
        (array([1, 2], dtype=int32), array([4, 5], dtype=int32))
    """
    return (
        min(a, axis, keepdims, stream=stream),
        max(a, axis, keepdims, stream=stream),
    )


def count_nonzero(
    a: array,
    /,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """How many elements are not zero.

    Args:
        a: any shape and type.
        axis: the axis or axes to count along; None is all of them.
        keepdims: keep the counted axes with length 1.

    Returns:
        Type int32.

    Example:
        >>> import mlxc as mx
        >>> mx.count_nonzero(mx.array([[0, 1], [2, 3]]), axis=0)
        array([1, 2], dtype=int32)
    """
    a = only_array(a)
    is_true = wrap(lib.h_astype(a._h, bool_._code, at(stream)))
    counted = wrap(lib.h_astype(is_true._h, int32._code, at(stream)))
    return sum(counted, axis, keepdims, stream=stream)
