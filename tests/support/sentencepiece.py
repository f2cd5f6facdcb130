"""Writing small SentencePiece models for tests."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping

BPE = 2


def model_bytes(
    pieces: Iterable[tuple[str, float, int]],
    *,
    model_type: int = BPE,
    ids: Mapping[int, int] | None = None,
    prefix_space: bool = True,
    collapse_spaces: bool = False,
) -> bytes:
    """Returns a model file.

    Args:
        pieces: text, score and kind of each piece.
        model_type: 1 unigram, 2 BPE.
        ids: field number in the trainer's part (41 is the beginning, 42 the end) to token id.
        prefix_space: whether a space is put in front.
        collapse_spaces: whether runs of spaces become one.
    """
    trainer = number(3, model_type)
    trainer += b"".join(number(field, index) for field, index in (ids or {}).items())
    normalizer = number(3, prefix_space) + number(4, collapse_spaces)
    whole = b"".join(
        data(1, data(1, text.encode()) + b"\x15" + struct.pack("<f", score) + number(3, kind))
        for text, score, kind in pieces
    )
    return whole + data(2, trainer) + data(3, normalizer)


def data(field: int, content: bytes) -> bytes:
    """Returns a field of bytes."""
    return varint(field << 3 | 2) + varint(len(content)) + content


def number(field: int, value: int) -> bytes:
    """Returns a field of an integer."""
    return varint(field << 3) + varint(value % (1 << 64))


def varint(value: int) -> bytes:
    """Returns a number in groups of seven bits, the lowest first."""
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
