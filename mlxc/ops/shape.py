"""Shapes: the same elements along other axes, and parts of them.

Every function takes `stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._ffi import lib
from .._handle import at, only_array, unpack, wrap
from ._arguments import integer, ints

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
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


def reshape(a: array, /, shape: Sequence[int], *, stream: StreamOrDevice = None) -> array:
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
    a = only_array(a)
    shape = ints(shape, "shape")
    return wrap(lib.h_reshape(a._h, shape, len(shape), at(stream)))


def flatten(
    a: array,
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

    Example:
        >>> import mlxc as mx
        >>> mx.flatten(mx.array([[1, 2], [3, 4]]))
        array([1, 2, 3, 4], dtype=int32)
    """
    a = only_array(a)
    return wrap(lib.h_flatten(a._h, start_axis, end_axis, at(stream)))


def unflatten(
    a: array, /, axis: int, shape: Sequence[int], *, stream: StreamOrDevice = None
) -> array:
    """One axis divided into several.

    Args:
        a: any shape.
        axis: the axis to divide.
        shape: the lengths that take its place; one -1 in it is inferred.

    Raises:
        ValueError: the axis has another length, or one that cannot be inferred.

    Example:
        >>> import mlxc as mx
        >>> mx.unflatten(mx.arange(6), 0, (2, 3))
        array([[0, 1, 2],
               [3, 4, 5]], dtype=int32)
    """
    a = only_array(a)
    shape = ints(shape, "shape")
    if -1 in shape and 0 in shape:  # MLX would divide by 0
        raise ValueError(f"shape must not have both 0 and -1, got {tuple(shape)}")
    return wrap(lib.h_unflatten(a._h, axis, shape, len(shape), at(stream)))


