"""Configurations of every architecture, small enough for a test."""

from __future__ import annotations

LLAMA = {
    "model_type": "llama",
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "intermediate_size": 48,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-5,
    "vocab_size": 50,
    "rope_theta": 1000.0,
    "max_position_embeddings": 128,
    "tie_word_embeddings": True,
}
