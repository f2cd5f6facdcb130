"""Elements chosen by index or by condition, and put back.

Every function takes `stream`, the stream or device to run on; None is the default. An integer is
checked against the bounds. Indices in an array are not, since that would evaluate them: beyond the
bounds, `take` and `slice` read, and `put_along_axis` and `slice_update` write, memory that is not
the array's, as in mlx.core.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._ffi import lib
from .._handle import Handle, as_array, at, only_array, pair, wrap
from ._arguments import integer, ints

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice
    from .._handle import ArrayLike

__all__ = ["put_along_axis", "slice", "slice_update", "take", "take_along_axis", "where"]


def where(
    condition: ArrayLike, x: ArrayLike, y: ArrayLike, /, *, stream: StreamOrDevice = None
) -> array:
    """Elements of `x` where the condition is true, of `y` elsewhere.

    Args:
        condition: any shape; what is not zero is true.
        x: any shape.
        y: any shape; all three broadcast. A Python scalar takes the type of the other.

    Example:
        >>> import mlxc as mx
        >>> mx.where(mx.array([True, False]), mx.array([1, 2]), 0)
        array([1, 0], dtype=int32)
    """
    condition = as_array(condition)
    x, y = pair(x, y)
    return wrap(lib.h_where(condition._h, x._h, y._h, at(stream)))


def take(
    a: array,
    /,
    indices: int | array,
    axis: int | None = None,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The elements at indices along an axis, as `a[:, indices]` for `axis=1`.

    Args:
        a: at least one axis.
        indices: one index, or integers of any shape; negative ones count from the end.
        axis: the axis to choose from; None chooses from the flattened array.

    Returns:
        The shape of `a` with that of `indices` in place of the axis.

    Raises:
        IndexError: there is no such axis, or an integer is out of bounds.

    Example:
        >>> import mlxc as mx
        >>> mx.take(mx.array([5, 6, 7]), mx.array([2, 0]))
        array([7, 5], dtype=int32)
    """
    a = only_array(a)
    if not isinstance(indices, Handle) and (one := integer(indices)) is not None:
        _check_index(a, one, axis)
        indices = as_array(one)
    indices = only_array(indices)
    if axis is None:
        return wrap(lib.h_take(a._h, indices._h, at(stream)))
    return wrap(lib.h_take_axis(a._h, indices._h, axis, at(stream)))


def _check_index(a: array, index: int, axis: int | None) -> None:
    if axis is not None and not -a.ndim <= axis < a.ndim:
        raise IndexError(f"axis {axis} is out of bounds for an array with {a.ndim} dimensions")
    size = a.size if axis is None else a.shape[axis]
    if not -size <= index < size:
        along = "the flattened array" if axis is None else f"axis {axis}"
        raise IndexError(f"index {index} is out of bounds for {along} with size {size}")


def take_along_axis(
    a: array,
    /,
    indices: array,
    axis: int | None = -1,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """For each line along an axis, the elements at indices of its own.

    Args:
        a: any shape.
        indices: integers, as `argsort` gives them; but for the axis, they broadcast with `a`.
        axis: the axis to choose along; None chooses from the flattened array.

    Returns:
        The shape of `indices`, broadcast.

    Example:
        >>> import mlxc as mx
        >>> mx.take_along_axis(mx.array([[5, 6], [7, 8]]), mx.array([[1], [0]]), axis=1)
        array([[6],
               [7]], dtype=int32)
    """
    a, indices = only_array(a), only_array(indices)
    if axis is None:
        a, axis = wrap(lib.h_flatten(a._h, 0, -1, at(stream))), 0
    return wrap(lib.h_take_along_axis(a._h, indices._h, axis, at(stream)))


def put_along_axis(
    a: array,
    /,
    indices: array,
    values: array,
    axis: int | None = None,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The array with other values at the indices that `take_along_axis` reads.

    Args:
        a: any shape.
        indices: integers; but for the axis, they broadcast with `a`.
        values: what to put there, broadcast with `indices` and converted to the type of `a`.
        axis: the axis to put along; None puts into the flattened array.

    Returns:
        The shape and type of `a`.

    Raises:
        ValueError: `indices` has another number of axes, or a shape does not fit.
        IndexError: there is no such axis.

    Example:
        >>> import mlxc as mx
        >>> a, places = mx.array([[5, 6], [7, 8]]), mx.array([[1], [0]])
        >>> mx.put_along_axis(a, places, mx.array(0), axis=1)
        array([[5, 0],
               [0, 8]], dtype=int32)
    """
    a, indices, values = only_array(a), only_array(indices), only_array(values)
    if axis is not None:
        return wrap(lib.h_put_along_axis(a._h, indices._h, values._h, axis, at(stream)))
    flat = wrap(lib.h_flatten(a._h, 0, -1, at(stream)))
    flat = wrap(lib.h_put_along_axis(flat._h, indices._h, values._h, 0, at(stream)))
    shape = a.shape
    return wrap(lib.h_reshape(flat._h, shape, len(shape), at(stream)))


def slice(
    a: array,
    start_indices: array,
    axes: Sequence[int],
    slice_size: Sequence[int],
    *,
    stream: StreamOrDevice = None,
) -> array:
    """A part of an array whose place is itself an array, and may be computed.

    Args:
        a: any shape.
        start_indices: where the part starts along `axes`, one integer an axis.
        axes: the axes that do not start at 0.
        slice_size: the shape of the part.

    Example:
        >>> import mlxc as mx
        >>> a = mx.array([[1, 2, 3], [4, 5, 6]])
        >>> mx.slice(a, mx.array([1]), axes=(0,), slice_size=(1, 2))
        array([[4, 5]], dtype=int32)
    """
    a, start = only_array(a), only_array(start_indices)
    axes, size = ints(axes, "axes"), ints(slice_size, "slice_size")
    s = at(stream)
    return wrap(lib.h_slice_dynamic(a._h, start._h, axes, len(axes), size, len(size), s))


def slice_update(
    a: array,
    update: array,
    start_indices: array,
    axes: Sequence[int],
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The array with a part replaced whose place is itself an array.

    Args:
        a: any shape.
        update: the part, converted to the type of `a`.
        start_indices: where the part starts along `axes`, one integer an axis.
        axes: the axes that do not start at 0.

    Returns:
        The shape and type of `a`.

    Raises:
        ValueError: the part does not fit.

    Example:
        >>> import mlxc as mx
        >>> a = mx.array([[1, 2, 3], [4, 5, 6]])
        >>> mx.slice_update(a, mx.array([[0, 0]]), mx.array([1]), axes=(0,))
        array([[1, 2, 3],
               [0, 0, 6]], dtype=int32)
    """
    a, update = only_array(a), only_array(update)
    if update.ndim > a.ndim:  # MLX would read beyond the shape
        raise ValueError(f"update has shape {update.shape}, more axes than {a.shape}")
    start = only_array(start_indices)
    axes = ints(axes, "axes")
    s = at(stream)
    return wrap(lib.h_slice_update_dynamic(a._h, update._h, start._h, axes, len(axes), s))
