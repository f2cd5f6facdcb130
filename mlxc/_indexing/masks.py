"""Boolean arrays in an index, as in numpy.

Reading through a mask, and a mask beside other parts, evaluates the mask, because the shape of
the result depends on it. Assigning through a mask alone stays lazy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

from .._dtype import bool_
from .._ffi import lib
from .._handle import Handle, wrap
from ..ops.nonzero import flatnonzero, nonzero

if TYPE_CHECKING:
    from .._array import array


def is_mask(part: Any) -> TypeGuard[array]:
    return isinstance(part, Handle) and lib.h_dtype(part._h) == bool_._code


def without_masks(key: tuple[Any, ...], shape: Sequence[int]) -> tuple[Any, ...]:
    """The key with each mask as the integer arrays that stand for it."""
    if not any(map(is_mask, key)):
        return key
    result: list[Any] = []
    axis = 0
    for place, part in enumerate(key):
        if part is Ellipsis:
            axis = len(shape) - sum(map(_axes, key[place + 1 :]))
        elif is_mask(part):
            if part.ndim == 0:
                raise ValueError("A mask without axes cannot stand beside other indices.")
            _check(part, shape, axis)
            result.extend(nonzero(part))
            axis += part.ndim
            continue
        else:
            axis += _axes(part)
        result.append(part)
    return tuple(result)


def _axes(part: Any) -> int:
    """How many axes of the array a part of a key is for."""
    if part is None or part is Ellipsis:
        return 0
    return part.ndim if is_mask(part) else 1


def _check(mask: array, shape: Sequence[int], axis: int) -> None:
    covered = tuple(shape[axis : axis + mask.ndim])
    if mask.shape != covered:
        raise ValueError(
            f"The boolean mask has shape {mask.shape}, but the axes it is for have {covered}."
        )


def read_masked(a: array, mask: array) -> array:
    """What `a[mask]` is for a mask without axes: `a` with a first axis of length 1 or 0."""
    chosen = wrap(lib.h_expand_dims(a._h, 0, 0))
    return chosen if mask.item() else chosen[:0]


def _unchanged(a: array, mask: array) -> array:
    """`a` after an assignment of no values, which must be what the mask asks for."""
    if places := flatnonzero(mask).size:
        raise ValueError(f"The boolean mask is true at {places} places, but there are no values.")
    return wrap(lib.h_keep(a._h))


def write_masked(a: array, mask: array, value: array) -> array:
    """`a` with `value`, of its type, where `mask` is true.

    A value with one axis more than the mask leaves over holds one part an element that is true;
    any other is broadcast to all of them.
    """
    shape = a.shape
    _check(mask, shape, 0)
    if 0 in shape:
        return wrap(lib.h_keep(a._h))
    left = len(shape) - mask.ndim
    if mask.ndim == 0 and value.ndim > left:
        row, mask = wrap(lib.h_expand_dims(a._h, 0, 0)), wrap(lib.h_expand_dims(mask._h, 0, 0))
        row = write_masked(row, mask, value)
        return wrap(lib.h_squeeze_axis(row._h, 0, 0))
    if mask.ndim and value.ndim > left:
        if value.ndim > left + 1 or value.shape[0] != 1:
            if value.size == 0:
                return _unchanged(a, mask)
            return wrap(lib.h_masked_scatter(a._h, mask._h, value._h, 0))
        value = wrap(lib.h_squeeze_axis(value._h, 0, 0))
    value = wrap(lib.h_broadcast_to(value._h, shape, len(shape), 0))
    if left and mask.ndim:
        ones = list(range(mask.ndim, len(shape)))
        mask = wrap(lib.h_expand_dims_axes(mask._h, ones, left, 0))
    return wrap(lib.h_where(mask._h, value._h, a._h, 0))
