"""Merges of a vocabulary that has only an order."""

from __future__ import annotations

from collections.abc import Iterable


def merges_of(pieces: Iterable[str]) -> list[tuple[str, str]]:
    """Returns every merge of two pieces into a third.

    SentencePiece and tiktoken store no merges: they join the neighbours whose union stands first
    in the vocabulary. Each way to make a piece of two others is a merge of its rank.

    Args:
        pieces: the vocabulary, the pieces to be made first coming first.
    """
    ranks = {piece: rank for rank, piece in enumerate(pieces)}
    merges: list[tuple[str, str]] = []
    for piece in ranks:
        pairs = [
            (left, right)
            for cut in range(1, len(piece))
            if (left := piece[:cut]) in ranks and (right := piece[cut:]) in ranks
        ]
        pairs.sort(key=lambda pair: (ranks[pair[0]], ranks[pair[1]]))
        merges += pairs
    return merges
