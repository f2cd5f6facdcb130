"""The weights of a GGUF file as MLX arrays under Hugging Face names."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from mlxc.gguf import GgufFile, GgufTensor, to_affine, to_array, to_float32

from ..errors import FormatError, UnsupportedError
from .gguf_architectures import architecture_of

if TYPE_CHECKING:
    import mlxc as mx

GROUP_SIZE = 32
_PLAIN = ("F32", "F16", "BF16")
_QUANTIZED = ("Q4_0", "Q4_1", "Q8_0")


def read_gguf(
    file: GgufFile, *, keep_quantized: bool
) -> tuple[dict[str, object], dict[str, mx.array]]:
    """Reads configuration and weights of a GGUF file.

    F32, F16 and BF16 tensors are copied as they are. Q4_0, Q4_1 and Q8_0 become MLX triples
    `X.weight`, `X.scales`, `X.biases` (groups of 32), or float32. Rows that llama.cpp orders for
    rotary pairs (2i, 2i + 1) are put back into Hugging Face's order, which rotates (i, i + D/2).

    Args:
        file: the checked file.
        keep_quantized: True for triples, False for float32.

    Returns:
        The configuration in the words of a Hugging Face config.json, and the weights by name.

    Raises:
        FormatError: metadata are missing or do not fit the tensors.
        UnsupportedError: an architecture, a tensor type or a tensor that is not known.
    """
    import mlxc as mx

    architecture = architecture_of(file)
    config, names = check_gguf(file)
    weights: dict[str, mx.array] = {}
    bits: dict[str, int] = {}
    for name, tensor in file.tensors.items():
        heads = architecture.rope_heads(name, config)
        _check_pairs(file, tensor, heads)
        target, kind, content = names[name], tensor.type.name, file.data(name)
        if heads:
            content = _halves(content, tensor.shape[0], heads)
        if kind in _PLAIN:
            weights[target] = to_array(kind, content, tensor.shape)
        elif keep_quantized and target.endswith(".weight"):
            module = target.removesuffix(".weight")
            triple = to_affine(kind, content, tensor.shape)
            weights[f"{module}.weight"] = triple.weight
            weights[f"{module}.scales"] = triple.scales
            weights[f"{module}.biases"] = triple.biases
            bits[module] = triple.bits
        else:
            weights[target] = to_float32(kind, content, tensor.shape)
        file.release(name)
    mx.eval(weights)
    if bits:
        config["quantization"] = _quantization(bits)
    return config, weights


def check_gguf(file: GgufFile) -> tuple[dict[str, object], dict[str, str]]:
    """Returns the configuration, and what tensors are called at Hugging Face, of a file to be read.

    Raises:
        FormatError: metadata are missing.
        UnsupportedError: an architecture, a tensor type or a tensor that is not known.
    """
    architecture = architecture_of(file)
    config = architecture.config(file)
    names = {name: architecture.rename(file.name, name) for name in file.tensors}
    _check_types(file)
    return config, names


def _check_types(file: GgufFile) -> None:
    readable = (*_PLAIN, *_QUANTIZED)
    for tensor in file.tensors.values():
        if tensor.type.name not in readable:
            raise UnsupportedError(
                f"{file.name}: tensor {tensor.name} is stored as {tensor.type.name}; readable are "
                f"{', '.join(readable)}: requantize the model to Q4_0, Q4_1 or Q8_0"
            )


def _check_pairs(file: GgufFile, tensor: GgufTensor, heads: int) -> None:
    rows = tensor.shape[0] if tensor.shape else 1
    if heads and rows % (2 * heads):
        raise FormatError(
            f"{file.name}: the rows of tensor {tensor.name} must be pairs in {heads} heads, "
            f"got {rows} rows; the metadata do not belong to these weights"
        )


def _halves(content: memoryview, rows: int, heads: int) -> memoryview:
    """Returns rows that lie pair by pair in each head half by half."""
    size, of_head = len(content) // rows, rows // heads
    order = (
        row
        for start in range(0, rows, of_head)
        for half in range(2)
        for row in range(start + half, start + of_head, 2)
    )
    return memoryview(b"".join([content[row * size : (row + 1) * size] for row in order]))


def _quantization(bits: dict[str, int]) -> dict[str, object]:
    """Writes the commonest width once and the others module by module, as mlx-lm does."""
    [(default, _)] = Counter(bits.values()).most_common(1)
    quantization: dict[str, object] = {"group_size": GROUP_SIZE, "bits": default}
    for module, width in bits.items():
        if width != default:
            quantization[module] = {"group_size": GROUP_SIZE, "bits": width}
    return quantization
