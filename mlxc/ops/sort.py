"""Order along an axis.

Every function takes `stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._ffi import foreign, lib
from .._handle import as_array, at, only_array, unpack, wrap
from . import _composed
from ._arguments import text

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice
    from .._handle import Scalar

__all__ = ["argpartition", "argsort", "partition", "searchsorted", "sort", "topk", "unique"]


def sort(a: array, /, axis: int | None = -1, *, stream: StreamOrDevice = None) -> array:
    """The elements in ascending order.

    Args:
        a: any shape, real.
        axis: the axis to order along; None orders the flattened array.

    Example:
        >>> import mlxc as mx
        >>> mx.sort(mx.array([3, 1, 2]))
        array([1, 2, 3], dtype=int32)
    """
    a = only_array(a)
    if axis is None:
        return wrap(lib.h_sort(a._h, at(stream)))
    return wrap(lib.h_sort_axis(a._h, axis, at(stream)))


def argsort(a: array, /, axis: int | None = -1, *, stream: StreamOrDevice = None) -> array:
    """The indices that sort the elements.

    Args:
        a: any shape, real.
        axis: the axis to order along; None orders the flattened array.

    Returns:
        Type uint32.

    Example:
        >>> import mlxc as mx
        >>> mx.argsort(mx.array([3, 1, 2]))
        array([1, 2, 0], dtype=uint32)
    """
    a = only_array(a)
    if axis is None:
        return wrap(lib.h_argsort(a._h, at(stream)))
    return wrap(lib.h_cpu_argsort_axis(a._h, axis, at(stream)))


def partition(
    a: array, /, kth: int, axis: int | None = -1, *, stream: StreamOrDevice = None
) -> array:
    """The elements, smaller ones before the `kth` and larger ones behind it.

    Args:
        a: any shape, real.
        kth: the index that gets the element it would have if all were sorted; negative ones
            count from the end.
        axis: the axis to order along; None orders the flattened array.

    Raises:
        ValueError: there is no such `kth`.
        IndexError: there is no such axis.

    Example:
        >>> import mlxc as mx
        >>> mx.partition(mx.array([3, 1, 2]), 1)[1]
        array(2, dtype=int32)
    """
    a = only_array(a)
    if axis is None:
        return wrap(lib.h_partition(a._h, kth, at(stream)))
    return wrap(lib.h_partition_axis(a._h, kth, axis, at(stream)))


def argpartition(
    a: array, /, kth: int, axis: int | None = -1, *, stream: StreamOrDevice = None
) -> array:
    """The indices that partition the elements.

    Args:
        a: any shape, real.
        kth: the index that gets the element it would have if all were sorted; negative ones
            count from the end.
        axis: the axis to order along; None orders the flattened array.

    Returns:
        Type uint32.

    Raises:
        ValueError: there is no such `kth`.
        IndexError: there is no such axis.

    Example:
        >>> import mlxc as mx
        >>> mx.argpartition(mx.array([3, 1, 2]), 1)[1]
        array(2, dtype=uint32)
    """
    a = only_array(a)
    if axis is None:
        return wrap(lib.h_argpartition(a._h, kth, at(stream)))
    return wrap(lib.h_cpu_argpartition_axis(a._h, kth, axis, at(stream)))


def topk(a: array, /, k: int, axis: int | None = -1, *, stream: StreamOrDevice = None) -> array:
    """The `k` largest elements, in no certain order.

    Args:
        a: any shape, real.
        k: how many.
        axis: the axis to order along; None orders the flattened array.

    Raises:
        ValueError: there are fewer than `k`.

    Example:
        >>> import mlxc as mx
        >>> mx.sort(mx.topk(mx.array([3, 1, 2]), 2))
        array([2, 3], dtype=int32)
    """
    a = only_array(a)
    if axis is None:
        return wrap(lib.h_topk(a._h, k, at(stream)))
    return wrap(lib.h_topk_axis(a._h, k, axis, at(stream)))


def searchsorted(
    sorted_sequence: array,
    values: array,
    /,
    side: str = "left",
    *,
    stream: StreamOrDevice = None,
) -> array:
    """Where values belong in a sorted sequence.

    Args:
        sorted_sequence: shape (N,), ascending.
        values: any shape.
        side: before ("left") or behind ("right") elements that are equal.

    Returns:
        Type uint32, the shape of `values`: how many elements lie before each of them.

    Raises:
        ValueError: the sequence does not have one axis, or `side` is something else.

    Example:
        >>> import mlxc as mx
        >>> from mlxc.ops.sort import searchsorted
        >>> searchsorted(mx.array([1, 2, 2, 4]), mx.array([0, 2, 5]))
        array([0, 1, 4], dtype=uint32)
    """
    a, values = only_array(sorted_sequence), only_array(values)
    if foreign:
        return _composed.searchsorted(a, values, side, stream)
    return wrap(lib.h_searchsorted(a._h, values._h, text(side, "side"), at(stream)))


def unique(
    a: array,
    /,
    size: int,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    fill_value: Scalar | array | None = None,
    *,
    stream: StreamOrDevice = None,
) -> array | tuple[array, ...]:
    """The different elements in ascending order, as many as are asked for.

    The size does not depend on the values, so nothing is evaluated. With fewer than `size`
    different elements the rest is filled up; with more, the largest are left out, and what else
    is returned no longer describes all of `a`. NaNs differ from each other.

    Args:
        a: any shape.
        size: the length of the result.
        return_index: return where in the flattened `a` each element is found first.
        return_inverse: return which element of the result stands at each place of `a`.
        return_counts: return how often each element is found; 0 for those filled up.
        fill_value: what is filled up with; None is the smallest element.

    Returns:
        The elements, shape (size,); or a tuple of them and of what else was asked for, in the
        order above: uint32 of shape (size,), uint32 of the shape of `a`, int32 of shape (size,).

    Raises:
        ValueError: `size` is negative, `fill_value` is not one element, or `a` is empty and
            there is nothing to fill up with.

    Example:
        >>> import mlxc as mx
        >>> mx.unique(mx.array([3, 1, 1]), 2, return_counts=True)
        (array([1, 3], dtype=int32), array([2, 1], dtype=int32))
    """
    a = only_array(a)
    fill = None if fill_value is None else as_array(fill_value)
    results = unpack(
        lib.h_unique(
            a._h,
            size,
            return_index,
            return_inverse,
            return_counts,
            0 if fill is None else fill._h,
            at(stream),
        )
    )
    return results[0] if len(results) == 1 else tuple(results)
