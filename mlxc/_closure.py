"""Python functions that MLX calls while it transforms a graph.

1. `closure(function)` gives C a handle to the Python function as the payload of a C closure;
   `vjp_rule`, `jvp_rule` and `vmap_rule` do so for the rules of a custom function.
2. MLX calls `mlxc_call` or a relative (through `mlxc_call_python`, which is safe while the
   interpreter ends); it reads the arrays, calls the function and writes its results.
3. An exception is kept for the calling thread and a failure reported; when the outer C call
   returns its failure, `raise_last_error` raises that very exception.
4. MLX drops the closure when it likes; the payload is only noted, and let go when the next
   closure is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from ._errors import check, pending
from ._ffi import ffi, lib
from ._handle import addresses, read_vector, wrap

if TYPE_CHECKING:
    from ._array import array

    Function = Callable[[list[array]], list[array]]
    NamedFunction = Callable[[list[array], dict[str, array]], list[array]]
    VjpRule = Callable[[list[array], list[array], list[array]], list[array]]
    JvpRule = Callable[[list[array], list[array], list[int]], list[array]]
    VmapRule = Callable[[list[array], list[int]], tuple[list[array], list[int]]]

#: Handles of the functions that C may still call, by address.
_alive: dict[Any, Any] = {}


# --- from Python to C -----------------------------------------------------------------


def new_closure(function: Function) -> Any:
    """A C closure that calls `function`; its owner frees it."""
    return _new(lib.mlx_closure_new_func_payload, lib.mlxc_call_python, function)


def closure(function: Function) -> AbstractContextManager[Any]:
    """A C closure that calls `function`, for the length of a `with` block.

    MLX keeps its own reference where a graph needs the closure for longer.
    """
    return _Freed(new_closure(function), lib.mlx_closure_free)


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
    release_dropped()
    payload = ffi.new_handle(function)
    _alive[payload] = function
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


def release_dropped() -> None:
    """Let go of the functions whose closures MLX has dropped."""
    while (payload := lib.mlxc_next_dropped()) != ffi.NULL:
        del _alive[payload]


def c_vector(arrays: Sequence[array]) -> AbstractContextManager[Any]:
    """A C vector of arrays, for the length of a `with` block."""
    # An address has the size and place of mlx_array's one field.
    handles = ffi.new("uintptr_t[]", addresses(arrays))
    vector = lib.mlx_vector_array_new_data(ffi.cast("mlx_array*", handles), len(arrays))
    return _Freed(vector, lib.mlx_vector_array_free)


def call(function: Any, *arguments: Any) -> list[array]:
    """The arrays that a C function sets in its one vector."""
    result = ffi.new("mlx_vector_array*")
    try:
        check(function(result, *arguments))
        return _arrays(result[0])
    finally:
        lib.mlx_vector_array_free(result[0])


def call_for_two(function: Any, *arguments: Any) -> tuple[list[array], list[array]]:
    """The arrays that a C function sets in its two vectors."""
    results = ffi.new("mlx_vector_array[2]")
    try:
        check(function(results, results + 1, *arguments))
        return _arrays(results[0]), _arrays(results[1])
    finally:
        lib.mlx_vector_array_free(results[0])
        lib.mlx_vector_array_free(results[1])


# --- from C to Python -----------------------------------------------------------------


@ffi.def_extern(name="mlxc_call", error=1)  # type: ignore[untyped-decorator]
def _call(result: Any, args: Any, payload: Any) -> int:
    try:
        return _set(result, ffi.from_handle(payload)(_arrays(args)))
    except BaseException as exception:
        return _failed(exception)


@ffi.def_extern(name="mlxc_call_named", error=1)  # type: ignore[untyped-decorator]
def _call_named(result: Any, args: Any, named: Any, payload: Any) -> int:
    try:
        return _set(result, ffi.from_handle(payload)(_arrays(args), _named_arrays(named)))
    except BaseException as exception:
        return _failed(exception)


@ffi.def_extern(name="mlxc_call_vjp", error=1)  # type: ignore[untyped-decorator]
def _call_vjp(result: Any, primals: Any, cotangents: Any, outputs: Any, payload: Any) -> int:
    try:
        rule = ffi.from_handle(payload)
        return _set(result, rule(_arrays(primals), _arrays(cotangents), _arrays(outputs)))
    except BaseException as exception:
        return _failed(exception)


@ffi.def_extern(name="mlxc_call_jvp", error=1)  # type: ignore[untyped-decorator]
def _call_jvp(
    result: Any, primals: Any, tangents: Any, argnums: Any, num: int, payload: Any
) -> int:
    try:
        places = ffi.unpack(argnums, num) if num else []
        rule = ffi.from_handle(payload)
        return _set(result, rule(_arrays(primals), _arrays(tangents), places))
    except BaseException as exception:
        return _failed(exception)


@ffi.def_extern(name="mlxc_call_vmap", error=1)  # type: ignore[untyped-decorator]
def _call_vmap(
    result: Any, result_axes: Any, inputs: Any, axes: Any, num: int, payload: Any
) -> int:
    try:
        rule = ffi.from_handle(payload)
        outputs, output_axes = rule(_arrays(inputs), ffi.unpack(axes, num) if num else [])
        check(lib.mlx_vector_int_set_data(result_axes, output_axes, len(output_axes)))
        return _set(result, outputs)
    except BaseException as exception:
        return _failed(exception)


def _set(result: Any, arrays: Sequence[array]) -> int:
    handles = ffi.new("uintptr_t[]", addresses(arrays))
    data = ffi.cast("mlx_array*", handles)
    return int(lib.mlx_vector_array_set_data(result, data, len(arrays)))


def _failed(exception: BaseException) -> int:
    pending.exception = exception
    return 1


def _arrays(vector: Any) -> list[array]:
    return read_vector(int(ffi.cast("uintptr_t", vector.ctx)))


def _named_arrays(named: Any) -> dict[str, array]:
    found: dict[str, array] = {}
    key, value = ffi.new("const char**"), ffi.new("mlx_array*")
    iterator = lib.mlx_map_string_to_array_iterator_new(named)
    try:
        while lib.mlx_map_string_to_array_iterator_next(key, value, iterator) == 0:
            found[ffi.string(key[0]).decode()] = wrap(int(ffi.cast("uintptr_t", value[0].ctx)))
            value[0].ctx = ffi.NULL
    finally:
        lib.mlx_map_string_to_array_iterator_free(iterator)
    return found
