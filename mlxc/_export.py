"""Functions in files, and graphs as drawings.

An exported function is a graph: it can be called in another process, or from C++, without the
Python code it came from.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any
from weakref import finalize

from . import _dtype
from ._closure import address_of, named_closure
from ._errors import check, pending
from ._ffi import ffi, lib
from ._graph_file import read_graphs
from ._graph_replay import Replay, shown
from ._graph_rules import parameters_of
from ._handle import Handle, addresses, read_vector
from ._leaves import only_arrays_in
from ._seal import append_seal, check_seal
from ._structs import c_array, c_vector
from .ops._arguments import text as string

if TYPE_CHECKING:
    from ._array import array

    Inputs = tuple[list[array], dict[str, array]]

__all__ = ["FunctionExporter", "export_function", "export_to_dot", "exporter", "import_function"]


def export_function(
    file_or_callback: str | os.PathLike[str] | Callable[[dict[str, Any]], Any],
    fun: Callable[..., Any],
    *args: Any,
    shapeless: bool = False,
    metadata: str | None = None,
    **kwargs: Any,
) -> None:
    """Write a function to a file, as its graph for arguments of given types and shapes.

    Args:
        file_or_callback: the path, by custom "NAME.mlxfn"; the file appears whole or not at all.
            Or a function that is called with a dict for every part of the graph: its "type" is
            "inputs", "keyword_inputs", "outputs", "constants" or "primitive".
        fun: takes arrays by position and by name, returns an array or a list or tuple of them.
        *args: example arrays; or one list or tuple of them, one dict of them, or both.
        shapeless: other shapes are allowed too, where the operations do not depend on them.
        metadata: a text to keep beside the function, for `import_function`.
        **kwargs: example arrays given by name.

    Raises:
        ValueError: an argument or a result is of another form; `fun` uses an array from outside
            that is not evaluated yet; metadata for a callback.
        RuntimeError: the file cannot be written, or an operation cannot be exported.

    Example:
        >>> import mlxc as mx, os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "add.mlxfn")
        >>> mx.export_function(path, lambda x, y: x + y, mx.array(1.0), y=mx.array(2.0))
        >>> mx.import_function(path)(mx.array(3.0), y=mx.array(4.0))
        (array(7, dtype=float32),)
    """
    inputs = _inputs("export_function", args, kwargs)
    if not callable(file_or_callback):
        with exporter(file_or_callback, fun, shapeless=shapeless, metadata=metadata) as write:
            write(*args, **kwargs)
        return
    if metadata is not None:
        raise ValueError("[export_function] metadata is for a file, not for a callback")
    payload = ffi.new_handle(file_or_callback)
    make = lib.mlxc_exporter_new_callback
    c_exporter = _new_exporter(fun, lambda made, f: make(made, payload, f, shapeless))
    try:
        _write(c_exporter, inputs)
    finally:
        lib.mlx_function_exporter_free(c_exporter)


def exporter(
    file: str | os.PathLike[str],
    fun: Callable[..., Any],
    *,
    shapeless: bool = False,
    metadata: str | None = None,
) -> FunctionExporter:
    """A writer of one function in several forms to one file.

    Args:
        file: the path; the file appears when the writer is closed.
        fun: as in `export_function`.
        shapeless: as in `export_function`.
        metadata: as in `export_function`.

    Example:
        >>> import mlxc as mx, os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "sum.mlxfn")
        >>> with mx.exporter(path, lambda *xs: sum(xs[1:], xs[0])) as export:
        ...     export(mx.array(1))
        ...     export(mx.array(1), mx.array(2))
        >>> mx.import_function(path)(mx.array(3), mx.array(4))
        (array(7, dtype=int32),)
    """
    return FunctionExporter(os.fspath(file), fun, shapeless, metadata)


class FunctionExporter:
    """A writer of one function in several forms; `mlxc.exporter` makes it.

    It is called with example arguments, as `export_function` is, once for every form. At the end
    of a `with` block the file is there, or is not if the block raised.
    """

    def __init__(
        self, file: str, fun: Callable[..., Any], shapeless: bool, metadata: str | None
    ) -> None:
        self._path = os.path.realpath(file)
        folder, name = os.path.split(self._path)
        self._partial = os.path.join(folder, f".{name}-{os.urandom(8).hex()}")
        path, text = os.fsencode(self._partial), string(metadata or "", "metadata")
        make = lib.mlxc_exporter_new
        c_exporter = _new_exporter(fun, lambda made, f: make(made, path, f, shapeless, text))
        self._c_exporter: Any = c_exporter
        self._discard = finalize(self, _discard, c_exporter, self._partial)

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        """Write the function for arguments of these types and shapes.

        Raises:
            RuntimeError: the writer is closed, or has written the same form before.
        """
        if not self._discard.alive:
            raise RuntimeError("[export_function] the exporter is closed")
        _write(self._c_exporter, _inputs("export_function", args, kwargs))

    def close(self) -> None:
        """Finish the file and put it in its place. A second call does nothing."""
        if not self._discard.alive:
            return
        check(lib.mlxc_exporter_close(self._c_exporter))
        self._discard.detach()
        lib.mlx_function_exporter_free(self._c_exporter)
        append_seal(self._partial)
        _move(self._partial, self._path)

    def __enter__(self) -> FunctionExporter:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        if exc_type is None:
            self.close()
        else:
            self._discard()


def import_function(file: str | os.PathLike[str], return_metadata: bool = False) -> Any:
    """A function from a file that `export_function` or `exporter` wrote.

    The file is read with care, and what it tells of is computed by the functions of this package,
    operation by operation. So whoever made the file, it is refused or does what a program of these
    functions could do, which includes asking for much memory. Calls cost what the same calls of
    such functions cost, and `compile` makes them cheaper. A file that mlxc wrote ends with a
    checksum, by which any damage is noticed.

    Args:
        file: the path.
        return_metadata: give (function, metadata) instead of the function.

    Returns:
        A function of arrays by position and by name, or of one tuple and one dict of them. It
        returns a tuple of arrays, and raises ValueError for arguments of a form that was not
        exported.

    Raises:
        ValueError: the file is no exported function, was changed since mlxc wrote it, holds results
            of other shapes or types than its operations have, or an operation that cannot be
            imported, as Metal and CUDA kernels.
        RuntimeError: there is no such file.

    Example:
        >>> import mlxc as mx, os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "twice.mlxfn")
        >>> mx.export_function(path, lambda x: x * 2, mx.array([1, 2]), metadata="by two")
        >>> twice, metadata = mx.import_function(path, return_metadata=True)
        >>> twice(mx.array([3, 4])), metadata
        ((array([6, 8], dtype=int32),), 'by two')
    """
    path = os.fspath(file)
    if not os.path.isfile(path):
        raise RuntimeError(f"[import_function] there is no file {path}")
    check_seal(path)
    graphs = read_graphs(path, parameters_of)
    replays = [Replay(trace, graphs.shapeless) for trace in graphs.traces]

    def imported(*args: Any, **kwargs: Any) -> tuple[array, ...]:
        positional, named = _inputs("import_function::call", args, kwargs)
        for replay in replays:
            if replay.takes(positional, named):
                return replay(positional, named)
        raise ValueError(
            "[import_function::call] No imported function found which matches the given "
            f"positional and keyword arguments, {shown(positional, named)}. Possible are: "
            + "; ".join(map(str, replays))
        )

    return (imported, graphs.metadata) if return_metadata else imported


def export_to_dot(file: Any, *args: Any, **kwargs: array) -> None:
    """Draw the graph that arrays wait to be computed from, in the DOT language of Graphviz.

    Args:
        file: a path, or an object with a `write` method for text.
        *args: the arrays, or trees of them.
        **kwargs: arrays of the graph by the names to show them with.

    Raises:
        ValueError: something else is given.

    Example:
        >>> import io, mlxc as mx
        >>> x, drawing = mx.array(1.0), io.StringIO()
        >>> mx.export_to_dot(drawing, mx.exp(x), x=x)
        >>> drawing.getvalue().splitlines()[:2]
        ['digraph {', '{ rank=source; "x"; }']
    """
    from tempfile import TemporaryFile

    outputs = only_arrays_in(args, "[export_to_dot] the outputs")
    named = [(name, only_arrays_in(a, f"[export_to_dot] {name}")) for name, a in kwargs.items()]
    namer = lib.mlx_node_namer_new()
    try:
        for name, arrays in named:
            for address in addresses(arrays):
                check(lib.mlx_node_namer_set_name(namer, c_array(address), name.encode()))
        with c_vector(outputs) as c_outputs, TemporaryFile() as drawn:
            check(lib.mlx_export_to_dot(drawn, namer, c_outputs))
            drawn.seek(0)
            text = drawn.read().decode()
    finally:
        lib.mlx_node_namer_free(namer)
    if isinstance(file, (str, os.PathLike)):
        path = os.path.realpath(file)
        partial = f"{path}-{os.urandom(8).hex()}"
        with open(partial, "w", encoding="utf-8") as whole:
            whole.write(text)
        _move(partial, path)
    elif callable(getattr(file, "write", None)):
        file.write(text)
    else:
        kind = type(file).__name__
        raise ValueError(f"[export_to_dot] file must be a path or a file to write to, got {kind}")


# --- between Python and C -------------------------------------------------------------


def _new_exporter(fun: Callable[..., Any], make: Callable[[Any, Any], int]) -> Any:
    if not callable(fun):
        raise TypeError(f"[export_function] fun must be callable, got {type(fun).__name__}")

    def flat(arrays: list[array], named: dict[str, array]) -> list[array]:
        result = fun(*arrays, **named)
        outputs = list(result) if isinstance(result, (list, tuple)) else [result]
        if not all(isinstance(output, Handle) for output in outputs):
            raise ValueError(
                "[export_function] the function must return an array or a list or tuple of arrays"
            )
        return outputs

    made = ffi.new("mlx_function_exporter*")
    with named_closure(flat) as function:
        check(make(made, function))
    return made[0]


def _write(c_exporter: Any, inputs: Inputs) -> None:
    args, kwargs = inputs
    with c_vector(args) as c_args, _c_map(kwargs) as c_kwargs:
        check(lib.mlx_function_exporter_apply_kwargs(c_exporter, c_args, c_kwargs))


def _inputs(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Inputs:
    """Arguments as arrays by position and by name, from either of the two ways to give them."""
    if not kwargs and args and isinstance(args[-1], (dict, list, tuple)):
        *first, last = args
        if isinstance(last, dict):
            kwargs = last
        else:
            first.append(last)
        positional = first[0] if first else ()
        args = tuple(positional) if len(first) < 2 and not isinstance(positional, Handle) else args
    if not all(isinstance(a, Handle) for a in (*args, *kwargs.values())):
        raise ValueError(
            f"[{name}] inputs must be arrays by position and by name, or one tuple and/or one "
            "dict of arrays"
        )
    return list(args), kwargs


@contextmanager
def _c_map(named: dict[str, array]) -> Iterator[Any]:
    made = lib.mlx_map_string_to_array_new()
    try:
        for name, address in zip(named, addresses(list(named.values())), strict=True):
            check(lib.mlx_map_string_to_array_insert(made, name.encode(), c_array(address)))
        yield made
    finally:
        lib.mlx_map_string_to_array_free(made)


@ffi.def_extern(name="mlxc_call_export", error=1)  # type: ignore[untyped-decorator]
def _call_export(event: Any, arrays: Any, payload: Any) -> int:
    try:
        constants = read_vector(address_of(arrays))

        def decoded(value: dict[str, Any]) -> Any:
            if "tuple" in value:
                return tuple(value["tuple"])
            if "dtype" in value:
                return getattr(_dtype, value["dtype"])
            return constants[value["array"]] if "array" in value else value

        text = ffi.string(event).decode("utf-8", "surrogateescape")
        ffi.from_handle(payload)(json.loads(text, object_hook=decoded))
        return 0
    except BaseException as exception:
        pending.exception = exception
        return 1


# --- files that appear whole ----------------------------------------------------------


def _move(partial: str, path: str) -> None:
    descriptor = os.open(partial, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(partial, path)


def _discard(c_exporter: Any, partial: str) -> None:
    lib.mlx_function_exporter_free(c_exporter)
    with suppress(FileNotFoundError):
        os.unlink(partial)
