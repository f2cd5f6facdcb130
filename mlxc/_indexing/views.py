"""Parts that a strided view can express: integers, slices, `None`, `...`.

Integers are checked against the axis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from .._ffi import lib
from .._handle import wrap

if TYPE_CHECKING:
    from .._array import array

WHOLE = slice(None)
NO_BOUND = -(2**63)


class Writing(NamedTuple):
    """How C combines an array with a value at an index: a strided view, or integer arrays."""

    slice_update: Callable[..., int]
    scatter: Callable[..., int]


SET = Writing(lib.h_slice_update, lib.h_scatter)

#: An index as C takes it: the start, stop and step of each axis; the axes that an integer takes
#: away; the places of new axes in the result; whether anything is cut off.
View: TypeAlias = tuple[list[int], list[int], list[int], list[int], list[int], bool]


def view_of(key: tuple[Any, ...], shape: Sequence[int]) -> View | None:
    """A key as a view; None if there is something else in it."""
    n = len(shape)
    start, stop, step = [0] * n, list(shape), [1] * n
    dropped: list[int] = []
    new: list[int] = []
    axis, cut = 0, False
    for place, part in enumerate(key):
        kind = type(part)
        if kind is slice:
            if axis == n:
                raise too_many(n)
            if part != WHOLE:
                start[axis], stop[axis], step[axis] = bounds(part, shape[axis])
                cut = True
            axis += 1
        elif kind is int:
            index = checked(part, shape, axis)
            start[axis], stop[axis] = index, index + 1
            dropped.append(axis)
            axis, cut = axis + 1, True
        elif part is None:
            new.append(axis - len(dropped) + len(new))
        elif part is Ellipsis:
            axis = _axis_after_ellipsis(key[place + 1 :], axis, n)
        else:
            return None
    return start, stop, step, dropped, new, cut


def _axis_after_ellipsis(rest: tuple[Any, ...], axis: int, ndim: int) -> int:
    after = ndim
    for part in rest:
        if part is Ellipsis:
            raise ValueError("An index can only have a single ellipsis (...)")
        if part is not None:
            after -= 1
    if after < axis:
        raise too_many(ndim)
    return after


def read(a: array, view: View) -> array:
    """The part of `a`, another object even if it is the whole: writing to it leaves `a` alone."""
    start, stop, step, dropped, new, cut = view
    result = a
    if cut:
        n = len(start)
        result = wrap(lib.h_slice(a._h, start, n, stop, n, step, n, 0))
    if dropped:
        result = wrap(lib.h_squeeze_axes(result._h, dropped, len(dropped), 0))
    if new:
        result = wrap(lib.h_expand_dims_axes(result._h, new, len(new), 0))
    return wrap(lib.h_keep(a._h)) if result is a else result


def write(a: array, view: View, value: array, how: Writing = SET) -> array:
    """`a` with `value`, of its type, in place of the part or combined with it."""
    start, stop, step, dropped, new, _ = view
    n = len(start)
    if new or value.ndim > n - len(dropped):
        value = without_new_axes(value, new, n - len(dropped) + len(new))
    if dropped and value.ndim:
        value = _with_dropped_axes(value, dropped, n)
    return wrap(how.slice_update(a._h, value._h, start, n, stop, n, step, n, 0))


def too_many(ndim: int) -> ValueError:
    return ValueError(f"Too many indices for array with {ndim} dimensions.")


def no_slice(key: slice) -> ValueError:
    return ValueError(f"Slice indices must be integers or None, got {key!r}.")


def checked(index: int, shape: Sequence[int], axis: int) -> int:
    """An index counted from the start of its axis."""
    if axis >= len(shape):
        raise too_many(len(shape))
    length = shape[axis]
    if not -length <= index < length:
        raise IndexError(f"index {index} is out of bounds for axis {axis} with size {length}")
    return index + length if index < 0 else index


def bounds(key: slice, length: int) -> tuple[int, int, int]:
    """A slice as C takes it."""
    try:
        start, stop, step = key.indices(length)
    except TypeError:
        raise no_slice(key) from None
    if start < 0:  # backwards from before the first element
        return 0, 0, 1
    # MLX counts a negative stop from the end; one below -length means "past the first".
    return start, (stop if stop >= 0 else -length - 1), step


def without_new_axes(value: array, new: Sequence[int], ndim: int) -> array:
    """A value to write without the axes that the index adds to the result of `ndim` axes."""
    offset = value.ndim - ndim
    extra = range(max(0, offset))
    if any(value.shape[axis] != 1 for axis in extra):
        raise ValueError(f"Cannot broadcast a value of shape {value.shape} to {ndim} axes.")
    gone = sorted({*extra, *(place + offset for place in new if place + offset >= 0)})
    return wrap(lib.h_squeeze_axes(value._h, gone, len(gone), 0)) if gone else value


def _with_dropped_axes(value: array, dropped: Sequence[int], ndim: int) -> array:
    """`value` with an axis of length 1 wherever an integer took one away."""
    kept = [axis for axis in range(ndim) if axis not in dropped]
    first = kept[-value.ndim]
    ones = [axis - first for axis in dropped if axis > first]
    return wrap(lib.h_expand_dims_axes(value._h, ones, len(ones), 0)) if ones else value
