"""A model that says the same token always."""

from __future__ import annotations

from collections.abc import Sequence

import mlxc as mx

from ..lm.cache import Cache, KVCache


def one_hot(vocab_size: int, tokens: mx.array | int) -> mx.array:
    """Return logits of 1 for the given tokens and 0 for all others.

    Args:
        vocab_size: V.
        tokens: Ids of any shape.

    Returns:
        float32, the shape of `tokens` and V behind it.
    """
    tokens = tokens if isinstance(tokens, mx.array) else mx.array(tokens)
    chosen: mx.array = tokens[..., None] == mx.arange(vocab_size)
    return chosen.astype(mx.float32)


class FakeModel:
    """Gives every position the same logits, and advances its caches as a real model does.

    A subclass that overrides `scores` answers otherwise.

    Args:
        vocab_size: V.
        num_layers: How many caches it has.
        logits: What it gives every position, `(V,)`; the likeliest token is the last one, V - 1,
            where it is None.
        context_length: The most tokens it may see; None for no limit.

    Raises:
        ValueError: `logits` are not V numbers.

    Example:
        model = FakeModel(11, logits=one_hot(11, 3))  # says 3
    """

    HEADS, FEATURES = 1, 128  # what it writes into a cache for each token; packs in every way

    def __init__(
        self,
        vocab_size: int,
        num_layers: int = 2,
        logits: mx.array | Sequence[float] | None = None,
        *,
        context_length: int | None = None,
    ) -> None:
        if logits is None:
            logits = one_hot(vocab_size, vocab_size - 1)
        self.logits = logits if isinstance(logits, mx.array) else mx.array(list(logits))
        if tuple(self.logits.shape) != (vocab_size,):
            raise ValueError(
                f"logits must be one number for each of {vocab_size} tokens, got shape "
                f"{tuple(self.logits.shape)}"
            )
        # A model may be called from any thread.
        mx.eval(self.logits)
        self.vocab_size = vocab_size
        self.num_layers = num_layers
        self.context_length = context_length
        self._calls: list[mx.array] = []

    @property
    def calls(self) -> list[list[list[int]]]:
        """The ids every call was handed, `(B, L)` each."""
        return [tokens.tolist() for tokens in self._calls]

    @property
    def windows(self) -> list[list[int]]:
        """The ids every call was handed for the first row of its batch."""
        return [rows[0] for rows in self.calls]

    @property
    def fed(self) -> int:
        """How many ids the first row was handed by all calls."""
        return sum(tokens.shape[1] for tokens in self._calls)

    def __call__(
        self,
        tokens: mx.array,
        cache: Sequence[Cache] | None = None,
        *,
        input_embeddings: mx.array | None = None,
    ) -> mx.array:
        """Return logits `(B, L, V)` for ids `(B, L)`.

        Raises:
            ValueError: There are `input_embeddings`, which only some real models take.
        """
        if input_embeddings is not None:
            raise ValueError(f"a {type(self).__name__} takes token ids, not input_embeddings")
        self._calls.append(tokens)
        return self.answer(tokens, self.make_cache() if cache is None else cache)

    def answer(self, tokens: mx.array, cache: Sequence[Cache]) -> mx.array:
        """Write to every layer; return logits `(B, L, V)`."""
        logits = self.scores(tokens)
        B, L = tokens.shape
        for layer in cache:
            rows = mx.zeros((B, self.HEADS, L, self.FEATURES))
            layer.update_and_fetch(rows, rows)
        return logits

    def scores(self, tokens: mx.array) -> mx.array:
        """Return the logits `(B, L, V)` of ids `(B, L)`."""
        return mx.broadcast_to(self.logits, (*tokens.shape, self.vocab_size))

    def make_cache(self) -> list[Cache]:
        return [KVCache() for _ in range(self.num_layers)]
