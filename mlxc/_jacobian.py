"""Products of Jacobians with vectors, from either side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ._closure import call_for_two, closure
from ._ffi import lib
from ._handle import Handle, addresses

if TYPE_CHECKING:
    from ._array import array

__all__ = ["jvp", "vjp"]


def vjp(
    fun: Callable[..., Any], primals: Sequence[array], cotangents: Sequence[array]
) -> tuple[list[array], list[array]]:
    """Outputs of a function, and the product of a vector with its Jacobian.

    Args:
        fun: takes arrays as positional arguments, returns an array or a list or tuple of arrays.
        primals: the arguments.
        cotangents: the vector, an array for every output, of its shape.

    Returns:
        A pair of lists: the outputs, and for every primal an array of its shape.

    Raises:
        TypeError: `primals` or `cotangents` hold something else than arrays.
        ValueError: the cotangents differ from the outputs in number or shape.
        RuntimeError: `fun` returns something else. What it raises arrives unchanged.

    Example:
        >>> import mlxc as mx
        >>> mx.vjp(mx.square, [mx.array([1.0, 2.0])], [mx.array([1.0, 10.0])])
        ([array([1, 4], dtype=float32)], [array([2, 40], dtype=float32)])
    """
    return _product(lib.h_vjp, "vjp", fun, primals, cotangents, "cotangents")


def jvp(
    fun: Callable[..., Any], primals: Sequence[array], tangents: Sequence[array]
) -> tuple[list[array], list[array]]:
    """Outputs of a function, and the product of its Jacobian with a vector.

    Args:
        fun: takes arrays as positional arguments, returns an array or a list or tuple of arrays.
        primals: the arguments.
        tangents: the vector, an array for every primal, of its shape.

    Returns:
        A pair of lists: the outputs, and for every output an array of its shape.

    Raises:
        TypeError: `primals` or `tangents` hold something else than arrays.
        ValueError: the tangents differ from the primals in number or shape.
        RuntimeError: `fun` returns something else. What it raises arrives unchanged.

    Example:
        >>> import mlxc as mx
        >>> mx.jvp(mx.square, [mx.array([1.0, 2.0])], [mx.array([1.0, 10.0])])
        ([array([1, 4], dtype=float32)], [array([2, 40], dtype=float32)])
    """
    return _product(lib.h_jvp, "jvp", fun, primals, tangents, "tangents")


def _product(
    transform: Any,
    name: str,
    fun: Callable[..., Any],
    primals: Sequence[array],
    vector: Sequence[array],
    vector_name: str,
) -> tuple[list[array], list[array]]:
    if not callable(fun):
        raise TypeError(f"[{name}] fun must be callable, got {type(fun).__name__}")
    primals = _arrays(primals, f"[{name}] primals")
    vector = _arrays(vector, f"[{name}] {vector_name}")

    def flat(arrays: list[array]) -> list[array]:
        result = fun(*arrays)
        outputs = list(result) if isinstance(result, (list, tuple)) else [result]
        for output in outputs:
            if not isinstance(output, Handle):
                raise RuntimeError(
                    f"[{name}] the function must return an array or a list or tuple of arrays; "
                    f"got {type(output).__name__}"
                )
        return outputs

    at, along = (addresses(primals), len(primals)), (addresses(vector), len(vector))
    with closure(flat) as function:
        return call_for_two(transform, function, *at, *along)


def _arrays(values: Sequence[array], name: str) -> list[array]:
    arrays = list(values)
    if not all(isinstance(value, Handle) for value in arrays):
        raise TypeError(f"{name} must be a sequence of arrays")
    return arrays
