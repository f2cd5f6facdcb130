"""The layers of a decoder, as few operations as there can be.

A layer is pre-normed attention and a pre-normed gated layer, each added to what it sees. With
quantized weights in float32, which is how models are computed on a CPU, it is one operation of
`mx.fast`, and all layers are made in one call, because a token of a small model costs as much time
in the making of operations as in their work. Otherwise the layers are called one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Protocol

import mlxc as mx

from ..nn import Linear, QuantizedLinear, RMSNorm, RoPE, revision
from .cache import Cache
from .mask import Mask

Projection = Linear | QuantizedLinear


class Attention(Protocol):
    """What is asked of a layer of attention.

    Attributes:
        head_dim: Features of a head, D.
        scale: Factor on the products of queries and keys.
        cache_dtype: What keys and values are rounded to; None is what they are computed in.
        q_norm: Of the queries of a head, or None; `k_norm` of its keys.
    """

    head_dim: int
    scale: float
    cache_dtype: mx.Dtype | None

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


class GatedMLP(Protocol):
    """What is asked of the other: `down_proj(silu(gate_proj(x)) * up_proj(x))`."""

    @property
    def gate_proj(self) -> Projection: ...
    @property
    def up_proj(self) -> Projection: ...
    @property
    def down_proj(self) -> Projection: ...
    def __call__(self, x: mx.array) -> mx.array: ...


class DecoderLayer(Protocol):
    """`h = x + self_attn(input_layernorm(x))`, then `h + mlp(post_attention_layernorm(h))`."""

    @property
    def self_attn(self) -> Attention: ...
    @property
    def mlp(self) -> GatedMLP: ...
    @property
    def input_layernorm(self) -> RMSNorm: ...
    @property
    def post_attention_layernorm(self) -> RMSNorm: ...
    def __call__(self, x: mx.array, mask: Mask, cache: Cache | None) -> mx.array: ...


def feed_forward_block(mlp: GatedMLP, norm: RMSNorm, x: mx.array) -> mx.array:
    """Return `x + mlp(norm(x))`, as one operation where that is possible.

    Args:
        mlp: The layer.
        norm: Of what it sees.
        x: `(B, L, F)`.
    """
    half = _feed_forward_half(mlp, norm) if x.dtype == mx.float32 else None
    if half is None:
        return x + mlp(norm(x))
    return mx.fast.feed_forward_block(x, half.weights, forms=half.forms, eps=half.eps)


class LayerStack:
    """Runs the layers of a model; what `mx.fast` is given of them is kept until they change."""

    def __init__(self) -> None:
        self._bound = _Bound([])

    def __call__(
        self,
        layers: Sequence[DecoderLayer],
        x: mx.array,
        mask: Mask,
        caches: Sequence[Cache | None],
    ) -> mx.array:
        """Return what the last layer gives.

        Args:
            layers: From first to last.
            x: `(B, L, F)`.
            mask: What the caches' `make_mask` said.
            caches: Of each layer; they are advanced by L.
        """
        if not x.size or x.dtype != mx.float32 or isinstance(mask, mx.array):
            return _one_by_one(layers, x, mask, caches)
        if len(caches) != len(layers):
            raise ValueError(f"there must be {len(layers)} caches, one a layer, got {len(caches)}")
        bound = self._bound
        if bound.revision != revision() or bound.layers != layers:
            bound = self._bound = _Bound(layers)
        for run in bound.runs:
            some = caches[run.start : run.stop]
            out = run.at_once(x, mask, some)
            x = _one_by_one(layers[run.start : run.stop], x, mask, some) if out is None else out
        return x


def _one_by_one(
    layers: Sequence[DecoderLayer], x: mx.array, mask: Mask, caches: Sequence[Cache | None]
) -> mx.array:
    for layer, cache in zip(layers, caches, strict=True):
        x = layer(x, mask, cache)
    return x


class _Bound:
    """Layers as they are at one revision, whole before another thread sees it.

    Attributes:
        runs: Neighbours that are computed alike, all at once or one by one: where bits differ from
            matrix to matrix, a layer may have to be called and the others not.
    """

    def __init__(self, layers: Sequence[DecoderLayer]) -> None:
        self.revision = revision()  # before what it is that of
        self.layers = list(layers)
        halves = [_halves(layer) for layer in layers]
        self.runs: list[_Run] = []
        for _, run in groupby(range(len(layers)), lambda i: halves[i] is None):
            places = list(run)
            whole = [pair for i in places if (pair := halves[i]) is not None]
            layouts = [_layout(layers[i].self_attn) for i in places]
            self.runs.append(_Run(places[0], places[-1] + 1, whole, layouts))


class _Run:
    """The layers from `start` up to `stop`.

    Args:
        start: The first.
        stop: Behind the last.
        halves: What `mx.fast` is given of them; none where they have to be called.
        layouts: Heads, features and dtype of the keys and values of each.
    """

    def __init__(
        self,
        start: int,
        stop: int,
        halves: list[tuple[mx.fast.AttentionHalf, mx.fast.FeedForwardHalf]],
        layouts: list[tuple[int, int, mx.Dtype]],
    ) -> None:
        self.start, self.stop = start, stop
        self._layers = mx.fast.DecoderLayers(halves) if halves else None
        self._layouts = layouts

    def at_once(
        self, x: mx.array, mask: str | None, caches: Sequence[Cache | None]
    ) -> mx.array | None:
        """Return what the last layer gives; None, and nothing done, where each is to be called."""
        if self._layers is None:
            return None
        B, L, _ = x.shape
        start = caches[0].position if caches[0] is not None else 0
        keys: list[mx.array] = []
        values: list[mx.array] = []
        for cache, (heads, D, dtype) in zip(caches, self._layouts, strict=True):
            if cache is None or cache.position != start:
                return None
            lent = cache.lend(L, (B, heads, D), dtype)
            if lent is None:
                return None
            keys.append(lent[0])
            values.append(lent[1])
        out, keys, values = self._layers(x, keys, values, start=start, mask=mask)
        for cache, k, v in zip(caches, keys, values, strict=True):
            assert cache is not None
            cache.take_back(L, k, v)
        return out


def _layout(attention: Attention) -> tuple[int, int, mx.Dtype]:
    D = attention.head_dim
    return attention.k_proj.weight.shape[0] // D, D, attention.cache_dtype or mx.float32


def _halves(layer: DecoderLayer) -> tuple[mx.fast.AttentionHalf, mx.fast.FeedForwardHalf] | None:
    """What `mx.fast` is given of a layer; None where it has to be called."""
    attention = _attention_half(layer.self_attn, layer.input_layernorm)
    feed_forward = _feed_forward_half(layer.mlp, layer.post_attention_layernorm)
    return None if attention is None or feed_forward is None else (attention, feed_forward)


def _attention_half(attention: Attention, norm: RMSNorm) -> mx.fast.AttentionHalf | None:
    q, k, v, o = attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj
    inner, outer = q.packed_form, o.packed_form
    if inner is None or outer is None or k.packed_form != inner or v.packed_form != inner:
        return None
    weights = [norm.weight, *q.packed, *k.packed, *v.packed, *o.packed]
    floats = [norm.weight]
    head_eps = None
    if attention.q_norm is not None and attention.k_norm is not None:
        floats += attention.q_norm.weight, attention.k_norm.weight
        head_eps = attention.q_norm.eps
        if attention.k_norm.eps != head_eps:
            return None
    rope = attention.rope
    if rope.freqs is not None:
        floats.append(rope.freqs)
    if any(array.dtype != mx.float32 for array in floats):
        return None
    return mx.fast.AttentionHalf(
        [*weights, *floats[1:]],
        forms=(inner, outer),
        eps=norm.eps,
        scale=attention.scale,
        dims=rope.dims,
        traditional=rope.traditional,
        base=rope.base,
        rope_scale=rope.scale,
        head_eps=head_eps,
    )


def _feed_forward_half(mlp: GatedMLP, norm: RMSNorm) -> mx.fast.FeedForwardHalf | None:
    gate, up, down = mlp.gate_proj, mlp.up_proj, mlp.down_proj
    inner, outer = gate.packed_form, down.packed_form
    if inner is None or outer is None or up.packed_form != inner:
        return None
    if norm.weight.dtype != mx.float32:
        return None
    weights = [norm.weight, *gate.packed, *up.packed, *down.packed]
    return mx.fast.FeedForwardHalf(weights, forms=(inner, outer), eps=norm.eps)
