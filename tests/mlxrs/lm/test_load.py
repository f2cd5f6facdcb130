import json
from pathlib import Path

import pytest
from support.assert_close import assert_close
from support.kernels import choose
from support.tiny_configs import LLAMA
from support.word_tokenizers import write_word_tokenizer

import mlxc as mx
from mlxc.tree import tree_flatten
from mlxrs import nn
from mlxrs.errors import FormatError, UnsupportedError
from mlxrs.lm.load import build_model, load
from mlxrs.lm.models import get_model_class
from mlxrs.lm.params import GenConfig
from mlxrs.lm.session import ChatSession

CONFIG = LLAMA | {"hidden_size": 64, "intermediate_size": 96, "head_dim": 16}
TOKENS = mx.array([[1, 2, 3]])


def dense_weights(config: dict = CONFIG) -> dict[str, mx.array]:
    model_class, args_class = get_model_class(config["model_type"])
    mx.random.seed(5)
    return dict(tree_flatten(model_class(args_class.from_dict(config)).parameters()))


def packed(weights: dict[str, mx.array], bits: dict[str, int]) -> dict[str, mx.array]:
    """Pack the weights whose module path ends in a key of `bits`, in groups of 32."""
    out = dict(weights)
    for name, array in weights.items():
        path = name.removesuffix(".weight")
        for ending, count in bits.items():
            if path.endswith(ending):
                triple = mx.quantize(array, 32, count)
                for part, value in zip(("weight", "scales", "biases"), triple, strict=True):
                    out[f"{path}.{part}"] = value
    return out


def unpacked(weights: dict[str, mx.array], bits: dict[str, int]) -> dict[str, mx.array]:
    """The dense weights that `packed` stands for."""
    out = dict(weights)
    for name, array in weights.items():
        for ending, count in bits.items():
            if name.endswith(f"{ending}.weight"):
                out[name] = mx.dequantize(*mx.quantize(array, 32, count), 32, count)
    return out


def write_model(directory: Path, config: dict, weights: dict[str, mx.array]) -> None:
    (directory / "config.json").write_text(json.dumps(config))
    mx.save_safetensors(str(directory / "model.safetensors"), weights)
    write_word_tokenizer(directory)


def test_a_directory_loads_as_a_model_that_can_chat(tmp_path):
    config = CONFIG | {"vocab_size": 11}
    weights = dense_weights(config)
    write_model(tmp_path, config, weights)

    model, tokenizer = load(tmp_path)

    assert_close(model(TOKENS), build_model(config, weights)(TOKENS))
    assert tokenizer.eos_token_ids == {2}
    reply = ChatSession(model, tokenizer, params=GenConfig(max_tokens=3)).respond("hello")
    assert reply.prompt_tokens == 8


cpu_only = pytest.mark.skipif(mx.default_device() != mx.cpu, reason="the policy is for CPUs")


@pytest.fixture
def cpu_settings():
    before = mx.cpu_kernels()
    yield
    choose(before)


@cpu_only
def test_a_cpu_computes_in_float32_with_the_matrices_of_a_half_precision_checkpoint(tmp_path):
    config = CONFIG | {"vocab_size": 11}
    weights = {name: array.astype(mx.bfloat16) for name, array in dense_weights(config).items()}
    write_model(tmp_path, config, weights)

    model, _ = load(tmp_path)

    wide = {name: array.astype(mx.float32) for name, array in weights.items()}
    assert model(TOKENS).dtype == mx.float32
    assert_close(model(TOKENS), build_model(config, wide)(TOKENS))
    assert model.model.embed_tokens.weight.dtype == mx.bfloat16
    assert model.layers[0].mlp.up_proj.weight.dtype == mx.bfloat16


@cpu_only
def test_the_environment_has_keys_and_values_of_any_model_rounded(tmp_path, monkeypatch):
    monkeypatch.setenv("MLXRS_CPU_CACHE", "float16")
    config = CONFIG | {"vocab_size": 11}
    write_model(tmp_path, config, dense_weights(config))

    model, _ = load(tmp_path)
    logits = model(TOKENS, cache := model.make_cache())

    assert logits.dtype == mx.float32
    assert {array.dtype for held in cache for array in held.state} == {mx.float16}


