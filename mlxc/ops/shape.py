"""Shapes: the same elements along other axes, and parts of them.

Every function takes `stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._ffi import lib
from .._handle import addresses, as_array, at, unpack, wrap
from ._arguments import ints

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice
    from .._handle import ArrayLike

__all__ = [
    "as_strided",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_arrays",
    "broadcast_shapes",
    "broadcast_to",
    "contiguous",
    "diag",
    "diagonal",
    "expand_dims",
    "flatten",
    "matrix_transpose",
    "moveaxis",
    "permute_dims",
    "reshape",
    "split",
    "squeeze",
    "swapaxes",
    "transpose",
    "unflatten",
    "unstack",
]


def reshape(a: ArrayLike, /, shape: Sequence[int], *, stream: StreamOrDevice = None) -> array:
    """The elements in row-major order with another shape.

    Args:
        a: any shape.
        shape: of the same size; one -1 in it is inferred.

    Raises:
        ValueError: the sizes differ.

    Example:
        >>> import mlxc as mx
        >>> mx.reshape(mx.arange(4), (2, -1))
        array([[0, 1],
               [2, 3]], dtype=int32)
    """
    a = as_array(a)
    shape = ints(shape, "shape")
    return wrap(lib.h_reshape(a._h, shape, len(shape), at(stream)))


def flatten(
    a: ArrayLike,
    /,
    start_axis: int = 0,
    end_axis: int = -1,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """A run of axes joined into one; an array without axes gets one.

    Args:
        a: any shape.
        start_axis: the first axis to join.
        end_axis: the last axis to join, itself included.
    """
    a = as_array(a)
    return wrap(lib.h_flatten(a._h, start_axis, end_axis, at(stream)))


def unflatten(
    a: ArrayLike, /, axis: int, shape: Sequence[int], *, stream: StreamOrDevice = None
) -> array:
    """One axis divided into several.

    Args:
        a: any shape.
        axis: the axis to divide.
        shape: the lengths that take its place; one -1 in it is inferred.
    """
    a = as_array(a)
    shape = ints(shape, "shape")
    return wrap(lib.h_unflatten(a._h, axis, shape, len(shape), at(stream)))


def squeeze(
    a: ArrayLike,
    /,
    axis: int | Sequence[int] | None = None,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """Without axes of length 1.

    Args:
        a: any shape.
        axis: the axis or axes to drop; None drops all of length 1.

    Raises:
        ValueError: a named axis has another length.
    """
    a = as_array(a)
    if axis is None:
        return wrap(lib.h_squeeze(a._h, at(stream)))
    if isinstance(axis, int):
        return wrap(lib.h_squeeze_axis(a._h, axis, at(stream)))
    axes = ints(axis, "axis")
    return wrap(lib.h_squeeze_axes(a._h, axes, len(axes), at(stream)))


def expand_dims(
    a: ArrayLike, /, axis: int | Sequence[int], *, stream: StreamOrDevice = None
) -> array:
    """With new axes of length 1.

    Args:
        a: any shape.
        axis: where the new axis or axes are in the result.
    """
    a = as_array(a)
    if isinstance(axis, int):
        return wrap(lib.h_expand_dims(a._h, axis, at(stream)))
    axes = ints(axis, "axis")
    return wrap(lib.h_expand_dims_axes(a._h, axes, len(axes), at(stream)))


def transpose(
    a: ArrayLike, /, axes: Sequence[int] | None = None, *, stream: StreamOrDevice = None
) -> array:
    """The axes in another order.

    Args:
        a: any shape.
        axes: for each axis of the result, the axis of `a`; None reverses them.
    """
    a = as_array(a)
    if axes is None:
        return wrap(lib.h_transpose(a._h, at(stream)))
    axes = ints(axes, "axes")
    return wrap(lib.h_transpose_axes(a._h, axes, len(axes), at(stream)))


permute_dims = transpose


def matrix_transpose(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The last two axes exchanged.

    Raises:
        ValueError: `a` has fewer than two axes.
    """
    a = as_array(a)
    if a.ndim < 2:
        raise ValueError(f"matrix_transpose needs at least 2 dimensions, got {a.ndim}")
    return wrap(lib.h_swapaxes(a._h, -1, -2, at(stream)))