def squeeze(
    a: array,
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

    Example:
        >>> import mlxc as mx
        >>> mx.squeeze(mx.ones((1, 3, 1))).shape
        (3,)
    """
    a = only_array(a)
    if axis is None:
        return wrap(lib.h_squeeze(a._h, at(stream)))
    if isinstance(axis, int):
        return wrap(lib.h_squeeze_axis(a._h, axis, at(stream)))
    axes = ints(axis, "axis")
    return wrap(lib.h_squeeze_axes(a._h, axes, len(axes), at(stream)))


def expand_dims(a: array, /, axis: int | Sequence[int], *, stream: StreamOrDevice = None) -> array:
    """With new axes of length 1.

    Args:
        a: any shape.
        axis: where the new axis or axes are in the result.

    Example:
        >>> import mlxc as mx
        >>> mx.expand_dims(mx.array([1, 2]), 0)
        array([[1, 2]], dtype=int32)
    """
    a = only_array(a)
    if isinstance(axis, int):
        return wrap(lib.h_expand_dims(a._h, axis, at(stream)))
    axes = ints(axis, "axis")
    return wrap(lib.h_expand_dims_axes(a._h, axes, len(axes), at(stream)))


def transpose(
    a: array, /, axes: Sequence[int] | None = None, *, stream: StreamOrDevice = None
) -> array:
    """The axes in another order.

    Args:
        a: any shape.
        axes: for each axis of the result, the axis of `a`; None reverses them.

    Raises:
        ValueError: `axes` does not name each axis once.
        IndexError: there is no such axis.

    Example:
        >>> import mlxc as mx
        >>> mx.transpose(mx.ones((2, 3, 4)), (1, 0, 2)).shape
        (3, 2, 4)
    """
    a = only_array(a)
    if axes is None:
        return wrap(lib.h_transpose(a._h, at(stream)))
    axes = ints(axes, "axes")
    return wrap(lib.h_transpose_axes(a._h, axes, len(axes), at(stream)))


permute_dims = transpose


def matrix_transpose(a: array, /, *, stream: StreamOrDevice = None) -> array:
    """The last two axes exchanged.

    Raises:
        ValueError: `a` has fewer than two axes.

    Example:
        >>> import mlxc as mx
        >>> mx.matrix_transpose(mx.ones((2, 3, 4))).shape
        (2, 4, 3)
    """
    a = only_array(a)
    if a.ndim < 2:
        raise ValueError(f"matrix_transpose needs at least 2 dimensions, got {a.ndim}")
    return wrap(lib.h_swapaxes(a._h, -1, -2, at(stream)))


def swapaxes(a: array, /, axis1: int, axis2: int, *, stream: StreamOrDevice = None) -> array:
    """Two axes exchanged.

    Example:
        >>> import mlxc as mx
        >>> mx.swapaxes(mx.ones((2, 3, 4)), 0, 2).shape
        (4, 3, 2)
    """
    a = only_array(a)
    return wrap(lib.h_swapaxes(a._h, axis1, axis2, at(stream)))


def moveaxis(a: array, /, source: int, destination: int, *, stream: StreamOrDevice = None) -> array:
    """One axis moved, the others in their order.

    Args:
        a: any shape.
        source: the axis to move.
        destination: where it is in the result.

    Example:
        >>> import mlxc as mx
        >>> mx.moveaxis(mx.ones((2, 3, 4)), 0, -1).shape
        (3, 4, 2)
    """
    a = only_array(a)
    return wrap(lib.h_moveaxis(a._h, source, destination, at(stream)))


def split(
    a: array,
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
    a = only_array(a)
    if (sections := integer(indices_or_sections)) is not None:
        return unpack(lib.h_split(a._h, sections, axis, at(stream)))
    indices = ints(indices_or_sections, "indices_or_sections")
    return unpack(lib.h_split_sections(a._h, indices, len(indices), axis, at(stream)))


def unstack(x: array, /, *, axis: int = 0, stream: StreamOrDevice = None) -> tuple[array, ...]:
    """The parts of an array along an axis, which they no longer have.

    Args:
        x: at least one axis.
        axis: the axis to take apart.

    Raises:
        IndexError: there is no such axis.

    Example:
        >>> import mlxc as mx
        >>> mx.unstack(mx.array([[1, 2], [3, 4]]))
        (array([1, 2], dtype=int32), array([3, 4], dtype=int32))
    """
    x = only_array(x)
    if not -x.ndim <= axis < x.ndim:
        raise IndexError(f"axis {axis} is out of bounds for an array with {x.ndim} dimensions")
    if not (length := x.shape[axis]):
        return ()
    parts = unpack(lib.h_split(x._h, length, axis, at(stream)))
    return tuple(wrap(lib.h_squeeze_axis(part._h, axis, at(stream))) for part in parts)


def atleast_1d(*arys: array, stream: StreamOrDevice = None) -> array | list[array]:
    """Arrays with at least one axis; one array for one argument, else a list.

    Example:
        >>> import mlxc as mx
        >>> mx.atleast_1d(mx.array(5))
        array([5], dtype=int32)
    """
    inputs = [only_array(a) for a in arys]
    results = [wrap(lib.h_atleast_1d(a._h, at(stream))) for a in inputs]
    return results[0] if len(results) == 1 else results


def atleast_2d(*arys: array, stream: StreamOrDevice = None) -> array | list[array]:
    """Arrays with at least two axes; one array for one argument, else a list.

    Example:
        >>> import mlxc as mx
        >>> mx.atleast_2d(mx.array([5, 6]))
        array([[5, 6]], dtype=int32)
    """
    inputs = [only_array(a) for a in arys]
    results = [wrap(lib.h_atleast_2d(a._h, at(stream))) for a in inputs]
    return results[0] if len(results) == 1 else results


def atleast_3d(*arys: array, stream: StreamOrDevice = None) -> array | list[array]:
    """Arrays with at least three axes; one array for one argument, else a list.

    Example:
        >>> import mlxc as mx
        >>> mx.atleast_3d(mx.array([[5, 6, 7]])).shape
        (1, 3, 1)
    """
    inputs = [only_array(a) for a in arys]
    results = [wrap(lib.h_atleast_3d(a._h, at(stream))) for a in inputs]
    return results[0] if len(results) == 1 else results
