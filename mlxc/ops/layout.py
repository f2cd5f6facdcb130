"""How the elements of an array lie in memory: repeated without a copy, strided, contiguous.

Every function takes `stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._ffi import lib
from .._handle import addresses, as_array, at, only_array, unpack, wrap
from ._arguments import ints

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice
    from .._handle import ArrayLike

__all__ = [
    "as_strided",
    "broadcast_arrays",
    "broadcast_shapes",
    "broadcast_to",
    "contiguous",
]


def broadcast_to(
    a: ArrayLike, /, shape: int | Sequence[int], *, stream: StreamOrDevice = None
) -> array:
    """The elements repeated along axes of length 1 and new leading axes, without a copy.

    Args:
        a: any shape.
        shape: the shape to fill.

    Raises:
        ValueError: an axis has neither the wanted length nor 1.

    Example:
        >>> import mlxc as mx
        >>> mx.broadcast_to(mx.array([1, 2]), (2, 2))
        array([[1, 2],
               [1, 2]], dtype=int32)
    """
    a = as_array(a)
    shape = ints(shape, "shape")
    return wrap(lib.h_broadcast_to(a._h, shape, len(shape), at(stream)))


def broadcast_arrays(*arrays: array, stream: StreamOrDevice = None) -> list[array]:
    """Several arrays in the one shape that they broadcast to.

    Args:
        *arrays: any shapes that fit.

    Raises:
        ValueError: two shapes do not fit.

    Example:
        >>> import mlxc as mx
        >>> a, b = mx.broadcast_arrays(mx.array([1, 2]), mx.array([[3], [4]]))
        >>> a.tolist(), b.tolist()
        ([[1, 2], [1, 2]], [[3, 3], [4, 4]])
    """
    if not arrays:
        return []
    inputs = [only_array(a) for a in arrays]
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


def as_strided(
    a: array,
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
        ValueError: the view reaches outside of the array, or `shape` and `strides` differ in
            length.

    Example:
        >>> import mlxc as mx
        >>> mx.as_strided(mx.arange(4), shape=(3, 2), strides=(1, 1))
        array([[0, 1],
               [1, 2],
               [2, 3]], dtype=int32)
    """
    a = only_array(a)
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
    a: array, /, allow_col_major: bool = False, *, stream: StreamOrDevice = None
) -> array:
    """The array in row-major order in memory, copied if it is not.

    Args:
        a: any shape.
        allow_col_major: leave an array in column-major order as it is.

    Example:
        >>> import mlxc as mx
        >>> mx.contiguous(mx.array([[1, 2], [3, 4]]).T)
        array([[1, 3],
               [2, 4]], dtype=int32)
    """
    a = only_array(a)
    return wrap(lib.h_contiguous(a._h, allow_col_major, at(stream)))
