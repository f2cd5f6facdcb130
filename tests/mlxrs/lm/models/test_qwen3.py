"""Qwen3 against transformers; the plain forward pass in test_llama knows it too."""

from pathlib import Path

import numpy as np
import pytest
from support.assert_close import assert_close
from support.gguf import LLAMA_METADATA, gguf_bytes, llama_tensors, random_stored
from support.tiny_configs import LLAMA

import mlxc as mx
from mlxrs.errors import UnsupportedError
from mlxrs.lm.load import build_model
from mlxrs.lm.models.qwen3 import ModelArgs
from mlxrs.loading.checkpoint import read_checkpoint

QWEN3 = LLAMA | {"model_type": "qwen3", "head_dim": 16}


@pytest.mark.reference
@pytest.mark.parametrize("tied", [True, False])
def test_logits_are_those_of_transformers(tied):
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(5)
    config = QWEN3 | {"tie_word_embeddings": tied}
    theirs = Qwen3ForCausalLM(Qwen3Config(**config)).eval()
    for name, weight in theirs.named_parameters():
        torch.nn.init.normal_(weight, mean=float("norm" in name), std=0.3)
    tokens = [[7, 3, 49, 0, 12, 3, 3, 21, 5]]
    with torch.no_grad():
        expected = theirs(torch.tensor(tokens)).logits.numpy()

    weights = {name: mx.array(tensor.numpy()) for name, tensor in theirs.state_dict().items()}
    logits = build_model(config, weights)(mx.array(tokens))

    assert_close(logits, expected)


def test_the_heads_are_of_128_where_the_configuration_does_not_say():
    config = {key: value for key, value in QWEN3.items() if key != "head_dim"}

    assert ModelArgs.from_dict(config).head_dim == 128


def test_a_window_that_is_switched_off_is_none():
    assert ModelArgs.from_dict(QWEN3 | {"sliding_window": 8}).sliding_window is None


def test_windows_in_some_layers_are_refused():
    with pytest.raises(UnsupportedError, match="use_sliding_window must be false, got true"):
        ModelArgs.from_dict(QWEN3 | {"use_sliding_window": True})


def test_a_gguf_file_becomes_a_model(tmp_path: Path):
    generator = np.random.default_rng(4)
    metadata = {key.replace("llama.", "qwen3."): value for key, value in LLAMA_METADATA.items()}
    tensors = llama_tensors(generator)
    for name in ("attn_q_norm", "attn_k_norm"):
        tensors[f"blk.0.{name}.weight"] = random_stored("F32", (16,), generator)
    path = tmp_path / "tiny.gguf"
    path.write_bytes(gguf_bytes(metadata | {"general.architecture": "qwen3"}, tensors))

    checkpoint = read_checkpoint(path, quantized="keep")
    model = build_model(checkpoint.config, checkpoint.weights)

    stored = np.frombuffer(tensors["blk.0.attn_q_norm.weight"].data, np.float32)
    assert model.layers[0].self_attn.q_norm.weight.tolist() == stored.tolist()
    rows = np.frombuffer(tensors["blk.0.attn_q.weight"].data, np.uint8).reshape(64, -1)
    scales = rows[:, :2].copy().view(np.float16)[:, 0]
    assert model.layers[0].self_attn.q_proj.scales[:, 0].tolist() == scales.tolist()
