"""Norms, and the cross product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._ffi import ffi, lib
from .._handle import at, only_array, wrap
from ..ops._arguments import ints

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice


def norm(
    a: array,
    /,
    ord: float | str | None = None,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The length of vectors, or the norm of matrices.

    Args:
        a: any shape.
        ord: for vectors p, the root of the sum of `abs(a)**p`: inf is the largest, -inf the
            smallest absolute value, 0 counts what is not zero. For matrices "fro" the root of
            the sum of squares, "nuc" the sum of the singular values, 2 and -2 the largest and
            smallest of them, 1 and -1 the largest and smallest sum of absolute values of a
            column, inf and -inf of a row. None is 2 for vectors and "fro" for matrices.
        axis: the axis of the vectors or the two axes of the matrices; None is all of `a`,
            which may then have more than two only without `ord`.
        keepdims: keep the axes with length 1.

    Raises:
        ValueError: there is no such norm for so many axes.

    Example:
        >>> import mlxc as mx
        >>> mx.linalg.norm(mx.array([3.0, 4.0]))
        array(5, dtype=float32)
    """
    a = only_array(a)
    axes, count = ffi.NULL, 0
    if axis is not None:
        axes = ints(axis, "axis")
        count = len(axes)
    if ord is None:
        return wrap(lib.h_linalg_norm_l2(a._h, axes, count, keepdims, at(stream)))
    if isinstance(ord, str):
        name = ord.encode()
        return wrap(lib.h_linalg_norm_matrix(a._h, name, axes, count, keepdims, at(stream)))
    return wrap(lib.h_linalg_norm(a._h, ord, axes, count, keepdims, at(stream)))


def cross(a: array, b: array, axis: int = -1, *, stream: StreamOrDevice = None) -> array:
    """The cross product of vectors with two or three elements.

    Args:
        a: any shape with 2 or 3 along the axis; a missing third element is 0.
        b: any shape with 2 or 3 along the axis, which broadcasts with `a`.
        axis: the axis of the vectors.

    Returns:
        The broadcast shape, with 3 along the axis.

    Raises:
        ValueError: a length along the axis is neither 2 nor 3, or the shapes do not fit.
        IndexError: there is no such axis.

    Example:
        >>> import mlxc as mx
        >>> mx.linalg.cross(mx.array([1, 0, 0]), mx.array([0, 1, 0]))
        array([0, 0, 1], dtype=int32)
    """
    a, b = only_array(a), only_array(b)
    return wrap(lib.h_linalg_cross(a._h, b._h, axis, at(stream)))
