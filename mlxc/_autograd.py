"""Gradients of Python functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

from ._closure import call_for_two, closure
from ._ffi import lib
from ._handle import Handle, addresses
from ._leaves import ARRAYS, arrays_in, lent, only_arrays_in, with_arrays

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
            where `argnames` are given. An argument may be a tree of arrays; what `fun` puts into
            its lists and dicts stays there.
        argnames: names of the keyword arguments to differentiate.

    Returns:
        A function of the same arguments that returns (value, gradient). The gradient has the
        form of the argument; it is a tuple in order of position for several `argnums`; with
        `argnames` it is a pair of the positional gradients and a dict of the named ones.

    Raises:
        ValueError: no argument is named, one is missing or holds a leaf that is no array, or
            the value is not a scalar. What `fun` raises arrives unchanged.
        TypeError: `fun` is not callable, or a position is not an integer.

    Example:
        >>> import mlxc as mx
        >>> value, gradient = mx.value_and_grad(lambda x: (x * x).sum())(mx.array([1.0, 2.0]))
        >>> gradient
        array([2, 4], dtype=float32)
    """
    _check_callable(fun)
    numbers, names = _chosen(argnums, argnames)

    @wraps(fun, updated=())
    def differentiated(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        _check_arguments(numbers, names, args, kwargs)
        chosen = [args[n] for n in numbers] + [kwargs[n] for n in names]
        leaves = only_arrays_in(chosen, "[grad] the arguments to differentiate")
        if not leaves:
            raise ValueError("[grad] the arguments to differentiate hold no array")
        result: Any = None

        def call_with(values: list[Any]) -> list[array]:
            nonlocal result
            positional = list(args)
            for number, value in zip(numbers, values, strict=False):
                positional[number] = value
            named = zip(names, values[len(numbers) :], strict=True)
            result = fun(*positional, **{**kwargs, **dict(named)})
            return _outputs(result)

        def call_with_trees(arrays: list[array]) -> list[array]:
            given = list(chosen)
            with lent(given, arrays):
                return call_with(given)

        if {*map(type, chosen)} <= ARRAYS:
            values, gradient = _apply(call_with, chosen)
        else:
            values, gradients = _apply(call_with_trees, leaves)
            gradient = with_arrays(chosen, gradients)
        return with_arrays(result, values), _shaped(gradient, names)

    return differentiated


def grad(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] | None = None,
    argnames: str | Sequence[str] = (),
) -> Callable[..., Any]:
    """A function that returns the gradient of `fun`; arguments as in `value_and_grad`.

    Here `fun` returns a scalar array and nothing else.

    Example:
        >>> import mlxc as mx
        >>> mx.grad(mx.sin)(mx.array(0.0))
        array(1, dtype=float32)
    """
    _check_callable(fun)

    def scalar(*args: Any, **kwargs: Any) -> Any:
        if isinstance(value := fun(*args, **kwargs), tuple):
            raise ValueError(
                "[grad] the function must return a scalar array, got a tuple; value_and_grad "
                "takes a tuple that starts with one"
            )
        return value

    both = value_and_grad(scalar, argnums, argnames)

    @wraps(fun, updated=())
    def gradient(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return gradient


def _apply(
    flat: Callable[[list[array]], list[array]], leaves: list[array]
) -> tuple[list[array], list[array]]:
    """Outputs of `flat` at `leaves`, and the gradient of the first one by every leaf."""
    count = len(leaves)
    numbers = list(range(count))
    with closure(flat) as function:
        return call_for_two(
            lib.h_value_and_grad, function, addresses(leaves), count, numbers, count
        )


def _check_callable(fun: Any) -> None:
    if not callable(fun):
        raise TypeError(f"[grad] fun must be callable, got {type(fun).__name__}")


def _chosen(
    argnums: int | Sequence[int] | None, argnames: str | Sequence[str]
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The positions and names to differentiate."""
    names = (argnames,) if isinstance(argnames, str) else tuple(dict.fromkeys(argnames))
    if argnums is None:
        numbers: tuple[int, ...] = () if names else (0,)
    else:
        numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for number in numbers:
        if not isinstance(number, int):
            raise TypeError(f"[grad] argnums must be integers, got {number!r}")
        if number < 0:
            raise ValueError(f"[grad] argnums must not be negative, got {number}")
    if len(set(numbers)) != len(numbers):
        raise ValueError(f"[grad] argnums names an argument twice: {numbers}")
    if not numbers and not names:
        raise ValueError("[grad] argnums and argnames name no argument; give at least one")
    return tuple(sorted(numbers)), names


def _check_arguments(
    numbers: Sequence[int], names: Sequence[str], args: Sequence[Any], kwargs: dict[str, Any]
) -> None:
    for number in numbers:
        if number >= len(args):
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
    return arrays_in(result)


def _shaped(gradients: list[Any], names: Sequence[str]) -> Any:
    count = len(gradients) - len(names)
    positional: Any = tuple(gradients[:count])
    if count < 2:
        positional = positional[0] if positional else None
    if not names:
        return positional
    return positional, dict(zip(names, gradients[count:], strict=True))
