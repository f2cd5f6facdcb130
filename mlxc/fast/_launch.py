"""What calls of custom kernels have in common: their settings as C takes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from .._dtype import Dtype
from .._errors import check
from .._ffi import ffi, lib

Three: TypeAlias = tuple[int, int, int]


def function(backend: str, name: str) -> Any:
    """A function of mlx-c for one kind of GPU."""
    return getattr(lib, f"mlx_fast_{backend}_kernel_{name}")


@contextmanager
def config(
    backend: str,
    shapes: Sequence[Sequence[int]],
    dtypes: Sequence[Dtype],
    grid: Three,
    threadgroup: Three,
) -> Iterator[Any]:
    """The C settings of one call."""
    if len(shapes) != len(dtypes):
        raise ValueError(
            "output_shapes and output_dtypes must be of one length, "
            f"got {len(shapes)} and {len(dtypes)}"
        )
    made = function(backend, "config_new")()
    try:
        for shape, dtype in zip(shapes, dtypes, strict=True):
            if not isinstance(dtype, Dtype):
                raise TypeError(f"output_dtypes must be dtypes, got {dtype!r}")
            extents = list(shape)
            add = function(backend, "config_add_output_arg")
            check(add(made, extents, len(extents), dtype._code))
        check(function(backend, "config_set_grid")(made, *three(grid, "grid")))
        threads = three(threadgroup, "threadgroup")
        check(function(backend, "config_set_thread_group")(made, *threads))
        yield made
    finally:
        function(backend, "config_free")(made)


def add_template(backend: str, made: Any, name: str, value: bool | int | Dtype) -> None:
    """Set what a name in the source stands for."""
    if isinstance(value, Dtype):
        kind, value = "dtype", value._code
    elif isinstance(value, bool):
        kind = "bool"
    elif isinstance(value, int):
        kind = "int"
    else:
        raise ValueError(
            f"the template argument {name!r} must be a Dtype, an int or a bool, got {value!r}"
        )
    check(function(backend, f"config_add_template_arg_{kind}")(made, *texts(name=name), value))


@contextmanager
def strings(names: Sequence[str], argument: str) -> Iterator[Any]:
    """The C vector of strings; a TypeError names the argument."""
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"{argument} must be a sequence of strings, got {names!r}")
    c_names = [ffi.new("char[]", name.encode()) for name in names]
    vector = lib.mlx_vector_string_new_data(ffi.new("const char*[]", c_names), len(c_names))
    try:
        yield vector
    finally:
        lib.mlx_vector_string_free(vector)


def texts(**values: str) -> list[bytes]:
    """Strings as C takes them; a TypeError names the argument."""
    for argument, value in values.items():
        if not isinstance(value, str):
            raise TypeError(f"{argument} must be a string, got {type(value).__name__}")
    return [value.encode() for value in values.values()]


def three(value: Three, argument: str) -> Three:
    """Three integers; a TypeError names the argument."""
    if len(value) != 3 or not all(isinstance(extent, int) for extent in value):
        raise TypeError(f"{argument} must be three integers, got {value!r}")
    return value
