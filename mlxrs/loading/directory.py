"""A Hugging Face model directory: config.json and safetensors shards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .._json import read_json_object
from ..errors import FormatError, ModelNotFoundError, UnsupportedError
from .safetensors import read_safetensors

if TYPE_CHECKING:
    import mlxc as mx

_SUFFIX = ".safetensors"
_INDEX = "model.safetensors.index.json"


def read_directory(
    path: Path, *, keep_quantized: bool
) -> tuple[dict[str, object], dict[str, mx.array]]:
    """Reads configuration and weights of a model directory.

    Args:
        path: the directory.
        keep_quantized: False to turn MLX's quantized triples into float32.

    Raises:
        ModelNotFoundError: config.json, tokenizer.json or the weights are missing.
        FormatError: a file breaks its format, or two shards hold the same tensor.
        UnsupportedError: the weights are a pickle, or quantized by another library.
    """
    config = read_json_object(_require(path, "config.json"))
    _require(path, "tokenizer.json")
    _check_quantization(path, config)
    weights: dict[str, mx.array] = {}
    for shard in _shards(path):
        arrays = read_safetensors(shard)
        if doubles := weights.keys() & arrays.keys():
            raise FormatError(
                f"{shard}: tensor {min(doubles)} must be in one shard only; remove the shard that "
                "does not belong to this model"
            )
        weights |= arrays
    if not keep_quantized:
        weights = _dequantize(path, config, weights)
    return config, weights


def _require(path: Path, name: str) -> Path:
    file = path / name
    if not file.exists():
        raise ModelNotFoundError(
            f"{path}: {name} is missing; download the whole model directory, or give a .gguf file"
        )
    return file


def _shards(path: Path) -> list[Path]:
    if (path / _INDEX).exists():
        return _indexed_shards(path)
    if shards := sorted(path.glob("model*.safetensors")) or sorted(path.glob("*.safetensors")):
        return shards
    if pickles := sorted([*path.glob("*.bin"), *path.glob("*.pt"), *path.glob("*.pth")]):
        raise UnsupportedError(
            f"{pickles[0]}: a pickle can run code when it is opened, so it is never read; "
            "convert the model to safetensors"
        )
    raise ModelNotFoundError(
        f"{path}: no *.safetensors file is there; download the whole model directory"
    )


def _indexed_shards(path: Path) -> list[Path]:
    weight_map = read_json_object(path / _INDEX).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise FormatError(f"{path / _INDEX}: weight_map must be an object of file names")
    names: set[str] = set()
    for name in weight_map.values():
        # A name from outside must not lead out of the directory.
        if not isinstance(name, str) or Path(name).name != name or not name.endswith(_SUFFIX):
            raise FormatError(
                f"{path / _INDEX}: a shard must be a plain *{_SUFFIX} file name, got {name!r}"
            )
        names.add(name)
    return [_require(path, name) for name in sorted(names)]


def _check_quantization(path: Path, config: dict[str, object]) -> None:
    foreign = config.get("quantization_config")
    if isinstance(foreign, dict) and "quant_method" in foreign and "quantization" not in config:
        raise UnsupportedError(
            f"{path}: weights quantized with {str(foreign['quant_method'])[:40]!r} are not read; "
            "use the original model or an MLX-quantized one"
        )


def _dequantize(
    path: Path, config: dict[str, object], weights: dict[str, mx.array]
) -> dict[str, mx.array]:
    """Replaces every triple by a lazy float32 matrix, and takes the note out of the config."""
    import mlxc as mx

    quantization = config.pop("quantization", None)
    if quantization is None:
        return weights
    config.pop("quantization_config", None)
    plain = dict(weights)
    for module in [name.removesuffix(".scales") for name in weights if name.endswith(".scales")]:
        group_size, bits = _layout(path, quantization, module)
        names = [f"{module}.{part}" for part in ("weight", "scales", "biases")]
        if missing := [name for name in names if name not in weights]:
            raise FormatError(f"{path}: {missing[0]} is missing beside {module}.scales")
        weight, scales, biases = (plain.pop(name) for name in names)
        plain[f"{module}.weight"] = mx.dequantize(
            weight,
            scales.astype(mx.float32),
            biases.astype(mx.float32),
            group_size=group_size,
            bits=bits,
        )
    return plain


def _layout(path: Path, quantization: object, module: str) -> tuple[int, int]:
    """Returns group size and bits of one module: its own entry, else the common one."""
    if isinstance(quantization, dict):
        entry = quantization.get(module, quantization)
        if isinstance(entry, dict) and entry.get("mode", "affine") != "affine":
            raise UnsupportedError(
                f"{path}: {module} is quantized as {entry['mode']!r}, and only affine weights can "
                "be dequantized here; load the model with quantized='keep'"
            )
        if isinstance(entry, dict):
            group_size, bits = entry.get("group_size"), entry.get("bits")
            if type(group_size) is int and type(bits) is int:
                return group_size, bits
    raise FormatError(f"{path}: config.json must give group_size and bits of {module}")
