"""From a name or a path to a model and its tokenizer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlxc as mx

from .. import nn
from ..errors import FormatError
from ..loading.checkpoint import Checkpoint, Quantized, read_checkpoint
from ..loading.cpu_policy import cpu_policy
from ..loading.gguf import Metadata, open_gguf
from ..loading.gguf_weights import check_gguf
from ..loading.hub import resolve
from ..tokenizer import Tokenizer
from .models import BaseModel, get_model_class


def load(name_or_path: str | Path, *, quantized: Quantized = "auto") -> tuple[BaseModel, Tokenizer]:
    """Load a language model with its tokenizer.

    On a CPU the model computes as `mlxrs.loading.cpu_policy` decides: in float32, with packed
    weights and matrices of 16 bits as they are stored; do not shorten a .safetensors file whose
    model is in use. Products with packed weights round activations to 16 bits where the processor
    has dot products of bytes; where the environment says `MLXRS_CPU_ACTIVATIONS=int8`, to 8 bits,
    which is faster, and as exact as llama.cpp, which does so always; with `float32` they are
    exact. That holds for all models of the process. Keys and values are rounded to float16 where
    activations are rounded, unless the environment says `MLXRS_CPU_CACHE=float32`; `float16` there
    rounds them in any case. `mlxrs info` tells what was chosen and why.

    Args:
        name_or_path: A known name, a directory in the layout of Hugging Face, or a GGUF file.
        quantized: What to do with packed weights; see `read_checkpoint`.

    Returns:
        The model, its weights read, and the tokenizer.

    Raises:
        ModelNotFoundError: There is nothing under that name or path.
        UnsupportedError: The architecture, or how its weights are packed, is not known here.
        FormatError: A file is malformed, or weights and configuration contradict each other.
        ValueError: The environment variable MLXRS_CPU_ACTIVATIONS is none of float32, int16, int8,
            or MLXRS_CPU_CACHE none of float32, float16.

    Example:
        model, tokenizer = load("smollm2-135m-instruct")
    """
    path = resolve(name_or_path)
    # Before the weights: while a vocabulary is built, it takes several times its memory.
    tokenizer = _tokenizer_of(path)
    checkpoint = read_checkpoint(path, quantized=quantized)
    if mx.default_device() == mx.cpu:
        model = _build_for_cpu(checkpoint)
    else:
        model = build_model(checkpoint.config, checkpoint.weights)
    mx.trim_memory()  # of what reading and building took
    return model, tokenizer


def _tokenizer_of(path: Path) -> Tokenizer:
    if path.is_dir():
        return Tokenizer.from_directory(path)
    file = open_gguf(path)
    check_gguf(file)  # what cannot be read is told of before a vocabulary that is missing
    return Tokenizer.from_gguf(Metadata(file))


def _build_for_cpu(checkpoint: Checkpoint) -> BaseModel:
    policy = cpu_policy(checkpoint.weights)
    model = build_model(checkpoint.config, policy.prepare(checkpoint.weights))
    if policy.dtype == "float32":
        for module in model.modules():
            if isinstance(module, nn.Embedding | nn.QuantizedEmbedding):
                module.dtype = mx.float32
    if policy.cache == "float16":
        model.round_cache(mx.float16)
    if isinstance(checkpoint.config.get("quantization"), Mapping):
        mx.cpu_kernels(activations=policy.activations)
    return model


def build_model(config: Mapping[str, object], weights: Mapping[str, mx.array]) -> BaseModel:
    """Build the model a configuration describes and give it its weights, evaluated.

    Args:
        config: The contents of a `config.json`. Its `quantization` tells how weights are packed:
            `group_size`, `bits` and `mode` for all, and the same again by module path for those
            that differ.
        weights: Arrays by name; `sanitize` of the model has the last word on them.

    Raises:
        UnsupportedError: The `model_type` is not known.
        FormatError: The configuration lacks a key or has one of the wrong type, or the weights
            are not those of such a model.
    """
    model_class, args_class = get_model_class(str(config.get("model_type")))
    model = model_class(args_class.from_dict(config))
    weights = model.sanitize(weights)
    try:
        if isinstance(quantization := config.get("quantization"), Mapping):
            _quantize(model, quantization, weights)
        model.load_weights(weights)
    except ValueError as error:
        raise FormatError(f"the weights do not fit config.json: {error}") from error
    mx.eval(model.parameters())
    return model


def _quantize(
    model: nn.Module, quantization: Mapping[str, Any], weights: Mapping[str, mx.array]
) -> None:
    """Swap in the packed layers for which `weights` has a packed weight."""

    def choose(path: str, _: nn.Module) -> bool | Mapping[str, Any]:
        own = quantization.get(path, True)
        return own if f"{path}.scales" in weights else False

    nn.quantize(
        model,
        quantization.get("group_size", 64),
        quantization.get("bits", 4),
        mode=quantization.get("mode", "affine"),
        class_predicate=choose,
    )
