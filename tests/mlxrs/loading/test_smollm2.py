"""SmolLM2, read from the real file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.models import smollm2_gguf

from mlxrs.loading.checkpoint import read_checkpoint
from mlxrs.loading.gguf import open_gguf


@pytest.fixture(scope="module")
def path() -> Path:
    return smollm2_gguf()


def test_config_is_that_of_the_model_card(path: Path) -> None:
    config = read_checkpoint(path, quantized="keep").config

    assert config["num_hidden_layers"] == 30
    assert config["hidden_size"] == 576
    assert (config["num_attention_heads"], config["num_key_value_heads"]) == (9, 3)
    assert config["vocab_size"] == 49152
    assert config["rope_theta"] == 100000
    assert config["max_position_embeddings"] == 8192
    assert config["tie_word_embeddings"] is True
    assert config["quantization"] == {
        "group_size": 32,
        "bits": 4,
        "model.embed_tokens": {"group_size": 32, "bits": 8},
    }


@pytest.mark.reference
def test_kept_triples_equal_those_of_the_gguf_reader_in_mlx(path: Path) -> None:
    import mlx.core

    weights = read_checkpoint(path, quantized="keep").weights
    reference = mlx.core.load(str(path), format="gguf")

    for ours, theirs in (
        ("model.embed_tokens", "token_embd"),
        ("model.layers.7.self_attn.v_proj", "blk.7.attn_v"),
        ("model.layers.29.mlp.down_proj", "blk.29.ffn_down"),
    ):
        for part in ("weight", "scales", "biases"):
            np.testing.assert_array_equal(
                np.array(weights[f"{ours}.{part}"]), np.array(reference[f"{theirs}.{part}"])
            )


@pytest.mark.reference
def test_dequantized_weights_equal_those_of_the_gguf_package(path: Path) -> None:
    import gguf

    weights = read_checkpoint(path, quantized="dequantize").weights
    file = open_gguf(path)

    for ours, theirs in (
        ("model.embed_tokens", "token_embd"),
        ("model.layers.3.self_attn.o_proj", "blk.3.attn_output"),
        ("model.layers.29.mlp.gate_proj", "blk.29.ffn_gate"),
        ("model.norm", "output_norm"),
    ):
        tensor = file.tensors[f"{theirs}.weight"]
        raw = np.frombuffer(file.data(tensor.name), np.uint8).reshape(tensor.shape[0], -1)
        expected = gguf.dequantize(raw, gguf.GGMLQuantizationType[tensor.type.name])
        np.testing.assert_array_equal(
            np.array(weights[f"{ours}.weight"]), expected.reshape(tensor.shape)
        )
