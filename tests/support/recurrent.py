"""A model whose layers have a state in place of keys and values."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import mlxc as mx
from mlxrs.lm.cache import ArraysCache, Cache
from mlxrs.testing import FakeModel, one_hot


class RecurrentModel(FakeModel):
    """Answers by all tokens read so far, in their order, as one number that every layer keeps.

    Args:
        vocab_size: V.
        caches: Makes the caches; two `ArraysCache` where it is None.
    """

    def __init__(self, vocab_size: int, caches: Callable[[], Sequence[Cache]] | None = None):
        self._make = caches or (lambda: [ArraysCache(1), ArraysCache(2)])
        super().__init__(vocab_size, len(self._make()))

    def make_cache(self) -> list[Cache]:
        return list(self._make())

    def answer(self, tokens: mx.array, cache: Sequence[Cache]) -> mx.array:
        B, L = tokens.shape
        seen = mx.zeros((B, L), mx.uint32)
        for layer in cache:
            states = layer if isinstance(layer, ArraysCache) else layer[0]
            state = states[0]
            state = mx.zeros((B,), mx.uint32) if state is None else state
            mask, said = states.make_mask(L), []
            for place in range(L):
                new = (state + tokens[:, place].astype(mx.uint32) + 1) * 0x9E3779B1
                new = new ^ (new >> 15)
                state = new if mask is None else mx.where(mask[:, place], new, state)
                said.append(state)
            states[0] = state
            states.advance(L)
            seen = seen * 31 + mx.stack(said, axis=1)
        return one_hot(self.vocab_size, (seen >> 7) % self.vocab_size)
