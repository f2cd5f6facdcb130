"""Norms and lengths as C takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._array import array

NORMS = {"backward": 0, "ortho": 1, "forward": 2}


def scaling(norm: str, name: str) -> int:
    """The number of a norm in C."""
    if not isinstance(norm, str):
        raise TypeError(f"norm must be a string, got {norm!r}")
    if norm not in NORMS:
        raise ValueError(
            f"[{name}] Invalid norm. Expected one of {{'backward', 'ortho', 'forward'}}, "
            f"but got {norm!r}."
        )
    return NORMS[norm]


def length(a: array, axis: int) -> int:
    """The length of an axis."""
    try:
        return a.shape[axis]
    except IndexError:
        raise IndexError(
            f"axis {axis} is out of bounds for an array with {a.ndim} dimensions"
        ) from None
