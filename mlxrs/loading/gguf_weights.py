"""The weights of a GGUF file as MLX arrays under Hugging Face names."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from mlxc.gguf import GgufFile, GgufTensor, to_affine

from ..errors import FormatError, UnsupportedError
from .gguf_architectures import GgufArchitecture, architecture_of
from .gguf_quants import GROUP_SIZE, QUANTIZED, to_float32

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    import mlxc as mx

    Bytes = NDArray[np.uint8]

_PLAIN = ("F32", "F16", "BF16")


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
    _check_whole(file)
    architecture = architecture_of(file)
    config = architecture.config(file)
    names = {name: architecture.rename(file.name, name) for name in file.tensors}
    _check_types(file)
    weights: dict[str, mx.array] = {}
    bits: dict[str, int] = {}
    for name, tensor in file.tensors.items():
        rows = _rows(file, tensor, architecture, config)
        target = names[name]
        if tensor.type.name in _PLAIN:
            weights[target] = _plain(tensor, rows)
        elif keep_quantized and target.endswith(".weight"):
            module = target.removesuffix(".weight")
            triple = to_affine(tensor.type.name, rows)
            weights[f"{module}.weight"] = _to_mlx(triple.weight)
            weights[f"{module}.scales"] = _to_mlx(triple.scales)
            weights[f"{module}.biases"] = _to_mlx(triple.biases)
            bits[module] = triple.bits
        else:
            weights[target] = _to_mlx(to_float32(tensor.type.name, rows).reshape(tensor.shape))
    if bits:
        config["quantization"] = _quantization(bits)
    return config, weights


def _check_whole(file: GgufFile) -> None:
    parts = file.metadata.get("split.count", 1)
    if parts not in (0, 1):
        raise UnsupportedError(
            f"{file.name}: split models are not read, and this is one of {parts} parts; "
            "join them with 'llama-gguf-split --merge'"
        )


def _check_types(file: GgufFile) -> None:
    readable = (*_PLAIN, *QUANTIZED)
    for tensor in file.tensors.values():
        if tensor.type.name not in readable:
            raise UnsupportedError(
                f"{file.name}: tensor {tensor.name} is stored as {tensor.type.name}; readable are "
                f"{', '.join(readable)}: requantize the model to Q4_0, Q4_1 or Q8_0"
            )


def _rows(
    file: GgufFile,
    tensor: GgufTensor,
    architecture: GgufArchitecture,
    config: dict[str, object],
) -> Bytes:
    """Returns the raw rows (R, bytes of a row) uint8, in Hugging Face's order."""
    import numpy as np

    count = tensor.shape[0] if tensor.shape else 1
    rows = np.frombuffer(file.data(tensor.name), np.uint8).reshape(count, -1)
    heads = architecture.rope_heads(tensor.name, config)
    if not heads:
        return rows
    if count % (2 * heads):
        raise FormatError(
            f"{file.name}: the rows of tensor {tensor.name} must be pairs in {heads} heads, "
            f"got {count} rows; the metadata do not belong to these weights"
        )
    pairs = rows.reshape(heads, count // heads // 2, 2, -1)
    return pairs.swapaxes(1, 2).reshape(count, -1)


def _plain(tensor: GgufTensor, rows: Bytes) -> mx.array:
    import mlxc as mx

    flat = rows.reshape(-1)
    if tensor.type.name == "BF16":
        return _to_mlx(flat.view("<u2").reshape(tensor.shape)).view(mx.bfloat16)
    kind = "<f4" if tensor.type.name == "F32" else "<f2"
    return _to_mlx(flat.view(kind).reshape(tensor.shape))


def _to_mlx(values: NDArray[Any]) -> mx.array:
    import mlxc as mx

    return mx.array(values)


def _quantization(bits: dict[str, int]) -> dict[str, object]:
    """Writes the commonest width once and the others module by module, as mlx-lm does."""
    [(default, _)] = Counter(bits.values()).most_common(1)
    quantization: dict[str, object] = {"group_size": GROUP_SIZE, "bits": default}
    for module, width in bits.items():
        if width != default:
            quantization[module] = {"group_size": GROUP_SIZE, "bits": width}
    return quantization
