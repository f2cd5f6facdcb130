"""Attention over what a cache holds, plain or packed."""

from __future__ import annotations

import mlxc as mx

from .cache import KeysOrValues, Quantized
from .mask import Mask


def split_heads(x: mx.array, heads: int) -> mx.array:
    """Return features `(B, L, H * D)` as those of each of H heads, `(B, H, L, D)`."""
    B, L, features = x.shape
    D = features // heads
    if L == 1:  # of one token the memory is in that order already
        return x.reshape(B, heads, 1, D)
    return x.reshape(B, L, heads, D).transpose(0, 2, 1, 3)


def join_heads(x: mx.array) -> mx.array:
    """Return the features of all heads, `(B, H, L, D)`, side by side: `(B, L, H * D)`."""
    B, H, L, D = x.shape
    if L == 1:
        return x.reshape(B, 1, H * D)
    return x.transpose(0, 2, 1, 3).reshape(B, L, H * D)


def scaled_dot_product_attention(
    queries: mx.array,
    keys: KeysOrValues,
    values: KeysOrValues,
    *,
    scale: float,
    mask: Mask = None,
    sinks: mx.array | None = None,
) -> mx.array:
    """Attend to the keys and values a cache returned.

    Packed ones are multiplied as they are, never unpacked as a whole; the softmax is computed in
    float32 either way.

    Args:
        queries: `(B, H, L, D)`; H a multiple of the heads of the keys.
        keys: `(B, H_kv, S, D)`, an array or packed.
        values: Likewise; their D may be another.
        scale: Factor on the products of queries and keys.
        mask: None, "causal", or an array broadcasting to `(B, H, L, S)`: booleans, True where a
            query may look, or numbers that are added.
        sinks: A score a head, `(H,)`, that takes part in the softmax and leads nowhere.

    Returns:
        `(B, H, L, D of values)`.

    Raises:
        TypeError: Only one of keys and values is packed.
    """
    if isinstance(keys, Quantized) and isinstance(values, Quantized):
        return mx.fast.quantized_scaled_dot_product_attention(
            queries,
            keys[:3],
            values[:3],
            scale=scale,
            group_size=keys.group_size,
            bits=keys.bits,
            mask=mask,
            sinks=sinks,
        )
    if isinstance(keys, Quantized) or isinstance(values, Quantized):
        raise TypeError("keys and values must both be packed or both be arrays")
    return mx.fast.scaled_dot_product_attention(
        queries, keys, values, scale=scale, mask=mask, sinks=sinks
    )
