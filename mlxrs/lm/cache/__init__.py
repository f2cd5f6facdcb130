"""KV caches: what a model remembers of the tokens it has seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .base import Cache
from .kv import KVCache

__all__ = [
    "Cache",
    "KVCache",
    "cached_tokens",
    "can_trim_prompt_cache",
    "make_prompt_cache",
    "rewind_prompt_cache",
]


class CacheMaker(Protocol):
    """A model that knows which cache each of its layers needs."""

    def make_cache(self) -> Sequence[Cache]: ...


def make_prompt_cache(model: CacheMaker) -> list[Cache]:
    """Return new, empty caches for a model, one a layer, of the kinds the model chooses."""
    return list(model.make_cache())


def cached_tokens(caches: Sequence[Cache]) -> int:
    """Return how many tokens the caches of one model hold."""
    # A layer without attention keeps no positions and stays at 0.
    return max((cache.offset for cache in caches), default=0)


def can_trim_prompt_cache(caches: Sequence[Cache]) -> bool:
    """Return whether every layer can take its last tokens back."""
    return all(cache.is_trimmable() for cache in caches)


def rewind_prompt_cache(caches: Sequence[Cache], position: int) -> None:
    """Forget what every layer holds beyond the first `position` tokens.

    Layers ahead of others, as an interrupted model call leaves them, are in step again then.
    """
    for cache in caches:
        cache.trim(cache.offset - position)
