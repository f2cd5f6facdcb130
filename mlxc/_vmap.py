"""Vectorizing functions over an axis of their arguments."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from ._closure import call_for_two, closure
from ._ffi import lib
from ._handle import addresses, unpack
from ._leaves import ARRAYS, only_arrays_in, paired, with_arrays

if TYPE_CHECKING:
    from ._array import array

__all__ = ["vmap"]


def vmap(fun: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0) -> Callable[..., Any]:
    """A function that does for all places along an axis at once what `fun` does for one.

    Args:
        fun: takes arrays, or trees of them, as positional arguments; returns one or the other.
        in_axes: the axis of every argument that `fun` does not see. An integer is that of all
            arrays below it, and None says that `fun` sees them whole; a tuple has one such item
            an argument, and where arguments are trees it may be a tree of their form. For a
            single argument it is the tree of that argument itself.
        out_axes: where the axis goes in every output, in the same way.

    Returns:
        A function of the same arguments; an argument of shape (..., N, ...) has its axis of
        length N at `in_axes`, and an output has it at `out_axes`.

    Raises:
        IndexError: an array does not have the axis.
        ValueError: axes do not fit the arguments or outputs, lengths differ, all axes are None,
            or there is a leaf that is not an array.
        TypeError: keyword arguments, which cannot be vectorized.

    Example:
        >>> import mlxc as mx
        >>> rows = mx.array([[1, 2], [3, 4]])
        >>> mx.vmap(lambda row, x: row.sum() * x, in_axes=(0, None))(rows, mx.array(10))
        array([30, 70], dtype=int32)
    """
    if not callable(fun):
        raise TypeError(f"[vmap] fun must be callable, got {type(fun).__name__}")

    @wraps(fun, updated=())
    def vectorized(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            raise TypeError("[vmap] keyword arguments are not supported; give them by position")
        inputs = only_arrays_in(args, "[vmap] the arguments")
        axes = _flat_axes(args[0] if len(args) == 1 else args, inputs, in_axes, output=False)
        if all(axis == -1 for axis in axes):
            raise ValueError("[vmap] at least one of in_axes must be an axis, not None")
        plain = {*map(type, args)} <= ARRAYS
        result: Any = None
        outputs: list[array] = []

        def flat(arrays: list[array]) -> list[array]:
            nonlocal result, outputs
            result = fun(*arrays) if plain else fun(*with_arrays(args, arrays))
            outputs = only_arrays_in(result, "[vmap] the result")
            return outputs

        given = addresses(inputs), len(inputs)
        with closure(flat) as function:
            seen, made = call_for_two(lib.h_detail_vmap_trace, function, *given, axes, len(axes))
        places = _flat_axes(result, outputs, out_axes, output=True)
        traced = addresses(seen), len(seen), addresses(made), len(made)
        vector = lib.h_detail_vmap_replace(*given, *traced, axes, len(axes), places, len(places))
        return with_arrays(result, unpack(vector))

    return vectorized


def _flat_axes(tree: Any, arrays: list[array], axes: Any, *, output: bool) -> list[int]:
    """The axis of every array of a tree, counted from the front; -1 for None.

    An output is still without its axis, so that there is one place more than it has dimensions.
    """
    name = "out_axes" if output else "in_axes"
    if isinstance(axes, int):
        return [_flat_axis(a, axes, name, a.ndim + output) for a in arrays]
    try:
        if isinstance(axes, tuple) and len(axes) == 1 and not isinstance(tree, (list, tuple, dict)):
            axes = axes[0]
        pairs = list(paired(tree, axes, spreads=(int, type(None))))
    except ValueError as error:
        raise ValueError(f"[vmap] {name}: {error}") from None
    return [_flat_axis(a, axis, name, a.ndim + output) for a, axis in pairs]


def _flat_axis(a: array, axis: Any, name: str, ndim: int) -> int:
    if axis is None:
        return -1
    if not isinstance(axis, int):
        raise ValueError(f"[vmap] {name} must be int or None, got {axis!r}")
    if not -ndim <= axis < ndim:
        raise IndexError(f"[vmap] {name} has {axis}, but the array has shape {a.shape}")
    return axis % ndim