@cpu_only
@pytest.mark.parametrize("activations", ["float32", "int16", "int8"])
def test_a_cpu_keeps_packed_weights_and_matrices_and_computes_in_float32(
    tmp_path, monkeypatch, cpu_settings, activations
):
    monkeypatch.setenv("MLXRS_CPU_ACTIVATIONS", activations)
    bits = {"embed_tokens": 8, "gate_proj": 4}
    config = CONFIG | {"vocab_size": 11, "tie_word_embeddings": True}
    config["quantization"] = {"group_size": 32, "bits": 4, "model.embed_tokens": {"bits": 8}}
    dense = {n: a for n, a in dense_weights(config).items() if not n.startswith("lm_head")}
    weights = packed({n: a.astype(mx.bfloat16) for n, a in dense.items()}, bits)
    write_model(tmp_path, config, weights)

    model, _ = load(tmp_path, quantized="keep")

    layer, cache = model.layers[0], model.make_cache()
    assert mx.cpu_kernels().activations == activations
    assert model(TOKENS, cache).dtype == mx.float32
    assert {array.dtype for held in cache for array in held.state} == {
        mx.float32 if activations == "float32" else mx.float16
    }
    assert layer.mlp.gate_proj.scales.dtype == mx.bfloat16
    assert layer.mlp.up_proj.weight.dtype == mx.bfloat16
    assert layer.input_layernorm.weight.dtype == mx.float32
    assert model.model.embed_tokens(TOKENS).dtype == model(TOKENS).dtype == mx.float32


def test_a_directory_whose_files_contradict_each_other_is_refused(tmp_path):
    write_model(tmp_path, CONFIG | {"num_hidden_layers": 4}, dense_weights())

    with pytest.raises(FormatError, match="9 parameters missing from the weights"):
        load(str(tmp_path))


def test_mistral_is_built_as_a_llama():
    assert get_model_class("mistral") == get_model_class("llama")


def test_an_unknown_architecture_is_refused_with_the_known_ones():
    with pytest.raises(UnsupportedError, match="'gpt9' is not known; known are llama, mistral"):
        build_model({"model_type": "gpt9"}, {})


def test_a_packed_checkpoint_answers_as_its_unpacked_weights_do():
    bits = {"q_proj": 4, "mlp.down_proj": 4, "embed_tokens": 8}
    config = CONFIG | {
        "quantization": {
            "group_size": 32,
            "bits": 4,
            "model.embed_tokens": {"group_size": 32, "bits": 8},
        }
    }
    weights = dense_weights()

    model = build_model(config, packed(weights, bits))

    assert isinstance(model.layers[0].self_attn.q_proj, nn.QuantizedLinear)
    assert isinstance(model.layers[0].self_attn.k_proj, nn.Linear)
    assert model.model.embed_tokens.bits == 8
    assert_close(model(TOKENS), build_model(CONFIG, unpacked(weights, bits))(TOKENS))


def test_a_module_excluded_from_quantization_stays_dense():
    config = CONFIG | {
        "quantization": {"group_size": 32, "bits": 4, "model.embed_tokens": False},
    }

    model = build_model(config, packed(dense_weights(), {"q_proj": 4}))

    assert isinstance(model.model.embed_tokens, nn.Embedding)


def test_weights_of_another_shape_are_refused():
    with pytest.raises(FormatError, match="do not fit config.json: .*embed_tokens.weight must be"):
        build_model(CONFIG | {"vocab_size": 51}, dense_weights())


def test_missing_weights_are_named():
    weights = dense_weights()
    del weights["model.norm.weight"]

    with pytest.raises(FormatError, match="1 parameter missing from the weights: model.norm"):
        build_model(CONFIG, weights)


def test_a_quantization_the_shapes_do_not_allow_is_refused():
    config = CONFIG | {"quantization": {"group_size": 128, "bits": 4}}

    with pytest.raises(FormatError, match="do not fit config.json"):
        build_model(config, packed(dense_weights(), {"q_proj": 4}))
