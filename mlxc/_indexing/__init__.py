"""Reading and writing parts of arrays: `a[key]` and `a[key] = value`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._ffi import lib
from .._handle import swap, wrap
from .arrays import INTEGERS, gather, scatter, update_value
from .at import ArrayAt, at
from .iterate import ArrayIterator, iterate
from .views import NO_BOUND, checked, no_slice, read, too_many, view_of, write

if TYPE_CHECKING:
    from .._array import array

for _public in (ArrayAt, ArrayIterator):
    _public.__module__ = "mlxc"

__all__ = ["ArrayAt", "ArrayIterator", "at", "get_item", "iterate", "set_item"]


def get_item(a: array, key: Any) -> array:
    """What `a[key]` does."""
    kind = type(key)
    if kind is int:
        return wrap(lib.h_index(a._h, checked(key, a.shape, 0)))
    if kind is slice:
        start, stop, step = key.start, key.stop, key.step
        if a.ndim == 0:
            raise too_many(0)
        if step == 0:
            raise ValueError("slice step cannot be zero")
        try:
            return wrap(
                lib.h_slice_first(
                    a._h,
                    NO_BOUND if start is None else start,
                    NO_BOUND if stop is None else stop,
                    1 if step is None else step,
                )
            )
        except TypeError:
            raise no_slice(key) from None
    if key is None:
        return wrap(lib.h_expand_dims(a._h, 0, 0))
    if kind is type(a) and a.ndim and lib.h_dtype(key._h) in INTEGERS:
        return wrap(lib.h_take_axis(a._h, key._h, 0, 0))
    key = key if kind is tuple else (key,)
    view = view_of(key, a.shape)
    return gather(a, key) if view is None else read(a, view)


def set_item(a: array, key: Any, value: Any) -> None:
    """What `a[key] = value` does: `a` gets a new array with that part replaced."""
    value = update_value(a, value)
    key = key if type(key) is tuple else (key,)
    view = view_of(key, a.shape)
    swap(a, scatter(a, key, value) if view is None else write(a, view, value))
