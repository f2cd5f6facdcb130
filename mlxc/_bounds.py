"""Indices that are known when a call is made, because they came as Python integers or lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._dtype import DTYPES, DtypeCategory, issubdtype
from ._ffi import lib
from ._handle import wrap

if TYPE_CHECKING:
    from ._array import array

INTEGERS = {dtype._code for dtype in DTYPES if issubdtype(dtype, DtypeCategory.integer)}
FEW = 256


def check_known(index: array, length: int, along: str) -> None:
    """Raise an IndexError if an index, which is computed, is out of bounds.

    Args:
        index: any shape; what is no integer is left to MLX, which refuses it.
        length: how many places there are; negative indices count from the end.
        along: what has so many places, for the message.
    """
    if index.size == 0 or lib.h_dtype(index._h) not in INTEGERS:
        return
    for place in _extremes(index):
        if not -length <= place < length:
            raise IndexError(f"index {place} is out of bounds for {along} with size {length}")


def _extremes(index: array) -> tuple[int, int]:
    if index.size > FEW:
        ends = wrap(lib.h_min(index._h, False, 0)), wrap(lib.h_max(index._h, False, 0))
        return int(ends[0].item()), int(ends[1].item())
    flat = wrap(lib.h_flatten(index._h, 0, -1, 0)).tolist()
    return min(flat), max(flat)
