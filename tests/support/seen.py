"""What attention sees in a cache, told by tokens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import mlxc as mx
from mlxrs.lm.cache import Cache
from mlxrs.testing.token_rows import read_tokens, token_rows

Seen = list[tuple[int, int]]


def read(cache: Cache, tokens: Sequence[Sequence[int]], window: int | None = None):
    """Append a token row for each sequence of the batch; return what every query sees.

    Returns:
        For each row of the batch, for each query, the sorted (position, id) it sees.
    """
    tokens = mx.array(tokens, dtype=mx.uint32)
    B, L = tokens.shape
    mask = cache.make_mask(L, window)
    rows = token_rows(tokens, cache.offset)
    keys, values = cache.update_and_fetch(rows, rows)
    (ids, positions), (value_ids, value_positions) = read_tokens(keys), read_tokens(values)
    assert ids.tolist() == value_ids.tolist() and positions.tolist() == value_positions.tolist()
    S = ids.shape[1]
    if mask is None or isinstance(mask, str):
        assert mask is not None or L == 1
        visible = np.tril(np.ones((L, S), dtype=bool), S - L)
    else:
        assert mask.shape[-1] == S, "the mask and the keys must be of one length"
        visible = np.array(mask)
    visible = np.broadcast_to(visible.reshape(-1, *visible.shape[-2:]), (B, L, S))
    held = [
        list(zip(*row, strict=True)) for row in zip(positions.tolist(), ids.tolist(), strict=True)
    ]
    return [
        [
            sorted(pair for pair, shown in zip(held[b], visible[b, i], strict=True) if shown)
            for i in range(L)
        ]
        for b in range(B)
    ]


def shown(cache: Cache) -> list[int]:
    """The ids of the first row of a cache, in the order of its state."""
    return read_tokens(cache.state[0])[0][0].tolist()
