"""Arrays and streams as C structs, for the functions without a form in integers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ._errors import check
from ._ffi import ffi, lib
from ._handle import addresses, at, wrap

if TYPE_CHECKING:
    from ._array import array
    from ._device import StreamOrDevice


def c_array(address: int) -> Any:
    """The struct of an array; the caller keeps its `_h` while C works."""
    return ffi.new("mlx_array*", [ffi.cast("void*", address)])[0]


@contextmanager
def c_vector(arrays: Sequence[array]) -> Iterator[Any]:
    """The C vector of arrays that the caller keeps, for the length of a `with` block."""
    held = addresses(arrays)
    structs = ffi.new("mlx_array[]", [[ffi.cast("void*", address)] for address in held])
    vector = lib.mlx_vector_array_new_data(structs, len(arrays))
    try:
        yield vector
    finally:
        lib.mlx_vector_array_free(vector)


def c_stream(stream: StreamOrDevice) -> Any:
    """The struct of a stream, of the calling thread's default for None."""
    if address := at(stream):
        return ffi.new("mlx_stream*", [ffi.cast("void*", address)])[0]
    return lib.mlxc_default_stream()


def take_array(result: Any) -> array:
    """The array that C set in an `mlx_array*`, now owned here; the pointer can be set again."""
    address = int(ffi.cast("uintptr_t", result[0].ctx))
    result[0].ctx = ffi.NULL
    return wrap(address)


def two_results(function: Any, a: array, *arguments: Any) -> tuple[array, array]:
    """What a function of one array sets in its two results."""
    results, address = ffi.new("mlx_array[2]"), a._h
    check(function(results, results + 1, c_array(address), *arguments))
    return take_array(results), take_array(results + 1)
