"""Tokens read on trial: a model that can take back what it read last."""

from __future__ import annotations

from collections.abc import Sequence

import mlxc as mx

from .cache import (
    Cache,
    can_trim_prompt_cache,
    restore_prompt_cache,
    snapshot_prompt_cache,
    trim_prompt_cache,
)
from .models import LanguageModel


class RewindableReader:
    """Shows tokens to a model and forgets those that turn out to be wrong.

    Caches that can be trimmed are trimmed. The others go back to the mark, and what was right
    behind it is read again.

    Args:
        model: The model.
        caches: Its caches; nobody else advances them meanwhile.
    """

    def __init__(self, model: LanguageModel, caches: Sequence[Cache]) -> None:
        self._model = model
        self._caches = caches
        self.mark()

    def mark(self) -> None:
        """Make this the moment that `keep` counts from."""
        self._snapshot = snapshot_prompt_cache(self._caches)
        self._read: list[mx.array] = []

    def read(self, tokens: mx.array) -> mx.array:
        """Show ids `(L,)`; return logits `(L, V)`, not evaluated.

        After an error the caches are as they were at the mark.
        """
        try:
            logits = self._model(tokens[None], self._caches)[0]
        except BaseException:
            self.keep(0)
            raise
        self._read.append(tokens)
        return logits

    def keep(self, count: int) -> None:
        """Forget all tokens read since the mark but the first `count`."""
        surplus = sum(tokens.size for tokens in self._read) - count
        if count and surplus <= 0:
            return
        kept = mx.concatenate(self._read)[:count] if count else None
        if kept is None:
            self._read = []
            restore_prompt_cache(self._caches, self._snapshot)
        elif can_trim_prompt_cache(self._caches):
            self._read = [kept]
            trim_prompt_cache(self._caches, surplus)
        else:
            self._read = []
            restore_prompt_cache(self._caches, self._snapshot)
            self.read(kept)
