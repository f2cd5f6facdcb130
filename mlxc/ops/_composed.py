"""Operations that mlx-c lacks, made of others: for an mlx-c that was built elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._dtype import uint32
from .arithmetic import add, minimum, subtract
from .compare import less, less_equal
from .create import zeros
from .logic import logical_and
from .take import take, where

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice


def searchsorted(a: array, values: array, side: str, stream: StreamOrDevice) -> array:
    """As `mlxc.ops.sort.searchsorted`: a binary search from the highest bit of the position."""
    if a.ndim != 1:
        raise ValueError(f"[searchsorted] sorted_sequence must be 1-D, got shape {a.shape}")
    if side not in ("left", "right"):
        raise ValueError(f"[searchsorted] side must be 'left' or 'right', got {side!r}")
    is_before = less if side == "left" else less_equal
    found = zeros(values.shape, uint32, stream=stream)
    for bit in reversed(range(a.size.bit_length())):
        ahead = add(found, 1 << bit, stream=stream)
        index = subtract(minimum(ahead, a.size, stream=stream), 1, stream=stream)
        last = take(a, index, stream=stream)  # the last element passed
        fits = logical_and(
            less_equal(ahead, a.size, stream=stream),
            is_before(last, values, stream=stream),
            stream=stream,
        )
        found = where(fits, ahead, found, stream=stream)
    return found
