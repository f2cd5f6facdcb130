"""The step of a cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._ffi import foreign, lib
from .._handle import addresses, at, unpack
from . import _composed

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice


def write_rows(
    buffers: Sequence[array],
    rows: Sequence[array],
    start: int,
    shown: int = 0,
    *,
    stream: StreamOrDevice = None,
) -> tuple[list[array], list[array]]:
    """Write rows into buffers along their third axis, and look at what they hold then.

    As `buffers[i][:, :, start : start + L] = rows[i]` and then `buffers[i][:, :, :shown]`, for all
    at once. What nobody else refers to is written in place; mlx.core lacks it.

    Args:
        buffers: each of shape (B, H, S, D); D may differ among them.
        rows: as many, each of shape (B, H, L, D); they take the dtype of their buffer.
        start: where to write the first row.
        shown: how many of the first rows to return; 0 for no views at all.

    Returns:
        The buffers, and their first `shown` rows.

    Raises:
        ValueError: the shapes do not fit, or rows lie outside.

    Example:
        >>> import mlxc as mx
        >>> keys, new = mx.zeros((1, 2, 8, 4)), mx.ones((1, 2, 1, 4))
        >>> (keys,), (seen,) = mx.fast.write_rows([keys], [new], start=2, shown=3)
        >>> keys.shape, seen[0, 0, :, 0].tolist()
        ((1, 2, 8, 4), [0.0, 0.0, 1.0])
    """
    if foreign:
        return _composed.write_rows(buffers, rows, start, shown, stream)
    whole, new = list(buffers), list(rows)
    arrays = unpack(
        lib.h_cpu_write_rows(
            addresses(whole), len(whole), addresses(new), len(new), start, shown, at(stream)
        )
    )
    return arrays[: len(whole)], arrays[len(whole) :]
