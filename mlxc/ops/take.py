"""Elements chosen by index or by condition, and put back.

Every function takes `stream`, the stream or device to run on; None is the default. Integers and
lists of them are checked against the bounds. Indices in an array are not, since that would
evaluate them: beyond the bounds, `take` and `slice` read, and `put_along_axis` and `slice_update`
write, memory that is not the array's, as in mlx.core.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._bounds import check_known
from .._ffi import lib
from .._handle import as_array, at, pair, wrap
from ._arguments import ints

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
    a: ArrayLike,
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
        IndexError: there is no such axis, or an integer or one in a list is out of bounds.
    """
    a = as_array(a)
    if isinstance(indices, int):
        indices = int(indices)
    places = _places(a, indices, axis)
    if axis is None:
        return wrap(lib.h_take(a._h, places._h, at(stream)))
    return wrap(lib.h_take_axis(a._h, places._h, axis, at(stream)))


def _places(a: array, indices: ArrayLike, axis: int | None) -> array:
    """Indices as an array; an IndexError if they are known and outside of an axis."""
    places = as_array(indices)
    if places is indices:
        return places
    if axis is None:
        check_known(places, a.size, "the flattened array")
    elif -a.ndim <= axis < a.ndim:
        check_known(places, a.shape[axis], f"axis {axis}")
    else:
        raise IndexError(f"axis {axis} is out of bounds for an array with {a.ndim} dimensions")
    return places


def take_along_axis(
    a: ArrayLike,
    /,
    indices: ArrayLike,
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

    Raises:
        IndexError: an integer in a list is out of bounds.
    """
    a = as_array(a)
    places = _places(a, indices, axis)
    if axis is None:
        a, axis = wrap(lib.h_flatten(a._h, 0, -1, at(stream))), 0
    return wrap(lib.h_take_along_axis(a._h, places._h, axis, at(stream)))


def put_along_axis(
    a: ArrayLike,
    /,
    indices: ArrayLike,
    values: ArrayLike,
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
        IndexError: an integer in a list is out of bounds.
    """
    a, values = pair(a, values)
    places = _places(a, indices, axis)
    if axis is not None:
        return wrap(lib.h_put_along_axis(a._h, places._h, values._h, axis, at(stream)))
    flat = wrap(lib.h_flatten(a._h, 0, -1, at(stream)))
    flat = wrap(lib.h_put_along_axis(flat._h, places._h, values._h, 0, at(stream)))
    shape = a.shape
    return wrap(lib.h_reshape(flat._h, shape, len(shape), at(stream)))


def slice(
    a: ArrayLike,
    start_indices: ArrayLike,
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

    Raises:
        IndexError: an integer in a list starts a part that does not fit.

    Example:
        >>> import mlxc as mx
        >>> a = mx.array([[1, 2, 3], [4, 5, 6]])
        >>> mx.slice(a, mx.array([1]), axes=(0,), slice_size=(1, 2))
        array([[4, 5]], dtype=int32)
    """
    a, start = as_array(a), as_array(start_indices)
    axes, size = ints(axes, "axes"), ints(slice_size, "slice_size")
    if start is not start_indices:
        _check_start(a, start, axes, size)
    s = at(stream)
    return wrap(lib.h_slice_dynamic(a._h, start._h, axes, len(axes), size, len(size), s))


def slice_update(
    a: ArrayLike,
    update: ArrayLike,
    start_indices: ArrayLike,
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
        IndexError: an integer in a list starts a part that does not fit.
    """
    a, update = pair(a, update)
    if update.ndim > a.ndim:  # MLX would read beyond the shape
        raise ValueError(f"update has shape {update.shape}, more axes than {a.shape}")
    start = as_array(start_indices)
    axes = ints(axes, "axes")
    if start is not start_indices:
        _check_start(a, start, axes, (1,) * (a.ndim - update.ndim) + update.shape)
    s = at(stream)
    return wrap(lib.h_slice_update_dynamic(a._h, update._h, start._h, axes, len(axes), s))


def _check_start(a: array, start: array, axes: Sequence[int], size: Sequence[int]) -> None:
    """Raise an IndexError if a part that starts at known indices does not fit into an array."""
    starts = start.tolist() if start.ndim else [start.item()]
    for place, axis in zip(starts, axes, strict=False):
        if -a.ndim <= axis < a.ndim and len(size) == a.ndim:
            most = a.shape[axis] - size[axis]
            if not 0 <= place <= most:
                raise IndexError(f"the start {place} must be from 0 to {most} along axis {axis}")
