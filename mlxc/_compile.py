"""Functions traced once and then run from their graph.

A compiled function keeps one `_Trace` for every form of its arguments: their structure, the
leaves that are not arrays, and the types and shapes of those that are. Each is a function of its
own to MLX, and leaves MLX's cache when it goes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable
from functools import partial, wraps
from itertools import count
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from weakref import finalize, ref

from ._closure import closure
from ._errors import check, raise_last_error
from ._ffi import ffi, lib
from ._handle import Handle, addresses, unpack
from ._jit import can_compile
from ._leaves import ARRAYS, arrays_in, fill, form_of, lent, with_arrays

if TYPE_CHECKING:
    from ._array import array

__all__ = ["compile", "disable_compile", "enable_compile"]

#: What a trace depends on in every array.
EXACT, SHAPELESS = attrgetter("dtype", "shape"), attrgetter("dtype", "ndim")

#: How many graphs a compiled function keeps; beyond that the oldest goes, and is built again if
#: its form comes again. Numbers that change with every call would fill the memory otherwise.
MOST_TRACES = 512

_identifiers = count(1)
_enabled = "MLX_DISABLE_COMPILE" not in os.environ


def compile(
    fun: Callable[..., Any],
    inputs: Any = None,
    outputs: Any = None,
    shapeless: bool = False,
) -> Callable[..., Any]:
    """A function that gives what `fun` gives, from a graph that is built and fused once.

    `fun` runs when arguments come in a new form: with other types or shapes of arrays, another
    structure, or other values of leaves that are not arrays. Otherwise only its graph does. It
    should have no effects but on `outputs`, and cannot evaluate its arguments. The graphs of the
    last 512 forms are kept: pass numbers that change with every call as arrays.

    On the CPU, MLX compiles graphs with `g++` in a folder for temporary files. Where there is no
    `g++`, or others can write to that folder, `fun` itself runs at every call, and a warning says
    so once.

    Args:
        fun: takes and returns trees of arrays; leaves of its arguments may be strings, numbers,
            booleans or None too, and of its results anything.
        inputs: a list or dict, maybe nested, with arrays that `fun` captures and that are
            replaced from call to call.
        outputs: a list or dict, maybe nested, whose arrays `fun` replaces; they are replaced at
            every call, as if it had run. It may be the same object as `inputs`.
        shapeless: do not build another graph for other shapes, only for other types or numbers
            of dimensions. Functions that depend on shapes cannot be compiled so.

    Raises:
        TypeError: `fun` is not callable.
        ValueError: an argument of another type, at a call; a captured array that was not
            evaluated and is not in `inputs`; with `shapeless`, an operation that needs shapes.
            What `fun` raises arrives unchanged.

    Example:
        >>> import mlxc as mx
        >>> gelu = mx.compile(lambda x: x * (1 + mx.erf(x / 2**0.5)) / 2)
        >>> gelu(mx.array([0.0, 1.0])).tolist()[0]
        0.0
    """
    if not callable(fun):
        raise TypeError(f"[compile] fun must be callable, got {type(fun).__name__}")
    compiler = _Compiler(fun, inputs, outputs, shapeless)

    @wraps(fun, updated=())
    def compiled(*args: Any, **kwargs: Any) -> Any:
        if not _enabled:
            return fun(*args, **kwargs)
        return compiler.run(args, kwargs)

    return compiled


def disable_compile() -> None:
    """Make compiled functions run as if they were not compiled.

    The environment variable `MLX_DISABLE_COMPILE` does so from the start.

    Example:
        >>> import mlxc as mx
        >>> mx.disable_compile()
        >>> mx.compile(lambda x: x + x.item())(mx.array(1)).item()  # evaluates its argument
        2
        >>> mx.enable_compile()
    """
    global _enabled
    _enabled = False
    check(lib.mlx_disable_compile())


def enable_compile() -> None:
    """Undo `disable_compile`, or the environment variable `MLX_DISABLE_COMPILE`.

    Example:
        >>> import mlxc as mx
        >>> mx.disable_compile()
        >>> mx.enable_compile()
        >>> mx.compile(lambda x: x + 1)(mx.array(1)).item()
        2
    """
    global _enabled
    _enabled = True
    check(lib.mlx_enable_compile())


class _Compiler:
    """A function, what it captures, and its traces by the form of their arguments."""

    def __init__(self, fun: Callable[..., Any], inputs: Any, outputs: Any, shapeless: bool) -> None:
        self.fun = fun
        self.inputs = inputs
        self.outputs = outputs
        self.shapeless = shapeless
        self.traces: dict[Hashable, _Trace] = {}

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        arrays: list[array] = []
        structure: list[Any] = []
        if kwargs or not {*map(type, args)} <= ARRAYS:
            _describe((args, kwargs), structure, arrays)
        else:
            structure.append(len(args))
            arrays += args
        if self.inputs is not None:
            arrays += arrays_in(self.inputs)
        form = *structure, *map(SHAPELESS if self.shapeless else EXACT, arrays)
        if (trace := self.traces.get(form)) is None:
            if not can_compile():
                return self.fun(*args, **kwargs)
            if len(self.traces) >= MOST_TRACES:
                self.traces.pop(tuple(self.traces)[0], None)  # a copy, for other threads may add
            trace = self.traces[form] = _Trace(self, form_of((args, kwargs)))
        try:
            made = unpack(lib.h_closure_apply(trace.address, addresses(arrays), len(arrays)))
        except BaseException:
            # MLX takes the graph that was not finished for an empty one.
            self.traces.pop(form, None)
            raise
        if self.outputs is not None:
            captured = made[trace.count :]
            if len(captured) != len(arrays_in(self.outputs)):
                raise ValueError("[compile] outputs no longer holds as many arrays as when traced")
            fill(self.outputs, captured)
        return with_arrays(trace.result, made)

    def trace(self, trace: _Trace, arrays: list[array]) -> list[array]:
        """Runs the function with tracers for its arguments and for what it captures."""
        args, kwargs = with_arrays(trace.arguments, arrays)
        tracers = arrays[len(arrays) - len(arrays_in(self.inputs)) :]
        with lent(self.inputs, tracers):
            result = self.fun(*args, **kwargs)
            made = arrays_in(result)
            trace.result, trace.count = form_of(result), len(made)
            return made + arrays_in(self.outputs)


class _Trace:
    """One graph: the C closure that holds it, and the forms of arguments and results."""

    def __init__(self, compiler: _Compiler, arguments: Any) -> None:
        self.arguments = arguments
        self.result: Any = None
        self.count = 0
        identifier = next(_identifiers)
        # C keeps what it may call alive; so it is given nothing that owns the compiled function.
        with closure(partial(_trace, ref(compiler), ref(self))) as function:
            self.address = lib.h_detail_compile(
                function, identifier, compiler.shapeless, ffi.NULL, 0
            )
        if not self.address:
            raise_last_error()
        finalize(self, _forget, identifier, self.address).atexit = False


def _trace(compiler: ref[_Compiler], trace: ref[_Trace], arrays: list[array]) -> list[array]:
    owner, form = compiler(), trace()
    if owner is None or form is None:
        raise RuntimeError("[compile] the compiled function is gone")
    return owner.trace(form, arrays)


def _forget(identifier: int, address: int) -> None:
    lib.h_closure_free(address)
    lib.mlx_detail_compile_erase(identifier)


def _describe(tree: Any, into: list[Any], arrays: list[array]) -> None:
    """Adds what a trace depends on to one list, besides the arrays, which go into the other.

    A container is told by its type and length before its items, so that no other reads the same.
    """
    if isinstance(tree, Handle):
        arrays.append(tree)  # type: ignore[arg-type]
        into.append(Handle)
    elif isinstance(tree, (list, tuple)):
        into += type(tree), len(tree)
        for item in tree:
            _describe(item, into, arrays)
    elif isinstance(tree, dict):
        into += dict, len(tree)
        for key, item in tree.items():
            into.append(key)
            _describe(item, into, arrays)
    elif isinstance(tree, float):
        into += float, tree.hex()  # which tells -0.0 from 0.0 and makes NaN equal to itself
    elif tree is None or isinstance(tree, (str, int)):
        into += type(tree), tree
    else:
        raise ValueError(
            "[compile] arguments must be trees of arrays or constants (numbers, strings, booleans "
            f"or None), got {type(tree).__name__}"
        )
