"""Owned handles: how every function of this package talks to C.

A function takes its arrays through `only_array`, or through `as_array` or `pair` where it takes
scalars too, keeps them in local variables while C works with their `_h`, and gives the address that
comes back to `wrap` at once:

    def exp(a: Scalar | array, /, *, stream: StreamOrDevice = None) -> array:
        a = as_array(a)
        return wrap(lib.h_exp(a._h, at(stream)))

`wrap` owns the address, or raises the last error when it is 0. No other code frees an array.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ._ffi import handle

if TYPE_CHECKING:
    from ._array import array
    from ._device import StreamOrDevice

    class Handle:
        """Owner of one C array."""

        _h: int
        shape: tuple[int, ...]
        ndim: int
        size: int
        nbytes: int
        itemsize: int

        def __buffer__(self, flags: int, /) -> memoryview: ...

    def wrap(address: int) -> array:
        """An array owning `address`; raises the last error for 0."""

    def as_array(value: ArrayLike) -> array:
        """`value` itself if it is an array, else an array made of a scalar or a numpy array."""

    def only_array(value: object) -> array:
        """`value` itself, which must be an array: a TypeError for all else."""

    def pair(a: ArrayLike, b: ArrayLike) -> tuple[array, array]:
        """Both as arrays; a Python scalar takes the other's dtype, as in `a + 2`."""

    def at(stream: StreamOrDevice) -> int:
        """The handle of a stream, 0 for the default."""

    def swap(a: array, b: array) -> None:
        """Exchange what two arrays own: the in-place update of `a`."""

    def cut(a: array, key: object) -> array | None:
        """`a[key]` for one or a tuple of slices with a step of 1, None for other keys."""

    def put(a: array, key: object, value: array) -> array | None:
        """`a` with `value`, of its type, at such a key; None for others."""

    def combine(code: int, a: array, b: object, reflected: bool) -> array | None:
        """`a OP b` where `b` is an array, a float or a small int, None for others."""

    def reshaped(a: array, shape: tuple[Any, ...]) -> array | None:
        """`a` in a shape told by a tuple of ints or one in a tuple, None for others."""

    def transposed(a: array, axes: tuple[Any, ...]) -> array | None:
        """`a` with its axes in an order told in the same way, None for others."""

    def addresses(arrays: Sequence[array]) -> list[int]:
        """The handles of several arrays, which the caller keeps alive."""

    def read_vector(vector: int) -> list[array]:
        """The arrays of a C vector, which stays its owner's."""

    def unpack(vector: int) -> list[array]:
        """The arrays of a C vector, which is freed; raises the last error for 0."""
else:
    Handle = handle.Handle
    wrap = handle.wrap
    as_array = handle.as_array
    only_array = handle.only_array
    pair = handle.pair
    at = handle.at
    swap = handle.swap
    cut = handle.cut
    put = handle.put
    combine = handle.combine
    reshaped = handle.reshaped
    transposed = handle.transposed
    addresses = handle.addresses
    read_vector = handle.read_vector
    unpack = handle.unpack

Scalar: TypeAlias = bool | int | float | complex
ArrayLike: TypeAlias = "Scalar | array"
