"""Rows of token ids made equally long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class PaddedBatch(NamedTuple):
    """Rows of one length, for a model to read at once.

    Attributes:
        input_ids: (B, L) int32, the ids with padding.
        attention_mask: (B, L) int32, 1 for a token and 0 for padding.
    """

    input_ids: NDArray[np.int32]
    attention_mask: NDArray[np.int32]


def pad_rows(
    rows: Sequence[Sequence[int]],
    pad_token_id: int,
    *,
    side: Literal["left", "right"] = "left",
    multiple_of: int = 1,
) -> PaddedBatch:
    """Pads rows to the length of the longest, rounded up to a multiple; see `Tokenizer.pad`."""
    import numpy as np

    if side not in ("left", "right"):
        raise ValueError(f"side must be 'left' or 'right', got {side!r}")
    if multiple_of < 1:
        raise ValueError(f"multiple_of must be at least 1, got {multiple_of}")
    longest = max((len(row) for row in rows), default=0)
    length = -(-longest // multiple_of) * multiple_of
    ids = np.full((len(rows), length), pad_token_id, np.int32)
    mask = np.zeros((len(rows), length), np.int32)
    for index, row in enumerate(rows):
        place = slice(len(row)) if side == "right" else slice(length - len(row), length)
        ids[index, place] = row
        mask[index, place] = 1
    return PaddedBatch(ids, mask)
