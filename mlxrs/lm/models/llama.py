"""Llama (https://arxiv.org/abs/2302.13971), and Mistral (https://arxiv.org/abs/2310.06825).

Pre-normalised blocks of grouped-query attention with rotary positions and a gated feed-forward
layer. Mistral is the same but for its attention window, which older checkpoints set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import mlxc as mx

from ... import nn
from ...errors import FormatError
from ..attention import join_heads, scaled_dot_product_attention, split_heads
from ..blocks import LayerStack, feed_forward_block
from ..cache import Cache, KVCache
from ..mask import Mask, create_attention_mask
from .base import BaseModel, BaseModelArgs


@dataclass
class ModelArgs(BaseModelArgs):
    """The keys of `config.json` that matter, named as there.

    Attributes:
        qk_norm: Whether the architecture normalises each head's queries and keys.
    """

    qk_norm: ClassVar[bool] = False

    hidden_size: int
    num_hidden_layers: int
    intermediate_size: int
    num_attention_heads: int
    vocab_size: int
    num_key_value_heads: int = 0  # 0: as many as there are heads
    head_dim: int = 0  # 0: the hidden size over the heads
    rms_norm_eps: float = 1e-6
    max_position_embeddings: int | None = None
    rope_theta: float = 10000.0
    rope_traditional: bool = False
    rope_scaling: dict[str, Any] | None = None
    sliding_window: int | None = None
    attention_bias: bool = False
    mlp_bias: bool = False
    tie_word_embeddings: bool = False

    def __post_init__(self) -> None:
        self.require_positive("hidden_size", "intermediate_size", "vocab_size")
        self.require_positive("num_hidden_layers", "num_attention_heads", "rope_theta")
        self.num_key_value_heads = self.num_key_value_heads or self.num_attention_heads
        self.head_dim = self.head_dim or self.hidden_size // self.num_attention_heads
        if self.num_attention_heads % self.num_key_value_heads:
            raise FormatError(
                "config.json: num_attention_heads must be a multiple of num_key_value_heads, got "
                f"{self.num_attention_heads} and {self.num_key_value_heads}"
            )


class Attention(nn.Module):
    """Grouped-query attention.

    Attributes:
        cache_dtype: What keys and values are rounded to; None is what they are computed in.
    """

    def __init__(self, args: ModelArgs) -> None:
        self.cache_dtype: mx.Dtype | None = None
        self.n_heads, self.n_kv_heads = args.num_attention_heads, args.num_key_value_heads
        self.head_dim = args.head_dim
        self.scale = self.head_dim**-0.5

        dims, bias = args.hidden_size, args.attention_bias
        self.q_proj = nn.Linear(dims, self.n_heads * self.head_dim, bias=bias)
        self.k_proj = nn.Linear(dims, self.n_kv_heads * self.head_dim, bias=bias)
        self.v_proj = nn.Linear(dims, self.n_kv_heads * self.head_dim, bias=bias)
        self.o_proj = nn.Linear(self.n_heads * self.head_dim, dims, bias=bias)
        self.rope = nn.initialize_rope(
            self.head_dim, args.rope_theta, args.rope_traditional, args.rope_scaling
        )
        self.q_norm = nn.RMSNorm(self.head_dim, args.rms_norm_eps) if args.qk_norm else None
        self.k_norm = nn.RMSNorm(self.head_dim, args.rms_norm_eps) if args.qk_norm else None

    def __call__(self, x: mx.array, mask: Mask, cache: Cache | None) -> mx.array:
        offset = 0 if cache is None else cache.offset

        q = split_heads(self.q_proj(x), self.n_heads)  # (B, H, L, D)
        k = split_heads(self.k_proj(x), self.n_kv_heads)
        v = split_heads(self.v_proj(x), self.n_kv_heads)

        if self.q_norm is not None and self.k_norm is not None:
            q, k = self.q_norm(q), self.k_norm(k)
        q, k = self.rope(q, offset), self.rope(k, offset)
        if self.cache_dtype is not None:
            k, v = k.astype(self.cache_dtype), v.astype(self.cache_dtype)
        keys, values = (k, v) if cache is None else cache.update_and_fetch(k, v)  # (B, H_kv, S, D)
        out = scaled_dot_product_attention(q, keys, values, scale=self.scale, mask=mask)
        return self.o_proj(join_heads(out))


class MLP(nn.Module):
    def __init__(self, args: ModelArgs) -> None:
        dims, hidden, bias = args.hidden_size, args.intermediate_size, args.mlp_bias
        self.gate_proj = nn.Linear(dims, hidden, bias=bias)
        self.up_proj = nn.Linear(dims, hidden, bias=bias)
        self.down_proj = nn.Linear(hidden, dims, bias=bias)

    def __call__(self, x: mx.array) -> mx.array:
        return self.down_proj(nn.swiglu(self.gate_proj(x), self.up_proj(x)))


class TransformerBlock(nn.Module):
    def __init__(self, args: ModelArgs) -> None:
        self.self_attn = Attention(args)
        self.mlp = MLP(args)
        self.input_layernorm = nn.RMSNorm(args.hidden_size, args.rms_norm_eps)
        self.post_attention_layernorm = nn.RMSNorm(args.hidden_size, args.rms_norm_eps)

    def __call__(self, x: mx.array, mask: Mask, cache: Cache | None) -> mx.array:
        h = x + self.self_attn(self.input_layernorm(x), mask, cache)
        return feed_forward_block(self.mlp, self.post_attention_layernorm, h)


class LlamaModel(nn.Module):
    def __init__(self, args: ModelArgs) -> None:
        self.embed_tokens = nn.Embedding(args.vocab_size, args.hidden_size)
        self.layers = [TransformerBlock(args) for _ in range(args.num_hidden_layers)]
        self.norm = nn.RMSNorm(args.hidden_size, args.rms_norm_eps)
        self.sliding_window = args.sliding_window
        self._stack = LayerStack()

    def __call__(self, tokens: mx.array, cache: Sequence[Cache] | None) -> mx.array:
        h, L = self.embed_tokens(tokens), tokens.shape[1]  # (B, L, D)
        if cache is None:
            caches: Sequence[Cache | None] = [None] * len(self.layers)
            mask = create_attention_mask(L, window_size=self.sliding_window)
        else:
            caches, mask = cache, cache[0].make_mask(L, self.sliding_window)
        return self.norm(self._stack(self.layers, h, mask, caches))


class Model(BaseModel):
    """A Llama; see `LanguageModel` for its use."""

    args: ModelArgs

    def __init__(self, args: ModelArgs) -> None:
        super().__init__(args)
        self.model = LlamaModel(args)
        if not args.tie_word_embeddings:
            self.lm_head = nn.Linear(args.hidden_size, args.vocab_size, bias=False)

    def __call__(self, tokens: mx.array, cache: Sequence[Cache] | None = None) -> mx.array:
        h = self.model(tokens, cache)
        if self.args.tie_word_embeddings:
            return self.model.embed_tokens.as_linear(h)
        return self.lm_head(h)  # (B, L, V)

    @property
    def layers(self) -> list[TransformerBlock]:
        return self.model.layers

    @property
    def context_length(self) -> int | None:
        return self.args.max_position_embeddings

    def make_cache(self) -> list[Cache]:
        return [KVCache() for _ in self.layers]

    def round_cache(self, dtype: mx.Dtype) -> None:
        for layer in self.layers:
            layer.self_attn.cache_dtype = dtype

    def sanitize(self, weights: Mapping[str, mx.array]) -> dict[str, mx.array]:
        """Leave out what checkpoints carry and this model computes or shares."""
        spare = ("lm_head.",) if self.args.tie_word_embeddings else ()
        return {
            name: array
            for name, array in weights.items()
            if not name.endswith("rotary_emb.inv_freq") and not name.startswith(spare)
        }
