"""A checkpoint of 16 bits says what its float32 copy says, without the copy."""

import json
from pathlib import Path

import pytest
from support.assert_close import assert_close
from support.kernels import cpu_kernels, instruction_sets
from support.models import smollm2_gguf
from support.tiny_configs import LLAMA
from support.word_tokenizers import write_word_tokenizer

import mlxc as mx
from mlxc.tree import tree_flatten
from mlxrs.lm.load import build_model, load
from mlxrs.lm.models import get_model_class
from mlxrs.lm.params import GenConfig
from mlxrs.lm.steps import generate_step
from mlxrs.loading.checkpoint import read_checkpoint

pytestmark = [
    pytest.mark.native,
    pytest.mark.skipif(mx.default_device() != mx.cpu, reason="the policy is for CPUs"),
]

HALVES = [mx.bfloat16, mx.float16]
PROMPT = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5]
# Where logits of equal models differ by the order of float32 sums only.
CLOSE = 5e-3


def tiny(model_type: str, tied: bool) -> tuple[dict, dict[str, mx.array]]:
    config = LLAMA | {"model_type": model_type, "head_dim": 8, "tie_word_embeddings": tied}
    model_class, args_class = get_model_class(model_type)
    mx.random.seed(8)
    return config, dict(tree_flatten(model_class(args_class.from_dict(config)).parameters()))


def halved(weights: dict[str, mx.array], dtype: mx.Dtype) -> dict[str, mx.array]:
    return {name: array.astype(dtype) for name, array in weights.items()}


def write(folder: Path, config: dict, weights: dict[str, mx.array]) -> Path:
    (folder / "config.json").write_text(json.dumps(config))
    mx.save_safetensors(str(folder / "model.safetensors"), weights)
    write_word_tokenizer(folder)
    return folder


def greedy(model, prompt: list[int], count: int) -> tuple[list[int], list[float]]:
    """The tokens, and by how much each was likelier than the next."""
    params = GenConfig(max_tokens=count, top_logprobs=2)
    steps = list(generate_step(model, prompt, params=params))
    gaps = [step.top_logprobs[0][1] - step.top_logprobs[1][1] for step in steps]
    return [step.token for step in steps], gaps


def assert_same(found: list[int], wanted: list[int], gaps: list[float]) -> None:
    for place, (one, other) in enumerate(zip(found, wanted, strict=True)):
        if one != other:
            print(f"token {place} differs where two were {gaps[place]:.2g} apart")
            assert gaps[place] < CLOSE
            return


@pytest.mark.parametrize("instruction_set", instruction_sets())
@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize(
    ("model_type", "tied"), [("llama", True), ("qwen3", True), ("qwen3", False)]
)
def test_greedy_text_is_that_of_the_widened_weights(
    tmp_path, instruction_set, dtype, model_type, tied
):
    config, weights = tiny(model_type, tied)
    weights = halved(weights, dtype)
    wide = build_model(config, halved(weights, mx.float32))

    with cpu_kernels(instruction_set=instruction_set):
        model, _ = load(write(tmp_path, config, weights))
        assert_close(model(mx.array([PROMPT])), wide(mx.array([PROMPT])))
        found, _ = greedy(model, PROMPT, 24)
        assert_same(found, *greedy(wide, PROMPT, 24))

    stored = {name for name, array in tree_flatten(model.parameters()) if array.dtype == dtype}
    assert stored == {name for name, array in weights.items() if array.ndim == 2}


@pytest.mark.parametrize("dtype", HALVES)
def test_a_real_model_says_the_same_from_16_bits(tmp_path, dtype):
    checkpoint = read_checkpoint(smollm2_gguf(), quantized="dequantize")
    weights = halved(checkpoint.weights, dtype)
    wide = build_model(checkpoint.config, halved(weights, mx.float32))
    prompt = [504, 3575, 282, 4649, 314, 260, 1014, 28, 355, 253, 2285, 1131]

    model, _ = load(write(tmp_path, checkpoint.config, weights))

    assert model.model.embed_tokens.weight.dtype == dtype
    assert model.model.embed_tokens(mx.array([[1]])).dtype == mx.float32
    found, _ = greedy(model, prompt, 48)
    assert_same(found, *greedy(wide, prompt, 48))


def test_without_kernels_the_weights_are_widened_once(tmp_path):
    config, weights = tiny("qwen3", True)

    with cpu_kernels(False):
        model, _ = load(write(tmp_path, config, halved(weights, mx.bfloat16)))

        dtypes = {array.dtype for _, array in tree_flatten(model.parameters())}
        assert dtypes == {mx.float32}
        assert model(mx.array([PROMPT])).dtype == mx.float32
