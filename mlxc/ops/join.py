"""Arrays made of several: end to end, on top of each other, as the axes of a grid.

Every function takes `stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .._ffi import lib
from .._handle import addresses, at, unpack, wrap
from ._arguments import text

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice

__all__ = ["concat", "concatenate", "meshgrid", "stack"]


def concatenate(
    arrays: Iterable[array], axis: int | None = 0, *, stream: StreamOrDevice = None
) -> array:
    """Arrays end to end along an axis they have.

    Args:
        arrays: of one shape but for the axis; their types are promoted.
        axis: the axis to grow; None joins the flattened arrays.

    Raises:
        ValueError: there is no array, or the other axes differ.
        IndexError: there is no such axis.

    Example:
        >>> import mlxc as mx
        >>> mx.concatenate([mx.array([1, 2]), mx.array([3])])
        array([1, 2, 3], dtype=int32)
    """
    parts = list(arrays)
    if axis is None:
        return wrap(lib.h_concatenate(addresses(parts), len(parts), at(stream)))
    return wrap(lib.h_concatenate_axis(addresses(parts), len(parts), axis, at(stream)))


concat = concatenate


def stack(arrays: Iterable[array], axis: int | None = 0, *, stream: StreamOrDevice = None) -> array:
    """Arrays of one shape beside each other along a new axis.

    Args:
        arrays: of one shape.
        axis: where the new axis is in the result; None is 0.

    Raises:
        ValueError: there is no array, or the shapes differ.

    Example:
        >>> import mlxc as mx
        >>> mx.stack([mx.array([1, 2]), mx.array([3, 4])])
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
    parts = list(arrays)
    return wrap(lib.h_stack_axis(addresses(parts), len(parts), axis or 0, at(stream)))


def meshgrid(
    *arrays: array,
    sparse: bool = False,
    indexing: str = "xy",
    stream: StreamOrDevice = None,
) -> tuple[array, ...]:
    """The coordinates of a grid, one array an axis.

    Args:
        arrays: the coordinates along each axis, of shape (N_i,).
        sparse: leave the coordinates that do not change along an axis at length 1.
        indexing: "xy" puts the second axis first, as in pictures; "ij" keeps the order.

    Returns:
        As many arrays as were given, of shape (N_1, N_2, ...) or with the first two exchanged.

    Example:
        >>> import mlxc as mx
        >>> rows, columns = mx.meshgrid(mx.arange(2), mx.arange(3), indexing="ij")
        >>> columns
        array([[0, 1, 2],
               [0, 1, 2]], dtype=int32)
    """
    if not arrays:
        return ()
    name = text(indexing, "indexing")
    return tuple(unpack(lib.h_meshgrid(addresses(arrays), len(arrays), sparse, name, at(stream))))
