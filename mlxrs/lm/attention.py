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
        return _packed_attention(queries, keys, values, scale, mask, sinks)
    if isinstance(keys, Quantized) or isinstance(values, Quantized):
        raise TypeError("keys and values must both be packed or both be arrays")
    return mx.fast.scaled_dot_product_attention(
        queries, keys, values, scale=scale, mask=mask, sinks=sinks
    )


def _packed_attention(
    queries: mx.array,
    keys: Quantized,
    values: Quantized,
    scale: float,
    mask: Mask,
    sinks: mx.array | None,
) -> mx.array:
    B, H, L, D = queries.shape
    S, groups = keys.weight.shape[2], keys.weight.shape[1]
    # Heads that share keys and values get an axis of their own.
    shared = groups, H // groups
    queries = (queries * scale).reshape(B, *shared, L, D)

    scores = _product(queries, keys, transpose=True)  # (B, H_kv, H / H_kv, L, S)
    if isinstance(mask, str):
        mask = mx.arange(S - L, S)[:, None] >= mx.arange(S)
    if mask is not None:
        if mask.ndim == 3:
            mask = mask[None]
        if mask.ndim == 4:
            heads = shared if mask.shape[1] > 1 else (1, 1)
            mask = mask.reshape(mask.shape[0], *heads, *mask.shape[2:])
        if mask.dtype == mx.bool_:
            # Not -inf, of which the padding in front of a row would make NaN.
            scores = mx.where(mask, scores, mx.finfo(scores.dtype).min)
        else:
            scores = scores + mask
    if sinks is not None:
        sink = sinks.astype(scores.dtype).reshape(1, *shared, 1, 1)
        scores = mx.concatenate([scores, mx.broadcast_to(sink, (B, *shared, L, 1))], axis=-1)
    weights = mx.softmax(scores, axis=-1, precise=True)[..., :S]
    return _product(weights, values, transpose=False).reshape(B, H, L, -1)


def _product(x: mx.array, packed: Quantized, *, transpose: bool) -> mx.array:
    """Return `x @ packed`, or times its transpose, for all heads that share `packed`."""
    return mx.quantized_matmul(
        x,
        packed.weight[:, :, None],
        packed.scales[:, :, None],
        packed.biases[:, :, None],
        transpose=transpose,
        group_size=packed.group_size,
        bits=packed.bits,
    )
