"""Python functions that MLX calls while it transforms a graph.

1. `closure(function)` gives C a handle to the Python function as the payload of a C closure.
2. MLX calls `mlxc_call` (through `mlxc_call_python`, which is safe while the interpreter ends);
   it reads the arrays, calls the function and writes its results.
3. An exception is kept for the calling thread and a failure reported; when the outer C call
   returns its failure, `raise_last_error` raises that very exception.
4. MLX drops the closure when it likes; the payload is only noted, and let go in `closure`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ._errors import pending
from ._ffi import ffi, lib
from ._handle import addresses, read_vector

if TYPE_CHECKING:
    from ._array import array

    Function = Callable[[list[array]], list[array]]

#: Handles of the functions that C may still call, by address.
_alive: dict[Any, Any] = {}


@ffi.def_extern(name="mlxc_call", error=1)  # type: ignore[untyped-decorator]
def _call(result: Any, args: Any, payload: Any) -> int:
    try:
        arrays = ffi.from_handle(payload)(read_vector(int(ffi.cast("uintptr_t", args.ctx))))
        handles = ffi.new("mlx_array[]", [[ffi.cast("void*", a)] for a in addresses(arrays)])
        return int(lib.mlx_vector_array_set_data(result, handles, len(arrays)))
    except BaseException as exception:
        pending.exception = exception
        return 1


@contextmanager
def closure(function: Function) -> Iterator[Any]:
    """A C closure that calls `function`, for the length of a `with` block.

    MLX keeps its own reference where a graph needs the closure for longer.
    """
    _release_dropped()
    payload = ffi.new_handle(function)
    _alive[payload] = function
    c_closure = lib.mlx_closure_new_func_payload(
        lib.mlxc_call_python, payload, lib.mlxc_drop_payload
    )
    try:
        yield c_closure
    finally:
        lib.mlx_closure_free(c_closure)
        _release_dropped()


def _release_dropped() -> None:
    while (payload := lib.mlxc_next_dropped()) != ffi.NULL:
        del _alive[payload]
