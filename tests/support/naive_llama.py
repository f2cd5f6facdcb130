"""The forward pass of Llama, and of what is built on it, written plainly in numpy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def naive_forward(
    weights: Mapping[str, np.ndarray], config: Mapping[str, Any], tokens: np.ndarray
) -> np.ndarray:
    """Returns the logits (L, V) of one row of token ids (L,), one head at a time.

    It computes in the type of the weights, which are named as in checkpoints.
    """
    heads = config["num_attention_heads"]
    kv_heads = config["num_key_value_heads"] or heads
    D = config.get("head_dim") or config["hidden_size"] // heads
    L = len(tokens)

    def linear(x, name):
        y = x @ weights[f"{name}.weight"].T
        return y + weights[f"{name}.bias"] if f"{name}.bias" in weights else y

    def norm(x, name):
        if f"{name}.weight" not in weights:  # only Qwen3 has norms of queries and keys
            return x
        rms = np.sqrt((x**2).mean(-1, keepdims=True) + config["rms_norm_eps"])
        return x / rms * weights[f"{name}.weight"]

    def frequency(pair):
        plain = config["rope_theta"] ** (-2 * pair / D)
        scaling = config.get("rope_parameters") or config.get("rope_scaling")
        if scaling is None:
            return plain
        if scaling.get("type") == "linear":
            return plain / scaling["factor"]
        turns = 32 * plain / (2 * math.pi)
        if turns > 4.0:
            return plain
        if turns < 1.0:
            return plain / 8.0
        smooth = (turns - 1.0) / 3.0
        return (1 - smooth) * plain / 8.0 + smooth * plain

    def rotate(x):  # (L, D)
        angles = np.arange(L)[:, None] * np.array([frequency(i) for i in range(D // 2)])
        a, b = x[:, : D // 2], x[:, D // 2 :]
        sin, cos = np.sin(angles), np.cos(angles)
        return np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=1)

    x = weights["model.embed_tokens.weight"][tokens]  # (L, hidden)
    window = config.get("sliding_window") or L
    behind = np.arange(L)[:, None] - np.arange(L)
    hidden = (behind < 0) | (behind >= window)
    for i in range(config["num_hidden_layers"]):
        block = f"model.layers.{i}"
        h = norm(x, f"{block}.input_layernorm")
        q, k, v = (linear(h, f"{block}.self_attn.{n}_proj") for n in "qkv")
        outs = []
        for head in range(heads):
            kv = head // (heads // kv_heads)
            qh = rotate(norm(q[:, head * D : (head + 1) * D], f"{block}.self_attn.q_norm"))
            kh = rotate(norm(k[:, kv * D : (kv + 1) * D], f"{block}.self_attn.k_norm"))
            scores = np.where(hidden, -np.inf, qh @ kh.T / math.sqrt(D))
            probs = np.exp(scores - scores.max(-1, keepdims=True))
            probs /= probs.sum(-1, keepdims=True)
            outs.append(probs @ v[:, kv * D : (kv + 1) * D])
        x = x + linear(np.concatenate(outs, axis=1), f"{block}.self_attn.o_proj")
        h = norm(x, f"{block}.post_attention_layernorm")
        gate = linear(h, f"{block}.mlp.gate_proj")
        up = linear(h, f"{block}.mlp.up_proj")
        x = x + linear(gate / (1 + np.exp(-gate)) * up, f"{block}.mlp.down_proj")
    x = norm(x, "model.norm")
    head = "model.embed_tokens" if config["tie_word_embeddings"] else "lm_head"
    return x @ weights[f"{head}.weight"].T
