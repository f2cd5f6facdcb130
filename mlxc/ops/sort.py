"""Order along an axis.

Every function takes `stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._dtype import uint32
from .._ffi import lib
from .._handle import as_array, at, wrap
from .arithmetic import add, minimum, subtract
from .compare import less, less_equal
from .create import zeros
from .logic import logical_and
from .take import take, where

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice
    from .._handle import ArrayLike

__all__ = ["argpartition", "argsort", "partition", "searchsorted", "sort", "topk"]


def sort(a: ArrayLike, /, axis: int | None = -1, *, stream: StreamOrDevice = None) -> array:
    """The elements in ascending order.

    Args:
        a: any shape, real.
        axis: the axis to order along; None orders the flattened array.
    """
    a = as_array(a)
    if axis is None:
        return wrap(lib.h_sort(a._h, at(stream)))
    return wrap(lib.h_sort_axis(a._h, axis, at(stream)))


def argsort(a: ArrayLike, /, axis: int | None = -1, *, stream: StreamOrDevice = None) -> array:
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
    a = as_array(a)
    if axis is None:
        return wrap(lib.h_argsort(a._h, at(stream)))
    return wrap(lib.h_argsort_axis(a._h, axis, at(stream)))


def partition(
    a: ArrayLike, /, kth: int, axis: int | None = -1, *, stream: StreamOrDevice = None
) -> array:
    """The elements, smaller ones before the `kth` and larger ones behind it.

    Args:
        a: any shape, real.
        kth: the index that gets the element it would have if all were sorted; negative ones
            count from the end.
        axis: the axis to order along; None orders the flattened array.
    """
    a = as_array(a)
    if axis is None:
        return wrap(lib.h_partition(a._h, kth, at(stream)))
    return wrap(lib.h_partition_axis(a._h, kth, axis, at(stream)))


def argpartition(
    a: ArrayLike, /, kth: int, axis: int | None = -1, *, stream: StreamOrDevice = None
) -> array:
    """The indices that partition the elements.

    Args:
        a: any shape, real.
        kth: the index that gets the element it would have if all were sorted; negative ones
            count from the end.
        axis: the axis to order along; None orders the flattened array.

    Returns:
        Type uint32.
    """
    a = as_array(a)
    if axis is None:
        return wrap(lib.h_argpartition(a._h, kth, at(stream)))
    return wrap(lib.h_argpartition_axis(a._h, kth, axis, at(stream)))


def topk(a: ArrayLike, /, k: int, axis: int | None = -1, *, stream: StreamOrDevice = None) -> array:
    """The `k` largest elements, in no certain order.

    Args:
        a: any shape, real.
        k: how many.
        axis: the axis to order along; None orders the flattened array.

    Raises:
        ValueError: there are fewer than `k`.
    """
    a = as_array(a)
    if axis is None:
        return wrap(lib.h_topk(a._h, k, at(stream)))
    return wrap(lib.h_topk_axis(a._h, k, axis, at(stream)))


def searchsorted(
    sorted_sequence: ArrayLike,
    values: ArrayLike,
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
    a, values = as_array(sorted_sequence), as_array(values)
    if a.ndim != 1:
        raise ValueError(f"sorted_sequence must have one axis, got shape {a.shape}")
    if side not in ("left", "right"):
        raise ValueError(f"side must be 'left' or 'right', got {side!r}")
    is_before = less if side == "left" else less_equal
    found = zeros(values.shape, uint32, stream=stream)
    # Binary search from the highest bit: advance where the last element passed lies before.
    for bit in reversed(range(a.size.bit_length())):
        ahead = add(found, 1 << bit, stream=stream)
        index = subtract(minimum(ahead, a.size, stream=stream), 1, stream=stream)
        last = take(a, index, stream=stream)
        fits = logical_and(
            less_equal(ahead, a.size, stream=stream),
            is_before(last, values, stream=stream),
            stream=stream,
        )
        found = where(fits, ahead, found, stream=stream)
    return found
