"""Block-quantized GGUF rows as float32.

A block is 32 elements of a row: one float16 scale (and offset), then the codes.

    Q4_0   scale * (code - 8)
    Q4_1   scale * code + offset
    Q8_0   scale * signed code

Source: the block structures of ggml-common.h in https://github.com/ggml-org/ggml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlxc.gguf import TYPES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]

GROUP_SIZE = 32
QUANTIZED = ("Q4_0", "Q4_1", "Q8_0")
_BLOCK_BYTES = {stored.name: stored.size for stored in TYPES.values()}


def to_float32(kind: str, rows: Bytes) -> NDArray[np.float32]:
    """Dequantizes rows as ggml does: the float16 scale widened, then float32 arithmetic.

    Args:
        kind: `"Q4_0"`, `"Q4_1"` or `"Q8_0"`.
        rows: (R, bytes of a row) uint8, the rows as the file has them.

    Returns:
        (R, D) float32.
    """
    import numpy as np

    blocks = rows.reshape(rows.shape[0], -1, _BLOCK_BYTES[kind])
    scales = _half(blocks, 0).astype(np.float32)[:, :, None]
    values = np.empty((*blocks.shape[:2], GROUP_SIZE), np.float32)
    if kind == "Q8_0":
        np.multiply(blocks[:, :, 2:].view(np.int8), scales, out=values)
    else:
        codes = blocks[:, :, -16:]
        # The first 16 elements sit in the low nibbles, the last 16 in the high ones.
        np.multiply(codes & 15, scales, out=values[:, :, :16])
        np.multiply(codes >> 4, scales, out=values[:, :, 16:])
        values += _half(blocks, 2).astype(np.float32)[:, :, None] if kind == "Q4_1" else -8 * scales
    return values.reshape(rows.shape[0], -1)


def _half(blocks: Bytes, at: int) -> NDArray[np.float16]:
    import numpy as np

    return np.ascontiguousarray(blocks[:, :, at : at + 2]).view("<f2")[:, :, 0]
