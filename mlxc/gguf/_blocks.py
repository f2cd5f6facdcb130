"""Blocks of numbers with a scale of their own, as MLX's affine triples.

A block is 32 elements of a row: one float16 scale (and offset), then the codes. MLX keeps codes,
scales and biases apart and reads `scale * code + bias`; Q4_0, Q4_1 and Q8_0 say the same:

    Q4_0   scale * (code - 8)       bias = -8 * scale
    Q4_1   scale * code + offset    bias = offset
    Q8_0   scale * signed code      code = signed + 128, bias = -128 * scale

Source: the block structures of ggml-common.h in https://github.com/ggml-org/ggml.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._types import TYPES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]
    Floats = NDArray[np.floating[Any]]

#: The bits of a code, by the names of the types that are affine.
BITS = {"Q4_0": 4, "Q4_1": 4, "Q8_0": 8}
_BLOCK_BYTES = {stored.name: stored.size for stored in TYPES.values()}


@dataclass(frozen=True)
class AffineTriple:
    """A quantized matrix in MLX's layout, R rows of D elements in groups of 32.

    Attributes:
        weight: (R, D * bits / 32) uint32, the first code in the lowest bits.
        scales: (R, D / 32), float16, or float32 where a bias does not fit float16.
        biases: as `scales`.
        bits: 4 or 8.
    """

    weight: NDArray[np.uint32]
    scales: Floats
    biases: Floats
    bits: int


def to_affine(kind: str, rows: Bytes) -> AffineTriple:
    """Repack quantized rows for `mlxc.dequantize` and `mlxc.quantized_matmul`, group size 32.

    No value changes.

    Args:
        kind: `"Q4_0"`, `"Q4_1"` or `"Q8_0"`.
        rows: (R, bytes of a row) uint8, the rows as the file has them.

    Raises:
        ValueError: blocks of that kind are not affine, or a row is not made of whole blocks.

    Example:
        >>> import mlxc as mx
        >>> import numpy as np
        >>> from mlxc.gguf import to_affine
        >>> scale = np.array([0.5], np.float16).view(np.uint8)
        >>> row = np.concatenate([scale, np.arange(32, dtype=np.uint8)])
        >>> triple = to_affine("Q8_0", row[None])
        >>> parts = [mx.array(part) for part in (triple.weight, triple.scales, triple.biases)]
        >>> mx.dequantize(*parts, group_size=32, bits=triple.bits)[0, :4]
        array([0, 0.5, 1, 1.5], dtype=float16)
    """
    if kind not in BITS:
        raise ValueError(f"kind must be one of {', '.join(BITS)}, got {kind!r}")
    count = rows.shape[0]
    blocks = rows.reshape(count, rows.shape[1] // _BLOCK_BYTES[kind], _BLOCK_BYTES[kind])
    scales, biases = _scales_and_biases(kind, blocks)
    codes = blocks[:, :, 2:] ^ 0x80 if kind == "Q8_0" else _interleave(blocks[:, :, -16:])
    weight = codes.reshape(count, blocks.shape[1] * codes.shape[2]).view("<u4")
    return AffineTriple(weight, scales, biases, BITS[kind])


def _scales_and_biases(kind: str, blocks: Bytes) -> tuple[Floats, Floats]:
    import numpy as np

    scales = _half(blocks, 0)
    if kind == "Q4_1":
        return scales, _half(blocks, 2)
    zero = np.float32(8 if kind == "Q4_0" else 128)
    biases = scales.astype(np.float32) * -zero
    # A power of two times a float16 is exact unless it overflows.
    if np.abs(biases).max(initial=0) > np.finfo(np.float16).max:
        return scales.astype(np.float32), biases
    return scales, biases.astype(np.float16)


def _half(blocks: Bytes, at: int) -> NDArray[np.float16]:
    import numpy as np

    return np.ascontiguousarray(blocks[:, :, at : at + 2]).view("<f2")[:, :, 0]


def _interleave(codes: Bytes) -> Bytes:
    """Reorders (R, G, 16) bytes of low and high nibbles so that neighbours share a byte."""
    import numpy as np

    low, high = codes & 15, codes >> 4
    packed = np.empty_like(codes)  # (R, G, 16)
    packed[:, :, :8] = low[:, :, 0::2] | low[:, :, 1::2] << 4
    packed[:, :, 8:] = high[:, :, 0::2] | high[:, :, 1::2] << 4
    return packed