def swapaxes(a: ArrayLike, /, axis1: int, axis2: int, *, stream: StreamOrDevice = None) -> array:
    """Two axes exchanged."""
    a = as_array(a)
    return wrap(lib.h_swapaxes(a._h, axis1, axis2, at(stream)))


def moveaxis(
    a: ArrayLike, /, source: int, destination: int, *, stream: StreamOrDevice = None
) -> array:
    """One axis moved, the others in their order.

    Args:
        a: any shape.
        source: the axis to move.
        destination: where it is in the result.
    """
    a = as_array(a)
    return wrap(lib.h_moveaxis(a._h, source, destination, at(stream)))


def split(
    a: ArrayLike,
    /,
    indices_or_sections: int | Sequence[int],
    axis: int = 0,
    *,
    stream: StreamOrDevice = None,
) -> list[array]:
    """Consecutive parts of an array.

    Args:
        a: at least one axis.
        indices_or_sections: the number of equal parts, or the indices where a new part begins.
        axis: the axis to cut.

    Raises:
        ValueError: the axis cannot be cut into so many equal parts.

    Example:
        >>> import mlxc as mx
        >>> mx.split(mx.arange(4), [1])
        [array([0], dtype=int32), array([1, 2, 3], dtype=int32)]
    """
    a = as_array(a)
    if isinstance(indices_or_sections, int):
        return unpack(lib.h_split(a._h, indices_or_sections, axis, at(stream)))
    indices = ints(indices_or_sections, "indices_or_sections")
    return unpack(lib.h_split_sections(a._h, indices, len(indices), axis, at(stream)))


def unstack(x: ArrayLike, /, *, axis: int = 0, stream: StreamOrDevice = None) -> tuple[array, ...]:
    """The parts of an array along an axis, which they no longer have.

    Args:
        x: at least one axis.
        axis: the axis to take apart.

    Raises:
        IndexError: there is no such axis.
    """
    x = as_array(x)
    if not -x.ndim <= axis < x.ndim:
        raise IndexError(f"axis {axis} is out of bounds for an array with {x.ndim} dimensions")
    if not (length := x.shape[axis]):
        return ()
    parts = unpack(lib.h_split(x._h, length, axis, at(stream)))
    return tuple(wrap(lib.h_squeeze_axis(part._h, axis, at(stream))) for part in parts)


def diagonal(
    a: ArrayLike,
    offset: int = 0,
    axis1: int = 0,
    axis2: int = 1,
    stream: StreamOrDevice = None,
) -> array:
    """The diagonals of the matrices along two axes.

    Args:
        a: at least two axes.
        offset: which diagonal; positive ones lie above the main one.
        axis1: the axis of the rows.
        axis2: the axis of the columns.

    Returns:
        The shape of `a` without the two axes, and with the diagonal as the last.
    """
    a = as_array(a)
    return wrap(lib.h_diagonal(a._h, offset, axis1, axis2, at(stream)))


def diag(a: ArrayLike, /, k: int = 0, *, stream: StreamOrDevice = None) -> array:
    """A diagonal of a matrix, or the matrix of a diagonal.

    Args:
        a: a matrix, or the elements of the diagonal of one that is zero elsewhere.
        k: which diagonal; positive ones lie above the main one.

    Raises:
        ValueError: `a` has neither one axis nor two.
    """
    a = as_array(a)
    return wrap(lib.h_diag(a._h, k, at(stream)))


def broadcast_to(
    a: ArrayLike, /, shape: int | Sequence[int], *, stream: StreamOrDevice = None
) -> array:
    """The elements repeated along axes of length 1 and new leading axes, without a copy.

    Args:
        a: any shape.
        shape: the shape to fill.

    Raises:
        ValueError: an axis has neither the wanted length nor 1.
    """
    a = as_array(a)
    shape = ints(shape, "shape")
    return wrap(lib.h_broadcast_to(a._h, shape, len(shape), at(stream)))


