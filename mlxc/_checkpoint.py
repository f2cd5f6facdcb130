"""Gradients that compute again what they would otherwise have to keep."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from ._closure import apply_and_free, closure
from ._ffi import lib
from ._leaves import arrays_in, form_of, with_arrays

if TYPE_CHECKING:
    from ._array import array

__all__ = ["checkpoint"]


def checkpoint(fun: Callable[..., Any]) -> Callable[..., Any]:
    """A function that does what `fun` does, and keeps no intermediate results for its gradient.

    The gradient runs `fun` again, which takes less memory and more time.

    Args:
        fun: takes and returns trees; of their leaves the arrays are differentiated. Arrays that
            it captures are constants to the gradient.

    Raises:
        ValueError: `fun` returns no array. What it raises arrives unchanged.

    Example:
        >>> import mlxc as mx
        >>> mx.grad(mx.checkpoint(lambda x: mx.exp(x).sum()))(mx.array([0.0, 0.0]))
        array([1, 1], dtype=float32)
    """
    if not callable(fun):
        raise TypeError(f"[checkpoint] fun must be callable, got {type(fun).__name__}")

    @wraps(fun, updated=())
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        inputs = arrays_in((args, kwargs))
        arguments = form_of((args, kwargs))
        form: Any = None

        def flat(arrays: list[array]) -> list[array]:
            nonlocal form
            positional, named = with_arrays(arguments, arrays)
            result = fun(*positional, **named)
            form = form_of(result)
            if not (outputs := arrays_in(result)):
                raise ValueError("[checkpoint] the function must return at least one array")
            return outputs

        with closure(flat) as function:
            outputs = apply_and_free(lib.h_checkpoint(function), inputs)
        return with_arrays(form, outputs)

    return checkpointed
