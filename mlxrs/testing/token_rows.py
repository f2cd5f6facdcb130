"""Token ids and positions as keys and values that survive packing."""

from __future__ import annotations

import mlxc as mx

from ..lm.cache import KeysOrValues, Quantized

BITS = 24  # of an id, and of a position
FEATURES = 128  # whole groups of every size


def token_rows(tokens: mx.array, offset: int | mx.array) -> mx.array:
    """Return keys that hold ids `(B, L)` and their positions from `offset` on, a bit a feature.

    Features of 0 and 1 alone come back from packing as they were, however few bits it keeps.

    Args:
        tokens: Ids below 2**24.
        offset: The position of the first one, an int or one a row, `(B,)`.

    Returns:
        float32 `(B, 1, L, 128)`.
    """
    B, L = tokens.shape
    starts = offset if isinstance(offset, mx.array) else mx.array([offset])
    positions = mx.broadcast_to(starts.reshape(-1, 1) + mx.arange(L), (B, L))
    numbers = mx.stack([tokens.astype(mx.uint32), positions.astype(mx.uint32)], axis=-1)
    bits = (numbers[..., None] >> mx.arange(BITS).astype(mx.uint32)) & 1
    bits = bits.reshape(B, L, 2 * BITS).astype(mx.float32)
    return mx.pad(bits, [(0, 0), (0, 0), (0, FEATURES - 2 * BITS)])[:, None]


def read_tokens(rows: KeysOrValues) -> tuple[mx.array, mx.array]:
    """Return the ids and positions `(B, S)` that keys or values hold, packed or not; uint32."""
    if isinstance(rows, Quantized):
        rows = mx.dequantize(rows.weight, rows.scales, rows.biases, rows.group_size, rows.bits)
    bits = (rows[:, 0, :, : 2 * BITS] > 0.5).astype(mx.uint32)
    numbers = (bits.reshape(*bits.shape[:2], 2, BITS) << mx.arange(BITS).astype(mx.uint32)).sum(-1)
    return numbers[..., 0], numbers[..., 1]
