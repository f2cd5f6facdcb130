"""A model whose answer depends on every token its caches hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import mlxc as mx

from ..lm.cache import Cache, KVCache
from .fake import FakeModel, one_hot
from .token_rows import read_tokens, token_rows


class RecallModel(FakeModel):
    """Answers by the tokens and positions that its queries see in every layer.

    Each layer writes ids and positions into its keys and values, and reads back what the cache
    returns and the mask shows. A token that is lost, doubled, out of place, of another row or
    visible to the wrong query changes the next id. The order in which a cache returns its rows does
    not matter, as it does not to attention, and packing in any number of bits loses nothing.

    Args:
        vocab_size: V; the ids it is given must be below 2**24.
        caches: Makes the caches, one a layer: of any kind that holds keys and values; two
            `KVCache` where it is None.
        window_size: How many keys a query sees, itself included; None for all.
        context_length: The most tokens it may see; None for no limit.

    Example:
        model = RecallModel(1000, lambda: [RotatingKVCache(max_size=16, keep=4)])
    """

    def __init__(
        self,
        vocab_size: int,
        caches: Callable[[], Sequence[Cache]] | None = None,
        *,
        window_size: int | None = None,
        context_length: int | None = None,
    ) -> None:
        self._make = caches or (lambda: [KVCache(), KVCache()])
        super().__init__(vocab_size, len(self._make()), context_length=context_length)
        self.window_size = window_size

    def make_cache(self) -> list[Cache]:
        return list(self._make())

    def answer(self, tokens: mx.array, cache: Sequence[Cache]) -> mx.array:
        seen = mx.zeros(tokens.shape, dtype=mx.uint32)
        for number, layer in enumerate(cache, start=1):
            seen = seen * 31 + self._attend(tokens, layer) * number
        # The upper bits of the sum are the mixed ones.
        return one_hot(self.vocab_size, (seen >> 7) % self.vocab_size)

    def _attend(self, tokens: mx.array, cache: Cache) -> mx.array:
        """Return a number for what each query sees, uint32 `(B, L)`."""
        L = tokens.shape[1]
        mask = cache.make_mask(L, self.window_size)
        rows = token_rows(tokens, cache.offset)
        keys, values = cache.update_and_fetch(rows, rows)
        (key_ids, key_positions), (ids, positions) = read_tokens(keys), read_tokens(values)
        numbers = _mixed(_mixed(key_ids, key_positions), _mixed(ids, positions))  # (B, S)
        S = numbers.shape[1]
        if mask is None or isinstance(mask, str):
            mask = mx.arange(S - L, S)[:, None] >= mx.arange(S)
        visible = mask.reshape(-1, *mask.shape[-2:]) if mask.ndim > 1 else mask
        return mx.where(visible, numbers[:, None], 0).sum(axis=-1)


def _mixed(a: mx.array, b: mx.array) -> mx.array:
    """Return numbers in which every bit of both matters, uint32."""
    mixed = a * 0x9E3779B1 + b * 0x85EBCA77 + 0x27D4EB2F
    mixed = (mixed ^ (mixed >> 15)) * 0xC2B2AE3D
    return mixed ^ (mixed >> 13)
