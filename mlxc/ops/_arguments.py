"""Arguments as C takes them."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import TYPE_CHECKING

from .._handle import only_array

if TYPE_CHECKING:
    from .._array import array


def ints(value: int | Sequence[int], name: str) -> Sequence[int]:
    """One integer or several as a tuple or list; a TypeError names the argument."""
    if isinstance(value, (tuple, list)):
        return value
    if (one := integer(value)) is not None:
        return (one,)
    try:
        return tuple(map(index, value))  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(
            f"{name} must be an integer or a sequence of integers, got {value!r}"
        ) from None


def integer(value: object) -> int | None:
    """What stands for one integer as one: a numpy integer, an array of one; None else."""
    try:
        return index(value)  # type: ignore[arg-type]
    except TypeError:
        return None


def repeated(value: int | Sequence[int], count: int, name: str) -> Sequence[int]:
    """`count` integers: those given, or the one given for all."""
    if (one := integer(value)) is not None:
        return (one,) * count
    values = ints(value, name)
    if len(values) != count:
        raise ValueError(f"{name} must be one integer or {count}, got {value!r}")
    return values


def text(value: str, name: str) -> bytes:
    """A string as C takes it."""
    try:
        return value.encode()
    except AttributeError:
        raise TypeError(f"{name} must be a string, got {value!r}") from None


def positive(value: int | None) -> tuple[int, bool]:
    """An optional group size or number of bits as C takes it: the value, and whether it is one."""
    if value is not None and value < 1:  # MLX would divide by 0
        raise ValueError(f"group_size and bits must be at least 1, got {value}")
    return (0, False) if value is None else (value, True)


def convolved(input: array, weight: array, groups: int) -> tuple[array, array]:
    """What a convolution takes, as arrays, if there are channels to divide into groups."""
    x, w = only_array(input), only_array(weight)
    if groups == 0:
        raise ValueError("groups must be at least 1, got 0")
    for name, a in (("input", x), ("weight", w)):
        if a.ndim and a.shape[-1] == 0:
            raise ValueError(f"{name} must have channels, got shape {a.shape}")
    return x, w


def choice(matrices: array, indices: array | None, name: str) -> int:
    """The handle of indices, 0 for None; a ValueError if there are no matrices to choose from."""
    handle = optional(indices, name)
    if 0 in matrices.shape[:-2] and indices is not None and indices.size:  # MLX divides by it
        raise ValueError(f"{name} must be empty or None for matrices of shape {matrices.shape}")
    return handle


def optional(value: array | None, name: str) -> int:
    """The handle of an array that the caller keeps, 0 for None."""
    if value is None:
        return 0
    try:
        return value._h
    except AttributeError:
        raise TypeError(f"{name} must be an array or None, got {type(value).__name__}") from None
