"""Gradients of Python functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

from ._closure import closure
from ._errors import check
from ._ffi import ffi, lib
from ._handle import Handle, addresses, read_vector
from .tree import tree_flatten, tree_map

if TYPE_CHECKING:
    from ._array import array


def value_and_grad(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] | None = None,
    argnames: str | Sequence[str] = (),
) -> Callable[..., tuple[Any, Any]]:
    """A function that returns what `fun` returns, and its gradient.

    Args:
        fun: returns a scalar array, or a tuple that starts with one; only that is differentiated.
        argnums: positions of the arguments to differentiate, by default the first, or none
            where `argnames` are given. An argument may be a tree of arrays.
        argnames: names of the keyword arguments to differentiate.

    Returns:
        A function of the same arguments that returns (value, gradient). The gradient has the
        form of the argument; it is a tuple for several `argnums`; with `argnames` it is a pair
        of the positional gradients and a dict of the named ones.

    Raises:
        ValueError: no argument is named, one is missing or holds no array, or the value is not
            a scalar. What `fun` raises arrives unchanged.

    Example:
        >>> import mlxc as mx
        >>> value, gradient = mx.value_and_grad(lambda x: (x * x).sum())(mx.array([1.0, 2.0]))
        >>> gradient
        array([2, 4], dtype=float32)
    """
    names = (argnames,) if isinstance(argnames, str) else tuple(argnames)
    if argnums is None:
        numbers: tuple[int, ...] = () if names else (0,)
    else:
        numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    if not numbers and not names:
        raise ValueError("[grad] argnums and argnames name no argument; give at least one")

    @wraps(fun)
    def differentiated(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        _check_arguments(numbers, names, args, kwargs)
        chosen = [args[n] for n in numbers] + [kwargs[n] for n in names]
        leaves = [leaf for _, leaf in tree_flatten(chosen) if isinstance(leaf, Handle)]
        if not leaves:
            raise ValueError("[grad] the arguments to differentiate hold no array")
        result: Any = None

        def flat(arrays: list[array]) -> list[array]:
            nonlocal result
            given = _with_leaves(chosen, arrays)
            positional = list(args)
            for number, value in zip(numbers, given, strict=False):
                positional[number] = value
            named = dict(zip(names, given[len(numbers) :], strict=True))
            result = fun(*positional, **{**kwargs, **named})
            return _outputs(result)

        values, gradients = _apply(flat, leaves)  # type: ignore[arg-type]
        gradient = _with_leaves(chosen, gradients, zeros=True)
        return _with_leaves(result, values), _shaped(gradient, argnums, numbers, names)

    return differentiated


def grad(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] | None = None,
    argnames: str | Sequence[str] = (),
) -> Callable[..., Any]:
    """A function that returns the gradient of `fun`; arguments as in `value_and_grad`.

    Example:
        >>> import mlxc as mx
        >>> mx.grad(mx.sin)(mx.array(0.0))
        array(1, dtype=float32)
    """
    both = value_and_grad(fun, argnums, argnames)

    @wraps(fun)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return gradient


def _apply(
    flat: Callable[[list[array]], list[array]], leaves: list[array]
) -> tuple[list[array], list[array]]:
    """Outputs of `flat` at `leaves`, and the gradient of the first one by every leaf."""
    transformed = ffi.new("mlx_closure_value_and_grad*")
    handles = ffi.new("mlx_array[]", [[ffi.cast("void*", a)] for a in addresses(leaves)])
    inputs = lib.mlx_vector_array_new_data(handles, len(leaves))
    outputs = ffi.new("mlx_vector_array[2]")
    with closure(flat) as c_closure:
        try:
            numbers = list(range(len(leaves)))
            check(lib.mlx_value_and_grad(transformed, c_closure, numbers, len(numbers)))
            check(
                lib.mlx_closure_value_and_grad_apply(outputs, outputs + 1, transformed[0], inputs)
            )
            values, gradients = (
                read_vector(int(ffi.cast("uintptr_t", output.ctx))) for output in outputs
            )
            return values, gradients
        finally:
            lib.mlx_closure_value_and_grad_free(transformed[0])
            for vector in (inputs, outputs[0], outputs[1]):
                lib.mlx_vector_array_free(vector)


def _check_arguments(
    numbers: Sequence[int], names: Sequence[str], args: Sequence[Any], kwargs: dict[str, Any]
) -> None:
    for number in numbers:
        if not 0 <= number < len(args):
            raise ValueError(
                f"[grad] argnums has {number}, but there are {len(args)} positional arguments"
            )
    for name in names:
        if name not in kwargs:
            raise ValueError(f"[grad] argnames has {name!r}, but no such argument was given")


def _outputs(result: Any) -> list[array]:
    first = result[0] if isinstance(result, tuple) and result else result
    if not isinstance(first, Handle) or first.ndim:
        got = f"shape {first.shape}" if isinstance(first, Handle) else type(first).__name__
        raise ValueError(
            "[grad] the function must return a scalar array, or a tuple that starts with one; "
            f"got {got}"
        )
    return [leaf for _, leaf in tree_flatten(result) if isinstance(leaf, Handle)]  # type: ignore


def _with_leaves(tree: Any, arrays: Sequence[array], *, zeros: bool = False) -> Any:
    """`tree` with its arrays replaced in order; with `zeros`, other leaves become 0."""
    remaining = iter(arrays)

    def replace(leaf: Any) -> Any:
        if isinstance(leaf, Handle):
            return next(remaining)
        return 0 if zeros else leaf

    return tree_map(replace, tree)


def _shaped(
    gradients: list[Any],
    argnums: int | Sequence[int] | None,
    numbers: Sequence[int],
    names: Sequence[str],
) -> Any:
    positional: Any = tuple(gradients[: len(numbers)])
    if argnums is None or isinstance(argnums, int):
        positional = positional[0] if positional else None
    if not names:
        return positional
    return positional, dict(zip(names, gradients[len(numbers) :], strict=True))
