"""Reading and writing parts of arrays: integers, slices, `None`, `...`, integer arrays.

An index is split in two: what a strided view can express (integers, slices), taken first, and
the integer arrays, which gather from that view. Integers are checked against the axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import index as to_int
from typing import TYPE_CHECKING, Any

from ._convert import new_array
from ._dtype import DtypeCategory, bool_, issubdtype
from ._ffi import lib
from ._handle import Handle, addresses, as_array, swap, unpack, wrap

if TYPE_CHECKING:
    from ._array import array


WHOLE = slice(None)
NO_BOUND = -(2**63)


def get_item(a: array, key: Any) -> array:
    """What `a[key]` does."""
    kind = type(key)
    if kind is int:
        return wrap(lib.h_index(a._h, _checked(key, a.shape, 0)))
    if kind is slice:
        start, stop, step = key.start, key.stop, key.step
        if a.ndim == 0 or step == 0:
            raise _refusal(a)
        return wrap(
            lib.h_slice_first(
                a._h,
                NO_BOUND if start is None else start,
                NO_BOUND if stop is None else stop,
                1 if step is None else step,
            )
        )
    key = key if kind is tuple else (key,)
    if (bounds := _slices(key, a.shape)) is not None:
        return wrap(lib.h_slice(a._h, *bounds, 0))
    return _Parsed(a, key).read(a)


def set_item(a: array, key: Any, value: Any) -> None:
    """What `a[key] = value` does: `a` gets a new array with that part replaced."""
    if not isinstance(value, Handle) or lib.h_dtype(value._h) != lib.h_dtype(a._h):
        value = new_array(value, a.dtype)
    key = key if type(key) is tuple else (key,)
    if value.ndim <= a.ndim and (bounds := _slices(key, a.shape)) is not None:
        swap(a, wrap(lib.h_slice_update(a._h, value._h, *bounds, 0)))
    else:
        swap(a, _Parsed(a, key).write(a, value))


def _slices(key: tuple[Any, ...], shape: Sequence[int]) -> tuple[Any, ...] | None:
    """The bounds for C if the index is slices alone, as those of caches are: the short way."""
    n = len(shape)
    start, stop, step = [0] * n, list(shape), [1] * n
    if len(key) > n:
        return None
    for axis, part in enumerate(key):
        if type(part) is not slice:
            return None
        if part != WHOLE:
            start[axis], stop[axis], step[axis] = _bounds(part, shape[axis])
    return start, n, stop, n, step, n


def _refusal(a: array) -> ValueError:
    if a.ndim == 0:
        return ValueError("Too many indices for array with 0 dimensions.")
    return ValueError("slice step cannot be zero")


def _checked(index: int, shape: Sequence[int], axis: int) -> int:
    if axis >= len(shape):
        raise ValueError(f"Too many indices for array with {len(shape)} dimensions.")
    length = shape[axis]
    if not -length <= index < length:
        raise IndexError(f"index {index} is out of bounds for axis {axis} with size {length}")
    return index + length if index < 0 else index


def _bounds(key: slice, length: int) -> tuple[int, int, int]:
    start, stop, step = key.indices(length)
    # MLX counts a negative stop from the end; one below -length means "past the first".
    return start, (stop if stop >= 0 else -length - 1), step


class _Parsed:
    """An index, axis by axis.

    Attributes:
        start, stop, step: the strided view, one entry an axis of the array.
        dropped: axes that an integer takes away.
        arrays: (axis, integer array) pairs.
        layout: the result's axes in order: an axis of the array, or None for a new one.
    """

    def __init__(self, a: array, key: tuple[Any, ...]) -> None:
        self.start: list[int] = []
        self.stop: list[int] = []
        self.step: list[int] = []
        self.dropped: list[int] = []
        self.arrays: list[tuple[int, array]] = []
        self.layout: list[int | None] = []
        shape = a.shape
        for part in _expand_ellipsis(key, len(shape)):
            self._add(part, shape)

    def _add(self, part: Any, shape: Sequence[int]) -> None:
        if part is None:
            self.layout.append(None)
            return
        axis = len(self.start)
        if axis >= len(shape):
            raise ValueError(f"Too many indices for array with {len(shape)} dimensions.")
        if isinstance(part, slice):
            bounds = _bounds(part, shape[axis])
            self.layout.append(axis)
        elif isinstance(part, (Handle, list)) or hasattr(part, "__array__"):
            self.arrays.append((axis, _index_array(part, shape[axis])))
            bounds = (0, shape[axis], 1)
            self.layout.append(axis)
        else:
            try:
                index = _checked(to_int(part), shape, axis)
            except TypeError:
                raise ValueError("Cannot index mlx array using the given type.") from None
            bounds = (index, index + 1, 1)
            self.dropped.append(axis)
        for target, bound in zip((self.start, self.stop, self.step), bounds, strict=True):
            target.append(bound)

    def read(self, a: array) -> array:
        result = self._view(a)
        if self.dropped:
            result = wrap(lib.h_squeeze_axes(result._h, self.dropped, len(self.dropped), 0))
        if self.arrays:
            result = self._gather(result)
        if new := self._new_axes():
            result = wrap(lib.h_expand_dims_axes(result._h, new, len(new), 0))
        return result

    def write(self, a: array, value: array) -> array:
        if self.arrays:
            value = self._scattered(a, value)
        else:
            value = self._without_new_axes(value)
            value = self._with_dropped_axes(value, a.ndim)
        n = len(self.start)
        return wrap(
            lib.h_slice_update(a._h, value._h, self.start, n, self.stop, n, self.step, n, 0)
        )

    def _view(self, a: array) -> array:
        shape = a.shape
        if self.step.count(1) == len(shape) and list(shape) == self.stop and not any(self.start):
            return wrap(lib.h_keep(a._h))  # another object: writing to it leaves `a` alone
        n = len(shape)
        return wrap(lib.h_slice(a._h, self.start, n, self.stop, n, self.step, n, 0))

    def _kept(self, axis: int) -> int:
        """Where an axis is after the dropped ones are gone."""
        return axis - sum(dropped < axis for dropped in self.dropped)

    def _indices(self) -> tuple[list[array], list[int]]:
        """The integer arrays, broadcast against each other, and their axes in the view."""
        arrays = [index for _, index in self.arrays]
        axes = [self._kept(axis) for axis, _ in self.arrays]
        if len(arrays) > 1:
            arrays = unpack(lib.h_broadcast_arrays(addresses(arrays), len(arrays), 0))
        return arrays, axes

    def _gather(self, view: array) -> array:
        arrays, axes = self._indices()
        if len(arrays) == 1:
            return wrap(lib.h_take_axis(view._h, arrays[0]._h, axes[0], 0))
        sizes = [1 if i in axes else length for i, length in enumerate(view.shape)]
        handles = [index._h for index in arrays]
        result = wrap(
            lib.h_gather(view._h, handles, len(handles), axes, len(axes), sizes, len(sizes), 0)
        )
        depth = arrays[0].ndim  # the result is (index axes..., sizes...)
        gone = [depth + axis for axis in axes]
        result = wrap(lib.h_squeeze_axes(result._h, gone, len(gone), 0))
        return self._index_axes_to(result, depth, axes[0]) if self._adjacent() else result

    def _adjacent(self) -> bool:
        """Whether nothing stands between the arrays; then their axes stay in their place."""
        places = [self.layout.index(axis) for axis, _ in self.arrays]
        return places[-1] - places[0] == len(places) - 1

    def _index_axes_to(self, result: array, depth: int, place: int) -> array:
        if place == 0:
            return result
        rest = list(range(depth, result.ndim))
        order = rest[:place] + list(range(depth)) + rest[place:]
        return wrap(lib.h_transpose_axes(result._h, order, len(order), 0))

    def _new_axes(self) -> list[int]:
        """Positions of the new axes in the result, the index arrays counted with their depth."""
        if None not in self.layout:
            return []
        depth = max((index.ndim for _, index in self.arrays), default=0)
        indexed = {axis for axis, _ in self.arrays}
        front = bool(self.arrays) and not self._adjacent()
        positions, position = [], depth if front else 0
        placed = front
        for axis in self.layout:
            if axis is None:
                positions.append(position)
                position += 1
            elif axis not in indexed:
                position += 1
            elif not placed:
                placed, position = True, position + depth
        return positions

    def _scattered(self, a: array, value: array) -> array:
        """The strided view of `a` with `value` written at the integer arrays."""
        view = self._view(a)
        if self.dropped:
            view = wrap(lib.h_squeeze_axes(view._h, self.dropped, len(self.dropped), 0))
        value = self._without_new_axes(value)
        arrays, axes = self._indices()
        depth = arrays[0].ndim
        rest = [length for i, length in enumerate(view.shape) if i not in axes]
        place = axes[0] if len(arrays) == 1 or self._adjacent() else 0
        index_shape = list(arrays[0].shape)
        shape = rest[:place] + index_shape + rest[place:]
        value = wrap(lib.h_broadcast_to(value._h, shape, len(shape), 0))
        order = list(range(place, place + depth))
        order += [i for i in range(len(shape)) if i not in order]
        value = wrap(lib.h_transpose_axes(value._h, order, len(order), 0))
        if ones := [depth + axis for axis in sorted(axes)]:
            value = wrap(lib.h_expand_dims_axes(value._h, ones, len(ones), 0))
        handles = [index._h for index in arrays]
        result = wrap(lib.h_scatter(view._h, handles, len(handles), value._h, axes, len(axes), 0))
        if self.dropped:
            dropped = self.dropped
            result = wrap(lib.h_expand_dims_axes(result._h, dropped, len(dropped), 0))
        return result

    def _without_new_axes(self, value: array) -> array:
        """`value` with the axes taken away that the index adds."""
        depth = max((index.ndim for _, index in self.arrays), default=0)
        total = len(self.layout) - len(self.arrays) + depth
        offset = value.ndim - total
        gone = [p + offset for p in self._new_axes() if p + offset >= 0]
        extra = list(range(max(0, offset)))  # leading axes of length 1 beyond the result's
        gone = sorted({*extra, *gone})
        return wrap(lib.h_squeeze_axes(value._h, gone, len(gone), 0)) if gone else value

    def _with_dropped_axes(self, value: array, ndim: int) -> array:
        """`value` with an axis of length 1 wherever an integer took one away."""
        kept = [axis for axis in range(ndim) if axis not in self.dropped]
        first = kept[-value.ndim] if value.ndim else ndim
        ones = [axis - first for axis in self.dropped if axis > first]
        return wrap(lib.h_expand_dims_axes(value._h, ones, len(ones), 0)) if ones else value


def _expand_ellipsis(key: tuple[Any, ...], ndim: int) -> list[Any]:
    places = [i for i, part in enumerate(key) if part is Ellipsis]
    if len(places) > 1:
        raise ValueError("An index can only have a single ellipsis (...)")
    used = sum(part is not None and part is not Ellipsis for part in key)
    missing = [slice(None)] * max(0, ndim - used)
    place = places[0] if places else len(key)
    return [*key[:place], *missing, *key[place + 1 :]]


def _index_array(part: Any, length: int) -> array:
    index = as_array(part)
    if index.dtype is bool_:
        raise ValueError("boolean indices are not yet supported")
    if not issubdtype(index.dtype, DtypeCategory.integer):
        raise ValueError(f"Indices must be integral, got an array of {index.dtype!r}.")
    return index
