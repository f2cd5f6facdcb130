"""Matrices as arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._handle import only_array

if TYPE_CHECKING:
    from .._array import array


def with_elements(a: array, name: str) -> array:
    """`a` as an array; what LAPACK is asked about has at least one row and one column."""
    a = only_array(a)
    if 0 in a.shape[-2:]:
        raise ValueError(f"{name} needs matrices with rows and columns, got shape {a.shape}")
    return a
