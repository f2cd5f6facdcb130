"""Blocks of numbers with a scale of their own, as MLX's affine triples.

A block is 32 elements of a row: one float16 scale (and offset), then the codes. MLX keeps codes,
scales and biases apart and reads `scale * code + bias`; Q4_0, Q4_1 and Q8_0 say the same:

    Q4_0   scale * (code - 8)       bias = -8 * scale
    Q4_1   scale * code + offset    bias = offset
    Q8_0   scale * signed code      code = signed + 128, bias = -128 * scale

Source: the block structures of ggml-common.h in https://github.com/ggml-org/ggml.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from .._errors import check
from .._ffi import ffi, lib
from .._handle import wrap
from ._types import TYPES

if TYPE_CHECKING:
    from .._array import array

#: The bits of a code, by the names of the types that are affine, in the order C counts them.
BITS = {"Q4_0": 4, "Q4_1": 4, "Q8_0": 8}
GROUP_SIZE = 32
_BLOCK_BYTES = {stored.name: stored.size for stored in TYPES.values()}


@dataclass(frozen=True)
class AffineTriple:
    """A quantized array in MLX's layout, rows of D elements in groups of 32.

    Attributes:
        weight: (..., D * bits / 32) uint32, the first code in the lowest bits.
        scales: (..., D / 32), float16, or float32 where a bias does not fit float16.
        biases: as `scales`.
        bits: 4 or 8.
    """

    weight: array
    scales: array
    biases: array
    bits: int


def to_affine(
    kind: str, blocks: bytes | bytearray | memoryview, shape: Sequence[int]
) -> AffineTriple:
    """Repack quantized blocks for `mlxc.dequantize` and `mlxc.quantized_matmul`, group size 32.

    No value changes. The threads of `mlxc.num_threads` share the work.

    Args:
        kind: `"Q4_0"`, `"Q4_1"` or `"Q8_0"`.
        blocks: the bytes as the file has them.
        shape: of the array, (..., D).

    Raises:
        ValueError: blocks of that kind are not affine, a row is not made of whole blocks, or there
            are more or fewer blocks than the shape needs.

    Example:
        >>> import mlxc as mx
        >>> from mlxc.gguf import to_affine
        >>> half = (0x3800).to_bytes(2, "little")  # 0.5 in float16
        >>> triple = to_affine("Q8_0", half + bytes(range(32)), (1, 32))
        >>> mx.dequantize(triple.weight, triple.scales, triple.biases, group_size=32, bits=8)[0, :4]
        array([0, 0.5, 1, 1.5], dtype=float16)
    """
    code, lengths = _checked(kind, blocks, shape)
    results = ffi.new("uintptr_t[3]")
    check(lib.h_affine_blocks(results, code, ffi.from_buffer(blocks), lengths, len(lengths)))
    weight, scales, biases = map(wrap, results)
    return AffineTriple(weight, scales, biases, BITS[kind])


def to_float32(kind: str, blocks: bytes | bytearray | memoryview, shape: Sequence[int]) -> array:
    """Dequantize blocks as ggml does: the float16 scale widened, then float32 arithmetic.

    Args:
        kind: `"Q4_0"`, `"Q4_1"` or `"Q8_0"`.
        blocks: the bytes as the file has them.
        shape: of the array, (..., D).

    Raises:
        ValueError: as `to_affine`.

    Example:
        >>> from mlxc.gguf import to_float32
        >>> half = (0x3800).to_bytes(2, "little")  # 0.5 in float16
        >>> to_float32("Q8_0", half + bytes(range(32)), (32,))[:4]
        array([0, 0.5, 1, 1.5], dtype=float32)
    """
    code, lengths = _checked(kind, blocks, shape)
    return wrap(lib.h_float_blocks(code, ffi.from_buffer(blocks), lengths, len(lengths)))


def _checked(
    kind: str, blocks: bytes | bytearray | memoryview, shape: Sequence[int]
) -> tuple[int, list[int]]:
    """The number of a kind, and the lengths of a shape that its blocks fill."""
    if kind not in BITS:
        raise ValueError(f"kind must be one of {', '.join(BITS)}, got {kind!r}")
    lengths = list(shape)
    if not lengths or lengths[-1] % GROUP_SIZE:
        raise ValueError(f"a row of {kind} must be a multiple of {GROUP_SIZE}, got shape {shape}")
    needed = prod(lengths) // GROUP_SIZE * _BLOCK_BYTES[kind]
    if (got := memoryview(blocks).nbytes) != needed:
        raise ValueError(f"{kind} of shape {shape} takes {needed} bytes, got {got}")
    return list(BITS).index(kind), lengths
