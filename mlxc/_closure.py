"""Python functions that MLX calls while it transforms a graph.

1. `closure(function)` gives C the Python function as the payload of a C closure; `vjp_rule`,
   `jvp_rule` and `vmap_rule` do so for the rules of a custom function.
2. MLX calls `mlxc_call` or a relative (through `mlxc_call_python`, which is safe while the
   interpreter ends); it reads the arrays, calls the function and writes its results. The first
   is in `mlxc/_native/callback.c`, the others are below.
3. An exception is kept for the calling thread and a failure reported; when the outer C call
   returns its failure, `raise_last_error` raises that very exception.
4. MLX drops the closure when it likes; the payload is only noted, and let go when the next
   closure is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from ._errors import check, pending, raise_last_error
from ._ffi import ffi, handle, lib
from ._handle import addresses, read_vector, unpack, wrap

if TYPE_CHECKING:
    from ._array import array

    Function = Callable[[list[array]], list[array]]
    NamedFunction = Callable[[list[array], dict[str, array]], list[array]]
    VjpRule = Callable[[list[array], list[array], list[array]], list[array]]
    JvpRule = Callable[[list[array], list[array], list[int]], list[array]]
    VmapRule = Callable[[list[array], list[int]], tuple[list[array], list[int]]]

    def new_closure(function: Function) -> int:
        """The address of a C closure that calls `function`; its owner frees it."""

    def release_dropped() -> None:
        """Let go of the functions whose closures MLX has dropped."""
else:
    new_closure = handle.new_closure
    release_dropped = handle.release_dropped


# --- from Python to C -----------------------------------------------------------------


class closure:
    """The address of a C closure that calls a function, for the length of a `with` block.

    MLX keeps its own reference where a graph needs the closure for longer.
    """

    __slots__ = ("_address",)

    def __init__(self, function: Function) -> None:
        self._address = new_closure(function)

    def __enter__(self) -> int:
        return self._address

    def __exit__(self, *_: object) -> None:
        lib.h_closure_free(self._address)
        release_dropped()


def named_closure(function: NamedFunction) -> AbstractContextManager[Any]:
    """A C closure of arrays and named arrays, for the length of a `with` block."""
    made = _new(lib.mlx_closure_kwargs_new_func_payload, lib.mlxc_call_python_named, function)
    return _Freed(made, lib.mlx_closure_kwargs_free)


def vjp_rule(rule: VjpRule | None) -> AbstractContextManager[Any]:
    """A C closure from (primals, cotangents, outputs) to gradients; empty for None."""
    make = lib.mlx_closure_custom_new_func_payload
    made = _new(make, lib.mlxc_call_python_vjp, rule) if rule else lib.mlx_closure_custom_new()
    return _Freed(made, lib.mlx_closure_custom_free)


def jvp_rule(rule: JvpRule | None) -> AbstractContextManager[Any]:
    """A C closure from (primals, tangents, their places) to tangents; empty for None."""
    make = lib.mlx_closure_custom_jvp_new_func_payload
    made = _new(make, lib.mlxc_call_python_jvp, rule) if rule else lib.mlx_closure_custom_jvp_new()
    return _Freed(made, lib.mlx_closure_custom_jvp_free)


def vmap_rule(rule: VmapRule | None) -> AbstractContextManager[Any]:
    """A C closure from (inputs, axes) to (outputs, axes), -1 being no axis; empty for None."""
    make, empty = lib.mlx_closure_custom_vmap_new_func_payload, lib.mlx_closure_custom_vmap_new
    made = _new(make, lib.mlxc_call_python_vmap, rule) if rule else empty()
    return _Freed(made, lib.mlx_closure_custom_vmap_free)


def _new(make: Any, c_function: Any, function: Any) -> Any:
    payload = ffi.cast("void*", handle.new_payload(function))
    return make(c_function, payload, lib.mlxc_drop_payload)


class _Freed:
    """A C object that is freed at the end of a `with` block."""

    __slots__ = ("_free", "_made")

    def __init__(self, made: Any, free: Callable[[Any], object]) -> None:
        self._made = made
        self._free = free

    def __enter__(self) -> Any:
        return self._made

    def __exit__(self, *_: object) -> None:
        self._free(self._made)
        release_dropped()


def apply_and_free(closure: int, inputs: Sequence[array]) -> list[array]:
    """The outputs of a C closure, which is freed; raises the last error for 0."""
    if not closure:
        raise_last_error()
    try:
        return unpack(lib.h_closure_apply(closure, addresses(inputs), len(inputs)))
    finally:
        lib.h_closure_free(closure)
        release_dropped()


def call_for_two(function: Any, *arguments: Any) -> tuple[list[array], list[array]]:
    """The arrays that a C function sets in its two vectors."""
    results = ffi.new("uintptr_t[2]")
    check(function(results, *arguments))
    return unpack(results[0]), unpack(results[1])


# --- from C to Python -----------------------------------------------------------------


@ffi.def_extern(name="mlxc_call_named", error=1)  # type: ignore[untyped-decorator]
def _call_named(result: Any, args: Any, named: Any, payload: Any) -> int:
    try:
        return _set(result, _function(payload)(_arrays(args), _named_arrays(named)))
    except BaseException as exception:
        return _failed(exception)


@ffi.def_extern(name="mlxc_call_vjp", error=1)  # type: ignore[untyped-decorator]
def _call_vjp(result: Any, primals: Any, cotangents: Any, outputs: Any, payload: Any) -> int:
    try:
        rule = _function(payload)
        return _set(result, rule(_arrays(primals), _arrays(cotangents), _arrays(outputs)))
    except BaseException as exception:
        return _failed(exception)


@ffi.def_extern(name="mlxc_call_jvp", error=1)  # type: ignore[untyped-decorator]
def _call_jvp(
    result: Any, primals: Any, tangents: Any, argnums: Any, num: int, payload: Any
) -> int:
    try:
        places = ffi.unpack(argnums, num) if num else []
        rule = _function(payload)
        return _set(result, rule(_arrays(primals), _arrays(tangents), places))
    except BaseException as exception:
        return _failed(exception)


@ffi.def_extern(name="mlxc_call_vmap", error=1)  # type: ignore[untyped-decorator]
def _call_vmap(
    result: Any, result_axes: Any, inputs: Any, axes: Any, num: int, payload: Any
) -> int:
    try:
        rule = _function(payload)
        outputs, output_axes = rule(_arrays(inputs), ffi.unpack(axes, num) if num else [])
        check(lib.mlx_vector_int_set_data(result_axes, output_axes, len(output_axes)))
        return _set(result, outputs)
    except BaseException as exception:
        return _failed(exception)


def _set(result: Any, arrays: list[array]) -> int:
    held = addresses(arrays)
    handles = ffi.new("uintptr_t[]", held)
    data = ffi.cast("mlx_array*", handles)
    return int(lib.mlx_vector_array_set_data(result, data, len(arrays)))


def _failed(exception: BaseException) -> int:
    pending.exception = exception
    return 1


handle.set_keep_exception(_failed)


def _function(payload: Any) -> Any:
    return handle.payload(int(ffi.cast("uintptr_t", payload)))


def address_of(made: Any) -> int:
    """The one pointer of a C struct."""
    return int(ffi.cast("uintptr_t", made.ctx))


def _arrays(vector: Any) -> list[array]:
    return read_vector(address_of(vector))


def _named_arrays(named: Any) -> dict[str, array]:
    found: dict[str, array] = {}
    key, value = ffi.new("const char**"), ffi.new("mlx_array*")
    iterator = lib.mlx_map_string_to_array_iterator_new(named)
    try:
        while lib.mlx_map_string_to_array_iterator_next(key, value, iterator) == 0:
            found[ffi.string(key[0]).decode()] = wrap(address_of(value[0]))
            value[0].ctx = ffi.NULL
    finally:
        lib.mlx_map_string_to_array_iterator_free(iterator)
    return found