def broadcast_arrays(*arrays: ArrayLike, stream: StreamOrDevice = None) -> list[array]:
    """Several arrays in the one shape that they broadcast to."""
    if not arrays:
        return []
    inputs = [as_array(a) for a in arrays]
    return unpack(lib.h_broadcast_arrays(addresses(inputs), len(inputs), at(stream)))


def broadcast_shapes(*shapes: Sequence[int]) -> tuple[int, ...]:
    """The shape that arrays of the given shapes have together.

    Raises:
        ValueError: none is given, or two of them do not fit.

    Example:
        >>> import mlxc as mx
        >>> mx.broadcast_shapes((6, 7), (5, 6, 1), (7,))
        (5, 6, 7)
    """
    if not shapes:
        raise ValueError("broadcast_shapes needs at least one shape")
    ndim = max(map(len, shapes))
    result = [1] * ndim
    for shape in shapes:
        for axis, length in enumerate(shape, ndim - len(shape)):
            if length != 1 and result[axis] not in (1, length):
                listed = " and ".join(map(str, map(tuple, shapes)))
                raise ValueError(f"shapes {listed} cannot be broadcast")
            result[axis] = result[axis] if length == 1 else length
    return tuple(result)


def atleast_1d(*arys: ArrayLike, stream: StreamOrDevice = None) -> array | list[array]:
    """Arrays with at least one axis; one array for one argument, else a list."""
    inputs = [as_array(a) for a in arys]
    results = [wrap(lib.h_atleast_1d(a._h, at(stream))) for a in inputs]
    return results[0] if len(results) == 1 else results


def atleast_2d(*arys: ArrayLike, stream: StreamOrDevice = None) -> array | list[array]:
    """Arrays with at least two axes; one array for one argument, else a list."""
    inputs = [as_array(a) for a in arys]
    results = [wrap(lib.h_atleast_2d(a._h, at(stream))) for a in inputs]
    return results[0] if len(results) == 1 else results


def atleast_3d(*arys: ArrayLike, stream: StreamOrDevice = None) -> array | list[array]:
    """Arrays with at least three axes; one array for one argument, else a list."""
    inputs = [as_array(a) for a in arys]
    results = [wrap(lib.h_atleast_3d(a._h, at(stream))) for a in inputs]
    return results[0] if len(results) == 1 else results


def as_strided(
    a: ArrayLike,
    /,
    shape: Sequence[int] | None = None,
    strides: Sequence[int] | None = None,
    offset: int = 0,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """A view with any shape and strides into the elements in row-major order.

    Args:
        a: any shape.
        shape: the shape of the view; None is that of `a`.
        strides: for each axis, how many elements apart neighbours are; None is row-major.
        offset: the element the view begins with.

    Raises:
        ValueError: the view reaches outside of the array.
    """
    a = as_array(a)
    shape = a.shape if shape is None else ints(shape, "shape")
    strides = _row_major(shape) if strides is None else ints(strides, "strides")
    if len(shape) != len(strides):
        raise ValueError(f"shape {tuple(shape)} and strides {tuple(strides)} differ in length")
    if 0 not in shape:
        reach = [(length - 1) * stride for length, stride in zip(shape, strides, strict=True)]
        first = offset + sum(step for step in reach if step < 0)
        last = offset + sum(step for step in reach if step > 0)
        if min(*shape, 0) < 0 or first < 0 or last >= a.size:
            raise ValueError(
                f"shape {tuple(shape)}, strides {tuple(strides)} and offset {offset} reach the "
                f"elements {first} to {last} of an array that has {a.size}"
            )
    s = at(stream)
    return wrap(lib.h_as_strided(a._h, shape, len(shape), strides, len(strides), offset, s))


def _row_major(shape: Sequence[int]) -> list[int]:
    strides = [1] * len(shape)
    for axis in range(len(shape) - 1, 0, -1):
        strides[axis - 1] = strides[axis] * shape[axis]
    return strides


def contiguous(
    a: ArrayLike, /, allow_col_major: bool = False, *, stream: StreamOrDevice = None
) -> array:
    """The array in row-major order in memory, copied if it is not.

    Args:
        a: any shape.
        allow_col_major: leave an array in column-major order as it is.
    """
    a = as_array(a)
    return wrap(lib.h_contiguous(a._h, allow_col_major, at(stream)))
