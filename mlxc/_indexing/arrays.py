"""Parts chosen by arrays, among integers, slices, `None` and `...`.

What a strided view can express is taken first; the arrays gather from that view. As in numpy, an
integer beside an array counts as an array of one, which matters for the order of the axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import index as to_int
from typing import TYPE_CHECKING, Any

from .._bounds import INTEGERS, check_known
from .._convert import SCALARS, check_fits, new_array, scalar
from .._ffi import lib
from .._handle import Handle, addresses, unpack, wrap
from .masks import is_mask, read_masked, without_masks, write_masked
from .views import (
    SET,
    Writing,
    bounds,
    checked,
    read,
    too_many,
    view_of,
    without_new_axes,
    write,
)

if TYPE_CHECKING:
    from .._array import array

PLAIN = (slice, type(None), type(...))


def gather(a: array, key: tuple[Any, ...]) -> array:
    """What `a[key]` does."""
    given, key = key, _converted(key)
    if len(key) == 1 and is_mask(key[0]) and key[0].ndim == 0:
        return read_masked(a, key[0])
    known = _known(given, key)
    key = without_masks(key, a.shape)
    view = view_of(key, a.shape)
    return _Gathering(a, key, known).read(a) if view is None else read(a, view)


def scatter(a: array, key: tuple[Any, ...], value: array, how: Writing = SET) -> array:
    """`a` with `value`, of its type, in place of `a[key]` or combined with it."""
    given, key = key, _converted(key)
    if len(key) == 1 and is_mask(key[0]) and how is SET:
        return write_masked(a, key[0], value)
    known = _known(given, key)
    key = without_masks(key, a.shape)
    view = view_of(key, a.shape)
    if view is None:
        return _Gathering(a, key, known).write(a, value, how)
    return write(a, view, value, how)


def update_value(a: array, value: Any) -> array:
    """What is written into `a`: an array of its type."""
    if type(value) in SCALARS:
        if type(value) is int:
            check_fits(value, lib.h_dtype(a._h))
        return scalar(value, a.dtype)
    if isinstance(value, Handle) and lib.h_dtype(value._h) == lib.h_dtype(a._h):
        return value  # type: ignore[return-value]
    return new_array(value, a.dtype)


def _converted(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """The key with lists, booleans and the like as arrays, and what counts as an integer as one."""
    return tuple(part if isinstance(part, PLAIN) else _converted_part(part) for part in key)


def _converted_part(part: Any) -> array | int:
    if not isinstance(part, (Handle, list, bool)):
        try:
            return int(to_int(part))
        except TypeError:
            if not hasattr(part, "__array__"):
                raise ValueError("Cannot index mlx array using the given type.") from None
    index: array = part if isinstance(part, Handle) else new_array(part)  # type: ignore[assignment]
    if not is_mask(index) and lib.h_dtype(index._h) not in INTEGERS:
        raise ValueError(f"Indices must be integral, got an array of {index.dtype!r}.")
    return index


def _known(given: tuple[Any, ...], key: tuple[Any, ...]) -> set[int]:
    """The identities of the index arrays made of lists or of numpy's arrays."""
    pairs = zip(given, key, strict=True)
    return {id(part) for was, part in pairs if part is not was and isinstance(part, Handle)}


def _expand_ellipsis(key: tuple[Any, ...], ndim: int) -> tuple[Any, ...]:
    """The key with whole slices in place of `...`, which stands at the end if nowhere else."""
    if Ellipsis not in key:
        key = (*key, Ellipsis)
    place = key.index(Ellipsis)
    before, after = key[:place], key[place + 1 :]
    if Ellipsis in after:
        raise ValueError("An index can only have a single ellipsis (...)")
    used = len(key) - 1 - key.count(None)
    return (*before, *[slice(None)] * (ndim - used), *after)


