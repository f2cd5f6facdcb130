"""The caches of one model: made, measured and taken back together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .base import Cache, Snapshot


class CacheMaker(Protocol):
    """A model that knows which cache each of its layers needs."""

    def make_cache(self) -> Sequence[Cache]: ...


def make_prompt_cache(
    model: CacheMaker,
    max_kv_size: int | None = None,
    kv_bits: int | None = None,
    kv_group_size: int = 64,
    quantized_kv_start: int = 0,
    *,
    keep: int = 4,
) -> list[Cache]:
    """Return new, empty caches for a model, one a layer, of the kinds the model chooses.

    Args:
        model: The model.
        max_kv_size: How many tokens a layer that would keep all holds at most: the first `keep`
            and the last ones. None for all. Layers with a window or a state of their own stay as
            the model wants them.
        kv_bits: Bits a key or value is packed into: 2, 3, 4, 5, 6 or 8; None for none.
        kv_group_size: Neighbouring features that share a scale: 32, 64 or 128.
        quantized_kv_start: How many tokens are held in full precision before all are packed.
        keep: How many of the first tokens stay where `max_kv_size` bounds a layer; 0 for caches
            that are to be merged into a batch.

    Raises:
        ValueError: A setting is out of range, or a layer's kind of cache cannot be packed.

    Example:
        caches = make_prompt_cache(model, max_kv_size=4096, kv_bits=8)
    """
    caches = list(model.make_cache())
    if max_kv_size is not None:
        caches = [cache.to_rotating(max_kv_size, keep) for cache in caches]
    if kv_bits is not None:
        caches = [
            cache.to_quantized(kv_group_size, kv_bits, quantized_kv_start) for cache in caches
        ]
    return caches


def cached_tokens(caches: Sequence[Cache]) -> int:
    """Return how many tokens the caches of one model hold."""
    # A layer without attention keeps no positions and stays at 0.
    return max((cache.position for cache in caches), default=0)


def can_trim_prompt_cache(caches: Sequence[Cache]) -> bool:
    """Return whether every layer can take its last tokens back."""
    return all(cache.is_trimmable() for cache in caches)


def trim_prompt_cache(caches: Sequence[Cache], count: int) -> int:
    """Forget the last `count` tokens in every layer, or in none where one cannot.

    Returns:
        How many were forgotten.
    """
    if not can_trim_prompt_cache(caches):
        return 0
    return max((cache.trim(count) for cache in caches), default=0)


def rewind_prompt_cache(caches: Sequence[Cache], position: int) -> None:
    """Forget what every layer holds beyond the first `position` tokens.

    Layers ahead of others, as an interrupted model call leaves them, are in step again then.
    """
    for cache in caches:
        cache.trim(cache.position - position)


def snapshot_prompt_cache(caches: Sequence[Cache]) -> list[Snapshot]:
    """Return what `restore_prompt_cache` needs to come back to this moment, whatever the kinds.

    It costs next to nothing, and while it is alive every row that is overwritten costs its own
    size.
    """
    return [cache.snapshot() for cache in caches]


def restore_prompt_cache(caches: Sequence[Cache], snapshots: Sequence[Snapshot]) -> None:
    """Bring every layer back to the moment its snapshot was taken.

    Raises:
        ValueError: A snapshot was taken of another cache.
    """
    for cache, snapshot in zip(caches, snapshots, strict=True):
        cache.restore(snapshot)
