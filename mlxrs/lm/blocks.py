"""The two halves of a pre-normed block, as few operations as there can be.

Either half is `x + layer(norm(x))`. With quantized weights in float32, which is how models are
computed on a CPU, a half is one operation of `mx.fast`, because a token of a small model costs as
much time in the making of operations as in their work. Otherwise its layers are called one by one.
"""

from __future__ import annotations

from typing import Protocol

import mlxc as mx

from ..nn import Linear, QuantizedLinear, RMSNorm, RoPE
from .cache import Cache
from .mask import Mask

Projection = Linear | QuantizedLinear


class Attention(Protocol):
    """What `attention_block` asks of a layer of attention.

    Attributes:
        head_dim: Features of a head, D.
        scale: Factor on the products of queries and keys.
        q_norm: Of the queries of a head, or None; `k_norm` of its keys.
    """

    head_dim: int
    scale: float

    @property
    def q_proj(self) -> Projection: ...
    @property
    def k_proj(self) -> Projection: ...
    @property
    def v_proj(self) -> Projection: ...
    @property
    def o_proj(self) -> Projection: ...
    @property
    def q_norm(self) -> RMSNorm | None: ...
    @property
    def k_norm(self) -> RMSNorm | None: ...
    @property
    def rope(self) -> RoPE: ...
    def __call__(self, x: mx.array, mask: Mask, cache: Cache | None) -> mx.array: ...


class GatedMLP(Protocol):
    """What `feed_forward_block` asks of a layer: `down_proj(silu(gate_proj(x)) * up_proj(x))`."""

    @property
    def gate_proj(self) -> Projection: ...
    @property
    def up_proj(self) -> Projection: ...
    @property
    def down_proj(self) -> Projection: ...
    def __call__(self, x: mx.array) -> mx.array: ...


def attention_block(
    attention: Attention, norm: RMSNorm, x: mx.array, mask: Mask, cache: Cache | None
) -> mx.array:
    """Return `x + attention(norm(x), mask, cache)`.

    Args:
        attention: The layer.
        norm: Of what it sees.
        x: `(B, L, D)`.
        mask: What the cache's `make_mask` said.
        cache: Of this layer; it is advanced by L.
    """
    if cache is not None and (mask is None or isinstance(mask, str)):
        out = _attention_at_once(attention, norm, x, mask, cache)
        if out is not None:
            return out
    return x + attention(norm(x), mask, cache)


def feed_forward_block(mlp: GatedMLP, norm: RMSNorm, x: mx.array) -> mx.array:
    """Return `x + mlp(norm(x))`.

    Args:
        mlp: The layer.
        norm: Of what it sees.
        x: `(B, L, D)`.
    """
    gate, up, down = mlp.gate_proj, mlp.up_proj, mlp.down_proj
    inner, outer = gate.packed_form, down.packed_form
    if inner is None or outer is None or up.packed_form != inner or not _is_float32(x, norm):
        return x + mlp(norm(x))
    weights = [norm.weight, *gate.packed, *up.packed, *down.packed]
    return mx.fast.feed_forward_block(x, weights, forms=(inner, outer), eps=norm.eps)


def _attention_at_once(
    attention: Attention, norm: RMSNorm, x: mx.array, mask: str | None, cache: Cache
) -> mx.array | None:
    q, k, v, o = attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj
    inner, outer = q.packed_form, o.packed_form
    if inner is None or outer is None or k.packed_form != inner or v.packed_form != inner:
        return None
    if not _is_float32(x, norm):
        return None
    weights = [norm.weight, *q.packed, *k.packed, *v.packed, *o.packed]
    head_eps = None
    if attention.q_norm is not None and attention.k_norm is not None:
        weights += attention.q_norm.weight, attention.k_norm.weight
        head_eps = attention.q_norm.eps
        if attention.k_norm.eps != head_eps:
            return None
    rope = attention.rope
    if rope.freqs is not None:
        weights.append(rope.freqs)

    def step(keys: mx.array, values: mx.array, start: int) -> tuple[mx.array, mx.array, mx.array]:
        return mx.fast.attention_block(
            x,
            keys,
            values,
            weights,
            forms=(inner, outer),
            eps=norm.eps,
            start=start,
            scale=attention.scale,
            dims=rope.dims,
            traditional=rope.traditional,
            base=rope.base,
            rope_scale=rope.scale,
            head_eps=head_eps,
            mask=mask,
        )

    B, L, _ = x.shape
    D = attention.head_dim
    return cache.step_in_place(L, (B, k.weight.shape[0] // D, D), x.dtype, step)


def _is_float32(x: mx.array, norm: RMSNorm) -> bool:
    return x.dtype == mx.float32 and norm.weight.dtype == mx.float32
