"""A Hugging Face directory is read whole, or refused with the reason."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import mlxc as mx
from mlxrs.errors import FormatError, ModelNotFoundError, UnsupportedError
from mlxrs.loading.checkpoint import read_checkpoint
from mlxrs.loading.safetensors import read_safetensors

CONFIG = {"model_type": "llama", "hidden_size": 4}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "tokenizer.json").write_text("{}")
    mx.save_safetensors(str(tmp_path / "model.safetensors"), {"a": mx.arange(4)})
    return tmp_path


def test_reads_config_and_weights(model: Path) -> None:
    checkpoint = read_checkpoint(model)

    assert checkpoint.config == CONFIG
    assert checkpoint.metadata == {}
    assert checkpoint.weights["a"].tolist() == [0, 1, 2, 3]


def test_merges_shards_of_the_index_and_nothing_else(model: Path) -> None:
    (model / "model.safetensors").unlink()
    for name in ("one", "two", "stray"):
        mx.save_safetensors(str(model / f"{name}.safetensors"), {name: mx.zeros(2)})
    weight_map = {"one": "one.safetensors", "two": "two.safetensors"}
    (model / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))

    assert set(read_checkpoint(model).weights) == {"one", "two"}


def test_reads_a_directory_of_links(model: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    snapshot = tmp_path_factory.mktemp("snapshot")
    for file in model.iterdir():
        (snapshot / file.name).symlink_to(file)

    assert set(read_checkpoint(snapshot).weights) == {"a"}


def test_tensor_in_two_shards_is_refused(model: Path) -> None:
    mx.save_safetensors(str(model / "model-2.safetensors"), {"a": mx.zeros(2)})

    with pytest.raises(FormatError, match="tensor a must be in one shard only"):
        read_checkpoint(model)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_missing_file_is_named(model: Path, name: str) -> None:
    (model / name).unlink()

    with pytest.raises(ModelNotFoundError, match=f"{name} is missing"):
        read_checkpoint(model)


def test_missing_weights_are_named(model: Path) -> None:
    (model / "model.safetensors").unlink()

    with pytest.raises(ModelNotFoundError, match=r"no \*\.safetensors"):
        read_checkpoint(model)


def test_missing_shard_is_named(model: Path) -> None:
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors"}}
    (model / "model.safetensors.index.json").write_text(json.dumps(index))

    with pytest.raises(ModelNotFoundError, match="model-00001-of-00002"):
        read_checkpoint(model)


@pytest.mark.parametrize("shard", ["../model.safetensors", "/etc/passwd", "..", "", 3, ["a"]])
def test_shard_outside_the_directory_is_refused(model: Path, shard: object) -> None:
    index = {"weight_map": {"a": shard}}
    (model / "model.safetensors.index.json").write_text(json.dumps(index))

    with pytest.raises(FormatError, match="plain .* file name"):
        read_checkpoint(model)


def test_pickle_is_refused_and_not_opened(model: Path) -> None:
    (model / "model.safetensors").rename(model / "pytorch_model.bin")

    with pytest.raises(UnsupportedError, match="convert the model to safetensors"):
        read_checkpoint(model)


@pytest.mark.parametrize("text", ["[1]", "{", "[" * 100_000, '{"a": NaNN}', "\udcff"])
def test_config_that_is_no_object_is_refused(model: Path, text: str) -> None:
    (model / "config.json").write_bytes(text.encode(errors="surrogateescape"))

    with pytest.raises(FormatError, match=r"config\.json"):
        read_checkpoint(model)


def test_foreign_quantization_is_refused(model: Path) -> None:
    config = CONFIG | {"quantization_config": {"quant_method": "gptq"}}
    (model / "config.json").write_text(json.dumps(config))

    with pytest.raises(UnsupportedError, match="gptq"):
        read_checkpoint(model)


def quantized_model(folder: Path, weight: mx.array) -> None:
    parts = dict(zip(("weight", "scales", "biases"), mx.quantize(weight, 32, 8), strict=True))
    arrays = {f"m.{part}": value for part, value in parts.items()}
    mx.save_safetensors(str(folder / "model.safetensors"), arrays)
    quantization = {"group_size": 64, "bits": 4, "m": {"group_size": 32, "bits": 8}}
    (folder / "config.json").write_text(json.dumps(CONFIG | {"quantization": quantization}))


def test_triples_are_kept_on_request(model: Path) -> None:
    quantized_model(model, mx.random.normal((4, 64)))

    checkpoint = read_checkpoint(model, quantized="keep")

    assert set(checkpoint.weights) == {"m.weight", "m.scales", "m.biases"}
    assert "quantization" in checkpoint.config


def test_triples_are_dequantized_with_the_layout_of_their_module(model: Path) -> None:
    weight = mx.random.normal((4, 64))
    quantized_model(model, weight)

    checkpoint = read_checkpoint(model, quantized="dequantize")

    expected = mx.dequantize(*mx.quantize(weight, 32, 8), group_size=32, bits=8)
    assert set(checkpoint.weights) == {"m.weight"}
    assert "quantization" not in checkpoint.config
    np.testing.assert_allclose(
        np.array(checkpoint.weights["m.weight"]), np.array(expected), rtol=1e-6
    )


def test_triple_without_its_biases_is_refused(model: Path) -> None:
    quantized_model(model, mx.random.normal((4, 64)))
    arrays = read_safetensors(model / "model.safetensors")
    kept = {name: mx.array(np.array(arrays[name])) for name in ("m.weight", "m.scales")}
    mx.save_safetensors(str(model / "model.safetensors"), kept)

    with pytest.raises(FormatError, match=r"m\.biases is missing"):
        read_checkpoint(model, quantized="dequantize")
