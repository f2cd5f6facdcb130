"""Models whose answer is known beforehand."""

from __future__ import annotations

from collections.abc import Sequence

import mlxc as mx
from mlxrs.lm.cache import Cache, KVCache


class FakeModel:
    """Says the same token always, and advances its caches as a real model does.

    Args:
        vocab_size: Scores a position, V.
        token: The likeliest token; V - 1 where it is None.
        layers: Number of layers.
        context_length: The most tokens it may see.

    Attributes:
        windows: The ids of every call so far.
    """

    def __init__(
        self,
        vocab_size: int,
        token: int | None = None,
        *,
        layers: int = 2,
        context_length: int | None = None,
    ) -> None:
        self.vocab_size = vocab_size
        self.context_length = context_length
        self.windows: list[list[int]] = []
        self._token = vocab_size - 1 if token is None else token
        self._layers = layers

    @property
    def fed(self) -> int:
        """How many ids all calls so far were handed."""
        return sum(map(len, self.windows))

    def __call__(self, tokens: mx.array, cache: Sequence[Cache] | None = None) -> mx.array:
        B, L = tokens.shape
        self.windows.append(tokens[0].tolist())
        for layer in cache or ():
            layer.update_and_fetch(mx.zeros((B, 1, L, 1)), mx.zeros((B, 1, L, 1)))
        return mx.broadcast_to(self.scores(), (B, L, self.vocab_size))

    def scores(self) -> mx.array:
        """The logits of every position, `(V,)`."""
        return mx.where(mx.arange(self.vocab_size) == self._token, 1.0, 0.0)

    def make_cache(self) -> list[Cache]:
        return [KVCache() for _ in range(self._layers)]


class ModelBroke(Exception):
    """What a `FailingModel` raises."""


class FailingModel:
    """Passes `calls` calls on to a model, then raises `ModelBroke` at each."""

    def __init__(self, model: FakeModel, calls: int) -> None:
        self.model = model
        self.context_length = model.context_length
        self._calls = calls

    def __call__(self, tokens: mx.array, cache: Sequence[Cache] | None = None) -> mx.array:
        if self._calls == 0:
            raise ModelBroke("out of calls")
        self._calls -= 1
        return self.model(tokens, cache)

    def make_cache(self) -> list[Cache]:
        return self.model.make_cache()
