"""Iteration over the first axis of an array."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._ffi import lib
from .._handle import wrap

if TYPE_CHECKING:
    from .._array import array


class ArrayIterator:
    """Gives the parts of an array along its first axis; made by `iter(a)`."""

    __slots__ = ("_array", "_length", "_next")

    _array: array
    _length: int
    _next: int

    def __init__(self) -> None:
        raise TypeError("ArrayIterator cannot be made directly; use iter(a)")

    def __iter__(self) -> ArrayIterator:
        return self

    def __next__(self) -> array:
        place = self._next
        if place >= self._length:
            raise StopIteration
        self._next = place + 1
        return wrap(lib.h_index(self._array._h, place))


def iterate(self: array) -> ArrayIterator:
    """What `iter(a)` does: the iterator keeps to the array as it is now."""
    if self.ndim == 0:
        raise TypeError("iter() 0-dimensional array.")
    iterator: ArrayIterator = object.__new__(ArrayIterator)
    iterator._array = wrap(lib.h_keep(self._h))
    iterator._length = lib.h_dim(self._h, 0)
    iterator._next = 0
    return iterator
