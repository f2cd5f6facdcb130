"""Updates at indices that may occur more than once: `a.at[key].add(value)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from .._dtype import DtypeCategory, issubdtype
from .._ffi import lib
from .._handle import wrap
from .arrays import scatter, update_value
from .views import Writing, view_of, write

if TYPE_CHECKING:
    from .._array import array
    from .._handle import ArrayLike

    Update: TypeAlias = Callable[["ArrayAt", "ArrayLike"], array]

ADD = Writing(lib.h_slice_update_add, lib.h_scatter_add)
MULTIPLY = Writing(lib.h_slice_update_prod, lib.h_scatter_prod)
MAXIMUM = Writing(lib.h_slice_update_max, lib.h_scatter_max)
MINIMUM = Writing(lib.h_slice_update_min, lib.h_scatter_min)


class ArrayAt:
    """An array and where to update it; made by `a.at`, not by calling the class.

    The array stays as it is. Each method returns a new one, in which every update counts even if
    its index occurs several times, where `a[key] += value` would count one of them.

    Example:
        >>> import mlxc as mx
        >>> mx.zeros(3).at[mx.array([0, 0, 2])].add(1)
        array([2, 0, 1], dtype=float32)
    """

    __slots__ = ("_array", "_key")

    _array: array
    _key: tuple[Any, ...] | None

    def __init__(self) -> None:
        raise TypeError("ArrayAt cannot be made directly; use a.at")

    def __getitem__(self, indices: Any) -> ArrayAt:
        return at_key(self._array, indices if type(indices) is tuple else (indices,))

    def add(self, value: ArrayLike) -> array:
        """The array with `value`, broadcast to the indices, added there."""
        return self._updated(self._value(value), ADD)

    def subtract(self, value: ArrayLike) -> array:
        """The array with `value`, broadcast to the indices, subtracted there."""
        taken = self._value(value)
        return self._updated(wrap(lib.h_negative(taken._h, 0)), ADD)

    def multiply(self, value: ArrayLike) -> array:
        """The array multiplied by `value`, broadcast to the indices, there."""
        return self._updated(self._value(value), MULTIPLY)

    def divide(self, value: ArrayLike) -> array:
        """The array divided by `value`, broadcast to the indices, there.

        Raises:
            ValueError: the array is neither floating point nor complex.
        """
        if not issubdtype(self._array.dtype, DtypeCategory.inexact):
            raise ValueError(
                f"at[...].divide needs a floating-point array, got one of {self._array.dtype!r}"
            )
        divisor = self._value(value)
        return self._updated(wrap(lib.h_reciprocal(divisor._h, 0)), MULTIPLY)

    def maximum(self, value: ArrayLike) -> array:
        """The array with the larger of its element and `value` there."""
        return self._updated(self._value(value), MAXIMUM)

    def minimum(self, value: ArrayLike) -> array:
        """The array with the smaller of its element and `value` there."""
        return self._updated(self._value(value), MINIMUM)

    def _value(self, value: ArrayLike) -> array:
        return update_value(self._array, value)

    def _updated(self, value: array, how: Writing) -> array:
        a, key = self._array, self._key
        if key is None:
            raise ValueError("Must give indices to array.at (e.g. `x.at[0].add(4)`).")
        view = view_of(key, a.shape)
        return scatter(a, key, value, how) if view is None else write(a, view, value, how)


def at_key(a: array, key: tuple[Any, ...] | None) -> ArrayAt:
    """The place of a key in an array."""
    place: ArrayAt = object.__new__(ArrayAt)
    place._array, place._key = a, key
    return place


def at(self: array) -> ArrayAt:
    """Where to update: `a.at[key].add(value)`, also subtract, multiply, divide, maximum, minimum.

    See `ArrayAt`.
    """
    return at_key(wrap(lib.h_keep(self._h)), None)
