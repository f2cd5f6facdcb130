"""Elements reversed, shifted, repeated, and set into a margin.

Every function takes `stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

from .._ffi import lib
from .._handle import at, only_array, pair, wrap
from ._arguments import integer, ints, repeated, text

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice
    from .._handle import ArrayLike

__all__ = ["flip", "pad", "repeat", "roll", "tile"]

PadWidth: TypeAlias = int | Sequence[int | Sequence[int]]


def flip(
    a: array,
    /,
    axis: int | Sequence[int] | None = None,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The elements in reverse order.

    Args:
        a: any shape.
        axis: the axis or axes to reverse; None is all of them.

    Raises:
        IndexError: there is no such axis.

    Example:
        >>> import mlxc as mx
        >>> mx.flip(mx.array([1, 2, 3]))
        array([3, 2, 1], dtype=int32)
    """
    a = only_array(a)
    ndim = a.ndim
    shape = a.shape
    start, stop, step = [0] * ndim, list(shape), [1] * ndim
    for i in range(ndim) if axis is None else ints(axis, "axis"):
        if not -ndim <= i < ndim:
            raise IndexError(f"axis {i} is out of bounds for an array with {ndim} dimensions")
        start[i], stop[i], step[i] = shape[i] - 1, -shape[i] - 1, -1
    return wrap(lib.h_slice(a._h, start, ndim, stop, ndim, step, ndim, at(stream)))


def roll(
    a: array,
    /,
    shift: int | Sequence[int],
    axis: int | Sequence[int] | None = None,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The elements moved along axes; what leaves at one end enters at the other.

    Args:
        a: any shape.
        shift: how far towards the end, for each axis or for all.
        axis: the axis or axes to move along; None moves within the flattened array.

    Example:
        >>> import mlxc as mx
        >>> mx.roll(mx.array([1, 2, 3]), 1)
        array([3, 1, 2], dtype=int32)
    """
    a = only_array(a)
    if axis is None:
        shifts = ints(shift, "shift")
        return wrap(lib.h_roll(a._h, shifts, len(shifts), at(stream)))
    if (one := integer(axis)) is not None:
        shifts = ints(shift, "shift")
        return wrap(lib.h_roll_axis(a._h, shifts, len(shifts), one, at(stream)))
    axes = ints(axis, "axis")
    shifts = repeated(shift, len(axes), "shift")
    return wrap(lib.h_roll_axes(a._h, shifts, len(shifts), axes, len(axes), at(stream)))


def repeat(
    array: array,
    repeats: int,
    axis: int | None = None,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """Each element several times in a row.

    Args:
        array: any shape.
        repeats: how often.
        axis: the axis to grow; None repeats within the flattened array.

    Example:
        >>> import mlxc as mx
        >>> mx.repeat(mx.array([1, 2]), 2)
        array([1, 1, 2, 2], dtype=int32)
    """
    a = only_array(array)
    if axis is None:
        return wrap(lib.h_repeat(a._h, repeats, at(stream)))
    return wrap(lib.h_repeat_axis(a._h, repeats, axis, at(stream)))


def tile(a: array, reps: int | Sequence[int], /, *, stream: StreamOrDevice = None) -> array:
    """The whole array several times, side by side.

    Args:
        a: any shape.
        reps: how often along each axis, counted from the last; more than `a` has add axes.

    Example:
        >>> import mlxc as mx
        >>> mx.tile(mx.array([1, 2]), 2)
        array([1, 2, 1, 2], dtype=int32)
    """
    a = only_array(a)
    counts = ints(reps, "reps")
    return wrap(lib.h_tile(a._h, counts, len(counts), at(stream)))


def pad(
    a: array,
    pad_width: PadWidth,
    mode: Literal["constant", "edge", "reflect", "symmetric"] = "constant",
    constant_values: ArrayLike = 0,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The array with a margin.

    Args:
        a: any shape.
        pad_width: how many elements to add: one number for all sides, one pair (before, after)
            for all axes, or a pair for each axis.
        mode: what the margin holds: "constant" one value, "edge" the outermost element,
            "reflect" the elements mirrored at the outermost one, "symmetric" the elements
            mirrored at the edge.
        constant_values: the value of "constant", converted to the type of `a`.

    Raises:
        ValueError: a width is negative, the pairs do not fit the axes, or the mode is unknown.

    Example:
        >>> import mlxc as mx
        >>> mx.pad(mx.array([1, 2]), (1, 2))
        array([0, 1, 2, 0, 0], dtype=int32)
    """
    a, value = pair(only_array(a), constant_values)
    low, high = _widths(pad_width, a.ndim)
    n, name, s = a.ndim, text(mode, "mode"), at(stream)
    return wrap(lib.h_pad(a._h, list(range(n)), n, low, n, high, n, value._h, name, s))


def _widths(pad_width: PadWidth, ndim: int) -> tuple[list[int], list[int]]:
    """How much to add before and after each axis."""
    if (width := integer(pad_width)) is not None:
        return [width] * ndim, [width] * ndim
    pairs = [ints(width, "pad_width") for width in pad_width]  # type: ignore[union-attr]
    if all(len(pair) == 1 for pair in pairs) and len(pairs) in (1, 2):
        return [pairs[0][0]] * ndim, [pairs[-1][0]] * ndim
    if len(pairs) == 1:
        pairs = pairs * ndim
    if len(pairs) != ndim or any(len(pair) != 2 for pair in pairs):
        raise ValueError(
            f"pad_width must be an integer, a pair, or a pair for each of {ndim} axes, "
            f"got {pad_width!r}"
        )
    return [before for before, _ in pairs], [after for _, after in pairs]
