"""One view of a model on disk: configuration and weights, from a GGUF file or a directory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..errors import ModelNotFoundError
from .cpu_policy import keeps_stored
from .directory import read_directory
from .gguf import Metadata, open_gguf
from .gguf_weights import read_gguf

if TYPE_CHECKING:
    import mlxc as mx

Quantized = Literal["auto", "keep", "dequantize"]


@dataclass(frozen=True)
class Checkpoint:
    """A model as it was read.

    Attributes:
        config: the keys of a Hugging Face config.json. Where triples `X.weight`, `X.scales`,
            `X.biases` are among the weights, `config["quantization"]` tells group size and bits,
            with an entry of its own for each module that differs.
        weights: arrays by Hugging Face name.
        path: the file or directory.
        metadata: the metadata of a GGUF file, decoded as it is asked for; empty for a directory.
    """

    config: dict[str, object]
    weights: dict[str, mx.array]
    path: Path
    metadata: Mapping[str, object] = field(default_factory=dict)


def read_checkpoint(path: str | Path, *, quantized: Quantized = "auto") -> Checkpoint:
    """Reads a model from a GGUF file or from a Hugging Face directory.

    Args:
        path: a `.gguf` file, or a directory with config.json, tokenizer.json and `*.safetensors`.
        quantized: what to do with quantized weights. `"keep"` leaves them as MLX triples,
            `"dequantize"` makes them float32, and `"auto"` takes what is faster on the default
            device. Weights that are not quantized are never changed.

    Raises:
        ModelNotFoundError: nothing is there, or a part of the directory is missing.
        FormatError: a file breaks its format.
        UnsupportedError: well-formed, but an architecture or a type that is not known.
        ValueError: `quantized` is none of the three words.

    Example:
        >>> checkpoint = read_checkpoint("SmolLM2-135M-Instruct.Q4_1.gguf", quantized="keep")
        >>> checkpoint.config["quantization"]["bits"]
        4
    """
    keep_quantized = _keeps_quantized(quantized)
    path = Path(path)
    if path.is_dir():
        config, weights = read_directory(path, keep_quantized=keep_quantized)
        return Checkpoint(config, weights, path)
    if not path.exists():
        raise ModelNotFoundError(
            f"{path}: no such file or directory; give a .gguf file or a model directory"
        )
    file = open_gguf(path)
    config, weights = read_gguf(file, keep_quantized=keep_quantized)
    return Checkpoint(config, weights, path, Metadata(file))


def _keeps_quantized(quantized: Quantized) -> bool:
    import mlxc as mx

    if quantized == "auto":
        return mx.default_device() != mx.cpu or keeps_stored()
    if quantized not in ("keep", "dequantize"):
        raise ValueError(
            f"quantized must be 'auto', 'keep' or 'dequantize', got {quantized!r}; use 'auto'"
        )
    return quantized == "keep"
