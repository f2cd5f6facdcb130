"""The cache of the last tokens: a ring that forgets the oldest."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Self

import mlxc as mx

from .base import Cache
from .ring import RingCache
from .row_cache import parse_numbers
from .rows import Rows

if TYPE_CHECKING:
    from .batching import BatchCache


class RotatingKVCache(RingCache):
    """Keep the first `keep` tokens and, of the others, the last `max_size - keep`.

    Args:
        max_size: Tokens held at most.
        keep: How many of the first ones stay: attention anchors on them
            (https://arxiv.org/abs/2309.17453).

    Raises:
        ValueError: `max_size` is below 1, or `keep` leaves no room for others.
    """

    def __init__(self, max_size: int, keep: int = 0) -> None:
        super().__init__(Rows(), max_size, keep)

    @property
    def meta_state(self) -> tuple[str, ...]:
        return tuple(map(str, (self.keep, self.max_size, self.offset, self._index)))

    @classmethod
    def from_state(cls, state: Sequence[mx.array], meta_state: Sequence[str] = ()) -> Self:
        names = ("keep", "max_size", "offset", "index")
        keep, max_size, offset, index = parse_numbers(cls.__name__, tuple(meta_state), names)
        cache = cls(max_size, keep)
        cache._load(state, offset, index)
        return cache

    def to_quantized(self, group_size: int = 64, bits: int = 4, start: int = 0) -> Cache:
        from .rotating_quantized import RotatingQuantizedKVCache

        return RotatingQuantizedKVCache.of_plain(self, group_size, bits, start)

    @property
    def batch_kind(self) -> Hashable | None:
        return (type(self).__name__, self.max_size) if self.keep == 0 else None

    @classmethod
    def merge(cls, caches: Sequence[Self]) -> BatchCache:
        from .batch_rotating import BatchRotatingKVCache

        return BatchRotatingKVCache.of_rows(caches)
