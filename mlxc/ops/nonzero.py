"""Where elements are not zero. The results' shapes depend on values, so these functions evaluate.

mlx.core has none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._dtype import bool_, uint32
from .._ffi import lib
from .._handle import only_array, wrap
from .arithmetic import floor_divide, remainder
from .compare import not_equal
from .create import zeros
from .join import stack

if TYPE_CHECKING:
    from .._array import array

__all__ = ["argwhere", "flatnonzero", "nonzero"]


def flatnonzero(a: array, /) -> array:
    """Where an array is not zero, counted in row-major order; evaluates the array.

    Args:
        a: any shape and type; NaN is not zero.

    Returns:
        The positions (N,) in ascending order, uint32.

    Raises:
        ValueError: the array has 2**32 elements or more.

    Example:
        >>> import mlxc as mx
        >>> mx.flatnonzero(mx.array([[0, 3], [5, 0]]))
        array([1, 2], dtype=uint32)
    """
    a = only_array(a)
    if a.size >= 2**32:
        raise ValueError(f"a has {a.size} elements, and positions are counted up to 2**32")
    if lib.h_dtype(a._h) != bool_._code:
        a = not_equal(a, 0)
    a = wrap(lib.h_contiguous(a._h, False, 0))
    return wrap(lib.h_flatnonzero(a._h))


def nonzero(a: array, /) -> tuple[array, ...]:
    """Where an array is not zero, one array of indices an axis; evaluates the array.

    `a[nonzero(a)]` are the elements that are not zero.

    Args:
        a: any shape but (), any type.

    Returns:
        As many index arrays (N,) as `a` has axes, in row-major order, uint32.

    Raises:
        ValueError: the array has no axes, or 2**32 elements or more.

    Example:
        >>> import mlxc as mx
        >>> mx.nonzero(mx.array([[0, 3], [5, 0]]))
        (array([0, 1], dtype=uint32), array([1, 0], dtype=uint32))
    """
    a = only_array(a)
    if a.ndim == 0:
        raise ValueError("nonzero needs an array with axes; take a.reshape(1) first")
    return _coordinates(flatnonzero(a), a.shape)


def argwhere(a: array, /) -> array:
    """Where an array is not zero, one row of indices an element; evaluates the array.

    Args:
        a: any shape and type.

    Returns:
        The indices (N, number of axes) in row-major order, uint32.

    Raises:
        ValueError: the array has 2**32 elements or more.

    Example:
        >>> import mlxc as mx
        >>> mx.argwhere(mx.array([[0, 3], [5, 0]]))
        array([[0, 1],
               [1, 0]], dtype=uint32)
    """
    a = only_array(a)
    flat = flatnonzero(a)
    if a.ndim == 0:
        return zeros((flat.size, 0), uint32)
    return stack(list(_coordinates(flat, a.shape)), axis=1)


def _coordinates(flat: array, shape: Sequence[int]) -> tuple[array, ...]:
    """Positions in row-major order as an index for each axis."""
    coordinates = []
    for length in shape[:0:-1]:
        coordinates.append(remainder(flat, length))
        flat = floor_divide(flat, length)
    return (flat, *reversed(coordinates))