class _Gathering:
    """An index with integer arrays, axis by axis.

    Attributes:
        known: the identities of the integer arrays whose elements are to be checked.
        start, stop, step: the strided view, one entry an axis of the array.
        dropped: axes that an integer takes away.
        arrays: (axis, integer array) pairs.
        places: where in the key the arrays and the integers are.
        layout: the result's axes in order: an axis of the array, or None for a new one.
    """

    def __init__(self, a: array, key: tuple[Any, ...], known: set[int]) -> None:
        self.known = known
        self.start: list[int] = []
        self.stop: list[int] = []
        self.step: list[int] = []
        self.dropped: list[int] = []
        self.arrays: list[tuple[int, array]] = []
        self.places: list[int] = []
        self.layout: list[int | None] = []
        shape = a.shape
        for place, part in enumerate(_expand_ellipsis(key, len(shape))):
            if isinstance(part, (Handle, int)):
                self.places.append(place)
            self._add(part, shape)

    def _add(self, part: array | int | slice | None, shape: Sequence[int]) -> None:
        if part is None:
            self.layout.append(None)
            return
        axis = len(self.start)
        if axis >= len(shape):
            raise too_many(len(shape))
        if isinstance(part, int):
            index = checked(part, shape, axis)
            limits = (index, index + 1, 1)
            self.dropped.append(axis)
        else:
            self.layout.append(axis)
            if isinstance(part, slice):
                limits = bounds(part, shape[axis])
            else:
                length = shape[axis]
                if id(part) in self.known:
                    check_known(part, length, f"axis {axis}")
                limits = (0, length, 1)
                self.arrays.append((axis, part))
        for target, limit in zip((self.start, self.stop, self.step), limits, strict=True):
            target.append(limit)

    def read(self, a: array) -> array:
        result = self._view(a)
        if self.dropped:
            result = wrap(lib.h_squeeze_axes(result._h, self.dropped, len(self.dropped), 0))
        result = self._gather(result)
        if new := self._new_axes():
            result = wrap(lib.h_expand_dims_axes(result._h, new, len(new), 0))
        return result

    def write(self, a: array, value: array, how: Writing) -> array:
        value = self._scattered(a, value, how)
        if value.size == 0:
            return wrap(lib.h_keep(a._h))
        n = len(self.start)
        return wrap(
            lib.h_slice_update(a._h, value._h, self.start, n, self.stop, n, self.step, n, 0)
        )

    def _view(self, a: array) -> array:
        shape = a.shape
        if self.step.count(1) == len(shape) and list(shape) == self.stop and not any(self.start):
            return a
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
            result = wrap(lib.h_take_axis(view._h, arrays[0]._h, axes[0], 0))
            return result if self._adjacent() else self._to_front(result, axes[0], arrays[0].ndim)
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
        return self.places[-1] - self.places[0] == len(self.places) - 1

    def _to_front(self, result: array, place: int, depth: int) -> array:
        order = list(range(place, place + depth))
        order += [i for i in range(result.ndim) if i not in order]
        return wrap(lib.h_transpose_axes(result._h, order, len(order), 0))

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
        depth = max(index.ndim for _, index in self.arrays)
        indexed = {axis for axis, _ in self.arrays}
        front = not self._adjacent()
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

    def _scattered(self, a: array, value: array, how: Writing) -> array:
        """The strided view of `a` with `value` written at the integer arrays; `value` if empty."""
        view = self._view(a)
        if self.dropped:
            view = wrap(lib.h_squeeze_axes(view._h, self.dropped, len(self.dropped), 0))
        arrays, axes = self._indices()
        depth = arrays[0].ndim
        ndim = len(self.layout) - len(axes) + depth
        value = without_new_axes(value, self._new_axes(), ndim)
        rest = [length for i, length in enumerate(view.shape) if i not in axes]
        place = axes[0] if self._adjacent() else 0
        index_shape = list(arrays[0].shape)
        shape = rest[:place] + index_shape + rest[place:]
        value = wrap(lib.h_broadcast_to(value._h, shape, len(shape), 0))
        if value.size == 0:  # MLX divides by the number of updates
            return value
        value = self._to_front(value, place, depth)
        if ones := [depth + axis for axis in sorted(axes)]:
            value = wrap(lib.h_expand_dims_axes(value._h, ones, len(ones), 0))
        handles = [index._h for index in arrays]
        result = wrap(how.scatter(view._h, handles, len(handles), value._h, axes, len(axes), 0))
        if self.dropped:
            dropped = self.dropped
            result = wrap(lib.h_expand_dims_axes(result._h, dropped, len(dropped), 0))
        return result
