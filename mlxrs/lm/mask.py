"""Attention masks."""

from __future__ import annotations

from typing import Literal, TypeAlias

import mlxc as mx

# What `mx.fast.scaled_dot_product_attention` takes: no mask, its own causal one, or a
# boolean array broadcasting to (B, H, L, S), True where a query may look.
Mask: TypeAlias = Literal["causal"] | mx.array | None


def create_causal_mask(length: int, offset: int = 0, window_size: int | None = None) -> mx.array:
    """Return which keys each query may see: none ahead of it, none `window_size` behind it.

    Args:
        length: Queries, L; query i stands at position `offset + i`.
        offset: Keys in front of the first query.
        window_size: How many keys a query sees, itself included; None for all before it.

    Returns:
        Booleans `(L, offset + L)`.
    """
    keys = mx.arange(offset + length)
    queries = mx.arange(offset, offset + length)[:, None]
    mask = queries >= keys
    return mask if window_size is None else mask & (queries < keys + window_size)


def create_attention_mask(length: int, offset: int = 0, window_size: int | None = None) -> Mask:
    """Return the cheapest mask for L new queries behind `offset` cached keys.

    One query behind its keys needs none, several need the causal one, which the fused attention
    knows by name. Only a window that some key has already left needs an array.

    Args:
        length: Queries, L.
        offset: Keys in front of the first query.
        window_size: How many keys a query sees, itself included; None for all before it.
    """
    if window_size is not None and offset + length > window_size:
        return create_causal_mask(length, offset, window_size)
    return None if length == 1 else "causal"
