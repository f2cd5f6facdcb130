"""Reading and writing parts of arrays: `a[key]` and `a[key] = value`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._bounds import INTEGERS
from .._ffi import lib
from .._handle import cut, put, swap, wrap
from .arrays import gather, scatter, update_value
from .at import ArrayAt, at
from .iterate import ArrayIterator, iterate
from .views import NO_BOUND, checked, no_slice, read, too_many, view_of, write

if TYPE_CHECKING:
    from .._array import array

for _public in (ArrayAt, ArrayIterator):
    _public.__module__ = "mlxc"

__all__ = ["ArrayAt", "ArrayIterator", "at", "get_item", "iterate", "set_item"]


def get_item(a: array, key: Any) -> array:
    """The part of an array that a key chooses, as in numpy: `a[key]`.

    A key is an integer, a slice, `None`, `...`, an integer array or list, a boolean array or list,
    or a tuple of these. Integers are checked against the axis, as those in lists and in numpy's
    arrays; the values of integer arrays are not, because they may not be computed yet. A boolean
    array is evaluated, because the shape of the result depends on it. Writing to the result leaves
    `a` as it is.

    Raises:
        IndexError: an integer is outside of its axis.
        ValueError: there are too many indices, one is of another kind, or a boolean array has
            another shape than the axes it is for.
    """
    kind = type(key)
    if kind is int:
        return wrap(lib.h_index(a._h, checked(key, a.shape, 0)))
    if kind is slice:
        if (part := cut(a, key)) is not None:
            return part
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
    if (part := cut(a, key)) is not None:
        return part
    key = key if kind is tuple else (key,)
    view = view_of(key, a.shape)
    return gather(a, key) if view is None else read(a, view)


def set_item(a: array, key: Any, value: Any) -> None:
    """Replace a part of an array: `a[key] = value`. `a` gets a new array; views keep the old.

    The key is as for reading; an integer array with values outside of its axis writes to memory
    that is not the array's, as in mlx.core. The value is converted to the type of `a` and
    broadcast to the part. A boolean array alone is not evaluated; then a value with one axis more
    than it leaves over holds one entry for each place that is true, in row-major order, and may
    hold more.

    Raises:
        IndexError, ValueError: as for reading; or the value does not fit the part.
    """
    value = update_value(a, value)
    if (changed := put(a, key, value)) is not None:
        swap(a, changed)
        return
    key = key if type(key) is tuple else (key,)
    view = view_of(key, a.shape)
    swap(a, scatter(a, key, value) if view is None else write(a, view, value))
