"""Random weights in the shape of Qwen3-0.6B, the same numbers in a GGUF file and in a directory.

The weights are drawn in the packed form, and scales have 8 significant bits: so float16, which
GGUF stores, and bfloat16, which checkpoints on the hub have, hold the same values.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GROUP_SIZE = 32
CONFIG = {
    "model_type": "qwen3",
    "architectures": ["Qwen3ForCausalLM"],
    "hidden_size": 1024,
    "num_hidden_layers": 28,
    "intermediate_size": 3072,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "rms_norm_eps": 1e-6,
    "vocab_size": 151936,
    "rope_theta": 1e6,
    "max_position_embeddings": 40960,
    "tie_word_embeddings": True,
    "torch_dtype": "bfloat16",
}
MATRICES = {
    "attn_q": ("self_attn.q_proj", (2048, 1024)),
    "attn_k": ("self_attn.k_proj", (1024, 1024)),
    "attn_v": ("self_attn.v_proj", (1024, 1024)),
    "attn_output": ("self_attn.o_proj", (1024, 2048)),
    "ffn_gate": ("mlp.gate_proj", (3072, 1024)),
    "ffn_up": ("mlp.up_proj", (3072, 1024)),
    "ffn_down": ("mlp.down_proj", (1024, 3072)),
}
NORMS = {
    "attn_norm": ("input_layernorm", 1024),
    "attn_q_norm": ("self_attn.q_norm", 128),
    "attn_k_norm": ("self_attn.k_norm", 128),
    "ffn_norm": ("post_attention_layernorm", 1024),
}
STORED = {"4-bit": "Q4_1", "8-bit": "Q8_0", "bf16": "BF16"}


@dataclass(frozen=True)
class Drawn:
    """A matrix in both forms: the rows of GGUF as bytes, and arrays by their last name."""

    rows: Any
    arrays: dict[str, Any]


def write(folder: Path, form: str) -> None:
    """Writes `model.gguf` and a directory `hub`; `form` is "4-bit", "8-bit" or "bf16"."""
    import gguf
    import numpy as np

    import mlxc as mx

    writer = gguf.GGUFWriter(folder / "model.gguf", "qwen3")
    _write_metadata(writer)
    kind = gguf.GGMLQuantizationType[STORED[form]]
    generator = np.random.default_rng(7)
    weights: dict[str, mx.array] = {}
    for name, hub_name, shape in _matrices():
        drawn = draw(form, shape, generator)
        writer.add_tensor(f"{name}.weight", drawn.rows, raw_dtype=kind)
        weights |= {f"{hub_name}.{last}": array for last, array in drawn.arrays.items()}
    for name, hub_name, size in _norms():
        writer.add_tensor(f"{name}.weight", np.ones(size, np.float32))
        weights[f"{hub_name}.weight"] = mx.ones((size,), mx.bfloat16)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    hub = folder / "hub"
    hub.mkdir()
    bits = {"4-bit": 4, "8-bit": 8}.get(form)
    packed = {"quantization": {"group_size": GROUP_SIZE, "bits": bits}} if bits else {}
    (hub / "config.json").write_text(json.dumps(CONFIG | packed))
    _write_tokenizer(hub)
    mx.save_safetensors(str(hub / "model.safetensors"), weights, metadata={"format": "mlx"})


def draw(form: str, shape: tuple[int, int], generator: Any) -> Drawn:
    """Draws one matrix; its values are of about 0.03 in size."""
    import numpy as np

    import mlxc as mx

    rows, groups = shape[0], shape[1] // GROUP_SIZE
    codes = np.frombuffer(generator.bytes(rows * shape[1]), np.uint8)
    codes = codes.reshape(rows, groups, GROUP_SIZE)
    if form == "bf16":
        values = codes.view(np.int8).reshape(shape).astype(np.float32) / 2048
        upper = (values.view(np.uint32) >> 16).astype(np.uint16)
        return Drawn(upper.view(np.uint8), {"weight": mx.array(upper).view(mx.bfloat16)})

    significand = generator.integers(128, 256, (rows, groups, 1)) / 128
    scales = (significand * (2**-8 if form == "4-bit" else 2**-12)).astype(np.float16)
    if form == "4-bit":
        codes = codes & 15
        offsets = scales * np.float16(-8)
        blocks = [
            scales.view(np.uint8),
            offsets.view(np.uint8),
            codes[..., :16] | codes[..., 16:] << 4,
        ]
        packed = codes[..., ::2] | codes[..., 1::2] << 4
    else:
        offsets = scales * np.float16(-128)
        blocks = [scales.view(np.uint8), codes.view(np.int8) ^ np.int8(-128)]
        packed = codes
    stored = np.concatenate([block.view(np.uint8) for block in blocks], axis=-1)
    arrays = {
        "weight": mx.array(np.ascontiguousarray(packed).reshape(rows, -1).view(np.uint32)),
        "scales": mx.array(scales[..., 0]).astype(mx.bfloat16),
        "biases": mx.array(offsets[..., 0]).astype(mx.bfloat16),
    }
    mx.eval(arrays)
    return Drawn(stored.reshape(rows, -1), arrays)


def _matrices() -> Iterator[tuple[str, str, tuple[int, int]]]:
    yield "token_embd", "model.embed_tokens", (CONFIG["vocab_size"], CONFIG["hidden_size"])
    for layer in range(CONFIG["num_hidden_layers"]):
        for name, (hub_name, shape) in MATRICES.items():
            yield f"blk.{layer}.{name}", f"model.layers.{layer}.{hub_name}", shape


def _norms() -> Iterator[tuple[str, str, int]]:
    yield "output_norm", "model.norm", CONFIG["hidden_size"]
    for layer in range(CONFIG["num_hidden_layers"]):
        for name, (hub_name, size) in NORMS.items():
            yield f"blk.{layer}.{name}", f"model.layers.{layer}.{hub_name}", size


def _write_metadata(writer: Any) -> None:
    writer.add_context_length(CONFIG["max_position_embeddings"])
    writer.add_embedding_length(CONFIG["hidden_size"])
    writer.add_block_count(CONFIG["num_hidden_layers"])
    writer.add_feed_forward_length(CONFIG["intermediate_size"])
    writer.add_head_count(CONFIG["num_attention_heads"])
    writer.add_head_count_kv(CONFIG["num_key_value_heads"])
    writer.add_key_length(CONFIG["head_dim"])
    writer.add_value_length(CONFIG["head_dim"])
    writer.add_layer_norm_rms_eps(CONFIG["rms_norm_eps"])
    writer.add_rope_freq_base(CONFIG["rope_theta"])
    writer.add_vocab_size(CONFIG["vocab_size"])
    writer.add_tokenizer_model("none")


def _write_tokenizer(folder: Path) -> None:
    """Nobody reads texts here, but a model directory has a tokenizer."""
    from tokenizers import Tokenizer, models

    Tokenizer(models.WordLevel({"a": 0, "?": 1}, unk_token="?")).save(
        str(folder / "tokenizer.json")
    )
