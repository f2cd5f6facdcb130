"""Llama, and what is built on it, against the same forward pass written plainly in numpy."""

import numpy as np
import pytest
from support.assert_close import as_numpy, assert_close
from support.naive_llama import naive_forward
from support.tiny_configs import LLAMA

import mlxc as mx
from mlxc.tree import tree_flatten
from mlxrs import nn
from mlxrs.errors import FormatError
from mlxrs.lm.cache import (
    ChunkedKVCache,
    KVCache,
    RotatingKVCache,
    load_prompt_cache,
    save_prompt_cache,
)
from mlxrs.lm.models import get_model_class
from mlxrs.lm.models.llama import Model, ModelArgs
from mlxrs.lm.params import GenConfig
from mlxrs.lm.steps import generate_step

LLAMA3_SCALING = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
CONFIGS = {
    "plain": LLAMA,
    "untied": LLAMA | {"tie_word_embeddings": False},
    "biases": LLAMA | {"attention_bias": True, "mlp_bias": True},
    "one kv head": LLAMA | {"num_key_value_heads": 1},
    "no grouping": LLAMA | {"num_key_value_heads": None},
    "head_dim": LLAMA | {"head_dim": 12},
    "linear rope": LLAMA | {"rope_scaling": {"type": "linear", "factor": 2.0}},
    "llama3 rope": LLAMA | {"rope_scaling": LLAMA3_SCALING},
    "rope_parameters": LLAMA | {"rope_parameters": LLAMA3_SCALING | {"rope_theta": 1000.0}},
    "window": LLAMA | {"model_type": "mistral", "sliding_window": 4},
    "qwen3": LLAMA | {"model_type": "qwen3", "head_dim": 16},
}
TOKENS = np.array([[7, 3, 49, 0, 12, 3, 3, 21, 5], [1, 2, 3, 4, 5, 6, 7, 8, 9]])


def build(config: dict) -> Model:
    model_class, args_class = get_model_class(config["model_type"])
    model = model_class(args_class.from_dict(config))
    mx.random.seed(11)
    weights = {
        name: mx.random.normal(array.shape) * 0.3 + ("norm" in name)
        for name, array in tree_flatten(model.parameters())
    }
    model.load_weights(weights)
    mx.eval(model.parameters())
    return model


def expected_logits(model: Model, config: dict) -> np.ndarray:
    weights = {n: as_numpy(a).astype(np.float64) for n, a in tree_flatten(model.parameters())}
    return np.stack([naive_forward(weights, config, row) for row in TOKENS])


@pytest.fixture(params=CONFIGS.values(), ids=CONFIGS.keys())
def config(request):
    return request.param


def test_logits_are_those_of_the_naive_forward(config):
    model = build(config)

    logits = model(mx.array(TOKENS))

    assert_close(logits, expected_logits(model, config))


@pytest.mark.parametrize("split", [[9], [4, 5], [1] * 9, [6, 1, 1, 1], [2, 6, 1]])
def test_reading_piece_by_piece_equals_reading_at_once(config, split):
    model = build(config)
    cache, whole = model.make_cache(), model(mx.array(TOKENS))

    start, parts = 0, []
    for length in split:
        parts.append(model(mx.array(TOKENS[:, start : start + length]), cache))
        start += length

    assert_close(mx.concatenate(parts, axis=1), whole)
    assert {layer.offset for layer in cache} == {9}


@pytest.mark.parametrize("step", [1, 2, 5, 64])
def test_generation_does_not_depend_on_the_chunks_of_the_prompt(step):
    model, prompt = build(LLAMA), TOKENS[0].tolist()
    ids = list(prompt)
    for _ in range(6):
        ids.append(int(mx.argmax(model(mx.array([ids]))[0, -1]).item()))

    params = GenConfig(max_tokens=6, prefill_step_size=step)
    steps = generate_step(model, prompt, params=params)

    assert [step.token for step in steps] == ids[len(prompt) :]


@pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16])
def test_half_precision_is_kept_throughout(dtype):
    model = build(LLAMA)
    model.load_weights([(n, a.astype(dtype)) for n, a in tree_flatten(model.parameters())])
    cache = model.make_cache()

    logits = model(mx.array(TOKENS), cache)

    assert logits.dtype == dtype
    assert {array.dtype for layer in cache for array in layer.state} == {dtype}


def packed() -> Model:
    """A model whose steps are one operation for each half of a block."""
    model = build(LLAMA | {"hidden_size": 64, "intermediate_size": 96, "head_dim": 32})
    nn.quantize(model, 32, 8)
    return model


