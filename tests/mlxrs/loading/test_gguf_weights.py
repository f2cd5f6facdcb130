"""A GGUF file of arch llama becomes a Hugging Face checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from support.gguf import (
    LLAMA_METADATA,
    Stored,
    gguf_bytes,
    llama_tensors,
    naive_dequantize,
    random_stored,
)

import mlxc as mx
from mlxrs.errors import FormatError, ModelNotFoundError, UnsupportedError
from mlxrs.loading.checkpoint import Checkpoint, Quantized, read_checkpoint


def read(
    folder: Path,
    tensors: Mapping[str, Stored],
    metadata: Mapping[str, object] = LLAMA_METADATA,
    quantized: Quantized = "dequantize",
) -> Checkpoint:
    path = folder / "tiny.gguf"
    path.write_bytes(gguf_bytes(metadata, tensors))
    return read_checkpoint(path, quantized=quantized)


@pytest.fixture
def tensors() -> dict[str, Stored]:
    return llama_tensors(np.random.default_rng(3))


def test_config_speaks_the_words_of_hugging_face(
    tmp_path: Path, tensors: dict[str, Stored]
) -> None:
    config = read(tmp_path, tensors).config

    assert config == {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "hidden_size": 64,
        "num_hidden_layers": 1,
        "intermediate_size": 96,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-05,
        "vocab_size": 10,
        "rope_theta": 5000.0,
        "rope_scaling": None,
        "max_position_embeddings": 128,
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": True,
    }


def test_tensors_get_hugging_face_names(tmp_path: Path, tensors: dict[str, Stored]) -> None:
    weights = read(tmp_path, tensors).weights

    assert set(weights) == {
        "model.embed_tokens.weight",
        "model.norm.weight",
        "model.layers.0.input_layernorm.weight",
        "model.layers.0.post_attention_layernorm.weight",
        "model.layers.0.self_attn.q_proj.weight",
        "model.layers.0.self_attn.k_proj.weight",
        "model.layers.0.self_attn.v_proj.weight",
        "model.layers.0.self_attn.o_proj.weight",
        "model.layers.0.mlp.gate_proj.weight",
        "model.layers.0.mlp.up_proj.weight",
        "model.layers.0.mlp.down_proj.weight",
    }


def test_output_head_unties_the_embedding(tmp_path: Path, tensors: dict[str, Stored]) -> None:
    head = random_stored("F16", (10, 64), np.random.default_rng(4))

    checkpoint = read(tmp_path, tensors | {"output.weight": head})

    assert checkpoint.config["tie_word_embeddings"] is False
    assert checkpoint.weights["lm_head.weight"].dtype == mx.float16


@pytest.mark.parametrize("kind", ["F32", "F16", "BF16"])
@pytest.mark.parametrize("quantized", ["keep", "dequantize"])
def test_plain_tensors_are_copied_bit_by_bit(
    tmp_path: Path, tensors: dict[str, Stored], kind: str, quantized: Quantized
) -> None:
    stored = random_stored(kind, (64, 96), np.random.default_rng(5))

    weights = read(
        tmp_path, tensors | {"blk.0.ffn_down.weight": stored}, quantized=quantized
    ).weights
    value = weights["model.layers.0.mlp.down_proj.weight"]

    assert value.dtype == {"F32": mx.float32, "F16": mx.float16, "BF16": mx.bfloat16}[kind]
    assert np.array(value.view(mx.uint8)).tobytes() == stored.data


def test_unquantized_file_notes_no_quantization(tmp_path: Path) -> None:
    checkpoint = read(tmp_path, llama_tensors(np.random.default_rng(6), "F16"), quantized="keep")

    assert "quantization" not in checkpoint.config


def test_kept_widths_are_noted_once_and_then_by_module(
    tmp_path: Path, tensors: dict[str, Stored]
) -> None:
    embedding = random_stored("Q8_0", (10, 64), np.random.default_rng(7))

    checkpoint = read(tmp_path, tensors | {"token_embd.weight": embedding}, quantized="keep")

    assert checkpoint.config["quantization"] == {
        "group_size": 32,
        "bits": 4,
        "model.embed_tokens": {"group_size": 32, "bits": 8},
    }


@pytest.mark.parametrize("kind", ["Q4_0", "Q4_1", "Q8_0"])
def test_kept_triples_mean_what_dequantized_weights_say(tmp_path: Path, kind: str) -> None:
    tensors = llama_tensors(np.random.default_rng(8), kind)

    kept = read(tmp_path, tensors, quantized="keep").weights
    plain = read(tmp_path, tensors, quantized="dequantize").weights

    for name, value in plain.items():
        module = name.removesuffix(".weight")
        if f"{module}.scales" in kept:
            value_kept = mx.dequantize(
                kept[name],
                kept[f"{module}.scales"].astype(mx.float32),
                kept[f"{module}.biases"].astype(mx.float32),
                group_size=32,
                bits=8 if kind == "Q8_0" else 4,
            )
            np.testing.assert_array_equal(np.array(value_kept), np.array(value))


def half_split_rope(vector: np.ndarray, position: int) -> np.ndarray:
    half = len(vector) // 2
    angles = position * 5000.0 ** (-np.arange(half) / half)
    first, second = vector[:half], vector[half:]
    return np.concatenate(
        [
            first * np.cos(angles) - second * np.sin(angles),
            second * np.cos(angles) + first * np.sin(angles),
        ]
    )


def paired_rope(vector: np.ndarray, position: int) -> np.ndarray:
    half = len(vector) // 2
    angles = position * 5000.0 ** (-np.arange(half) / half)
    turned = (vector[0::2] + 1j * vector[1::2]) * np.exp(1j * angles)
    return np.stack([turned.real, turned.imag], axis=-1).reshape(-1)


@pytest.mark.parametrize(("name", "heads"), [("q", 4), ("k", 2)])
def test_query_and_key_rows_rotate_in_halves_as_the_file_does_in_pairs(
    tmp_path: Path, tensors: dict[str, Stored], name: str, heads: int
) -> None:
    raw = naive_dequantize(tensors[f"blk.0.attn_{name}.weight"])
    loaded = np.array(
        read(tmp_path, tensors).weights[f"model.layers.0.self_attn.{name}_proj.weight"]
    )
    x = np.random.default_rng(9).standard_normal(64)

    for raw_head, head in zip(np.split(raw @ x, heads), np.split(loaded @ x, heads), strict=True):
        turned = paired_rope(raw_head, 3)
        expected = np.concatenate([turned[0::2], turned[1::2]])
        np.testing.assert_allclose(half_split_rope(head, 3), expected, rtol=1e-6, atol=1e-6)


def test_other_rows_stay_where_they_are(tmp_path: Path, tensors: dict[str, Stored]) -> None:
    weights = read(tmp_path, tensors).weights

    np.testing.assert_array_equal(
        np.array(weights["model.layers.0.self_attn.v_proj.weight"]),
        naive_dequantize(tensors["blk.0.attn_v.weight"]),
    )


@pytest.mark.parametrize("kernels", [True, False])
def test_auto_keeps_on_a_cpu_what_kernels_multiply(
    tmp_path: Path, tensors: dict[str, Stored], kernels: bool
) -> None:
    device, enabled = mx.default_device(), mx.cpu_kernels().enabled
    mx.set_default_device(mx.cpu)
    try:
        expected = mx.uint32 if mx.cpu_kernels(kernels).enabled else mx.float32
        weights = read(tmp_path, tensors, quantized="auto").weights
    finally:
        mx.set_default_device(device)
        mx.cpu_kernels(enabled)

    assert weights["model.embed_tokens.weight"].dtype == expected


REFUSED = {
    "unknown architecture": (
        {"general.architecture": "mamba"},
        UnsupportedError,
        "'mamba' is not known; known are: llama, qwen3",
    ),
    "no architecture": ({"general.architecture": 3}, FormatError, "must be a string"),
    "heads that are no number": (
        {"llama.attention.head_count": "four"},
        FormatError,
        "head_count must be a positive integer, got 'four'",
    ),
    "no heads": ({"llama.attention.head_count": 0}, FormatError, "positive integer"),
    "partial rotation": ({"llama.rope.dimension_count": 8}, UnsupportedError, "head dimension"),
    "unknown rope scaling": ({"llama.rope.scaling.type": "yarn"}, UnsupportedError, "yarn"),
    "infinite rope base": (
        {"llama.rope.freq_base": float("inf")},
        FormatError,
        "positive number",
    ),
    "one part of several": ({"split.count": 3}, UnsupportedError, "one of 3 parts"),
    "experts": ({"llama.expert_count": 8}, UnsupportedError, "mixture"),
    "heads that do not divide the rows": (
        {"llama.attention.head_count_kv": 3},
        FormatError,
        "3 heads, got 32 rows",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_metadata_that_cannot_be_served_are_refused(
    tmp_path: Path, tensors: dict[str, Stored], name: str
) -> None:
    change, error, message = REFUSED[name]

    with pytest.raises(error, match=message):
        read(tmp_path, tensors, LLAMA_METADATA | change)


def test_missing_hyperparameter_is_named(tmp_path: Path, tensors: dict[str, Stored]) -> None:
    metadata = {k: v for k, v in LLAMA_METADATA.items() if k != "llama.block_count"}

    with pytest.raises(FormatError, match=r"llama\.block_count"):
        read(tmp_path, tensors, metadata)


def test_vocabulary_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"token_embd\.weight must be present"):
        read(tmp_path, {})


def test_unreadable_tensor_type_is_named(tmp_path: Path, tensors: dict[str, Stored]) -> None:
    tensors["token_embd.weight"] = Stored("Q4_K", (10, 256), bytes(1440))

    with pytest.raises(UnsupportedError, match=r"token_embd\.weight is stored as Q4_K"):
        read(tmp_path, tensors)


def test_tensor_without_a_place_is_refused(tmp_path: Path, tensors: dict[str, Stored]) -> None:
    tensors["rope_freqs.weight"] = Stored("F32", (8,), bytes(32))

    with pytest.raises(UnsupportedError, match=r"rope_freqs\.weight has no place"):
        read(tmp_path, tensors)


def test_missing_path_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="no such file or directory"):
        read_checkpoint(tmp_path / "absent")


def test_unknown_word_for_quantized_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="quantized must be"):
        read_checkpoint(tmp_path, quantized="maybe")  # type: ignore[arg-type]