def test_keys_and_values_are_rounded_to_what_the_model_is_told():
    model = packed()
    exact, rounded = model.make_cache(), model.make_cache()
    whole = model(mx.array(TOKENS), exact)

    model.round_cache(mx.float16)
    logits = model(mx.array(TOKENS), rounded)

    for wide, half in zip(exact[0].state, rounded[0].state, strict=True):
        assert half.dtype == mx.float16
        assert mx.array_equal(half, wide.astype(mx.float16))
    assert logits.dtype == mx.float32
    assert not mx.array_equal(logits, whole)
    np.testing.assert_allclose(np.array(logits), np.array(whole), atol=0.02)


KINDS = {
    "plain": lambda cache: cache,
    "rotating": lambda cache: RotatingKVCache(32),
    "chunked": lambda cache: ChunkedKVCache(32),
    "a batch of one": lambda cache: KVCache.merge([cache]),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("split", [[9], [4, 5], [1] * 9])
def test_rounded_keys_and_values_say_the_same_in_every_kind_of_cache(kind, split):
    model = packed()
    model.round_cache(mx.float16)
    tokens = mx.array(TOKENS[:1])
    caches, whole = [kind(cache) for cache in model.make_cache()], model(tokens)

    starts = np.cumsum([0, *split])
    parts = [model(tokens[:, a:b], caches) for a, b in zip(starts[:-1], starts[1:], strict=True)]

    assert mx.array_equal(mx.concatenate(parts, axis=1), whole)


@pytest.mark.parametrize(("before", "after"), [("float32", "float16"), ("float16", "float32")])
def test_a_cache_of_another_type_is_gone_on_with(before, after, tmp_path):
    model, tokens = packed(), mx.array(TOKENS)
    caches = model.make_cache()
    model.round_cache(getattr(mx, before))
    model(tokens[:, :5], caches)
    snapshots = [cache.snapshot() for cache in caches]
    save_prompt_cache(tmp_path / "five.safetensors", caches)
    read, _ = load_prompt_cache(tmp_path / "five.safetensors")
    assert {array.dtype for cache in read for array in cache.state} == {getattr(mx, before)}

    model.round_cache(getattr(mx, after))
    first = model(tokens[:, 5:], caches)
    held = [cache.state for cache in caches]
    for cache, snapshot in zip(caches, snapshots, strict=True):
        cache.restore(snapshot)
    again = model(tokens[:, 5:], caches)

    assert {array.dtype for state in held for array in state} == {getattr(mx, after)}
    assert mx.array_equal(first, again)
    assert mx.array_equal(first, model(tokens[:, 5:], read))
    np.testing.assert_allclose(np.array(first), np.array(model(tokens)[:, 5:]), atol=0.02)


def test_sanitize_drops_what_the_model_computes_or_shares():
    kept = {"model.norm.weight": mx.zeros((1,))}
    extra = {
        "model.layers.0.self_attn.rotary_emb.inv_freq": mx.zeros((1,)),
        "lm_head.weight": mx.zeros((1,)),
    }

    assert build(LLAMA).sanitize(kept | extra).keys() == kept.keys()
    untied = build(LLAMA | {"tie_word_embeddings": False}).sanitize(kept | extra)
    assert set(untied) == {"model.norm.weight", "lm_head.weight"}


def test_an_unknown_key_of_the_configuration_is_passed_over():
    assert ModelArgs.from_dict(LLAMA | {"pretraining_tp": 1, "torch_dtype": "float16"})


def test_a_missing_key_of_the_configuration_is_named():
    config = {key: value for key, value in LLAMA.items() if key != "hidden_size"}

    with pytest.raises(FormatError, match="config.json lacks hidden_size, which every llama"):
        ModelArgs.from_dict(config)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"hidden_size": "32"}, "hidden_size must be int, got '32'"),
        ({"hidden_size": True}, "hidden_size must be int, got True"),
        ({"rope_scaling": [1]}, "rope_scaling must be dict"),
        ({"tie_word_embeddings": 1}, "tie_word_embeddings must be bool, got 1"),
        ({"num_attention_heads": 0}, "num_attention_heads must be > 0, got 0"),
        ({"num_key_value_heads": 3}, "must be a multiple of num_key_value_heads, got 4 and 3"),
    ],
)
def test_a_malformed_configuration_is_refused(change, message):
    with pytest.raises(FormatError, match=message):
        ModelArgs.from_dict(LLAMA | change)


def test_an_integer_is_read_where_a_number_is_meant():
    assert ModelArgs.from_dict(LLAMA | {"rope_theta": 10000}).rope_theta == 10000
