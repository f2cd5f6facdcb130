"""The plain cache: every key and value, in one growing buffer."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Self

import mlxc as mx

from .base import Cache
from .full import FullCache
from .rows import Rows

if TYPE_CHECKING:
    from .batching import BatchCache


class KVCache(FullCache):
    """Keep all keys and values, `(B, H, S, D)`; features of keys and values may differ.

    The buffers grow by 256 tokens at a time and are written in place, so a token costs its own
    size and not that of its past.
    """

    def __init__(self) -> None:
        super().__init__(Rows())

    def lend(
        self, length: int, layout: tuple[int, int, int], dtype: mx.Dtype
    ) -> tuple[mx.array, mx.array]:
        start, end = self.offset, self.offset + length
        room = self._room_for(max(end, self._expected))
        return self._rows.lend(start, end, layout, dtype, room=room)

    def take_back(self, length: int, keys: mx.array, values: mx.array) -> None:
        self._rows.take_back(keys, values)
        self.offset += length

    @property
    def state(self) -> list[mx.array]:
        return self._rows.slices(0, self.offset) if self.offset else []

    @property
    def meta_state(self) -> tuple[str, ...]:
        return ()

    @classmethod
    def from_state(cls, state: Sequence[mx.array], meta_state: Sequence[str] = ()) -> Self:
        if len(state) not in (0, 2) or any(meta_state):
            raise ValueError(
                f"the state of a KVCache is [] or [keys, values] without meta_state, got "
                f"{len(state)} arrays and meta_state {list(meta_state)}"
            )
        cache = cls()
        if state:
            cache._rows.load(state)
            cache.offset = cache._rows.room
        return cache

    def to_quantized(self, group_size: int = 64, bits: int = 4, start: int = 0) -> Cache:
        from .quantized import QuantizedKVCache

        quantized = QuantizedKVCache(group_size, bits, start)
        if self.offset:
            quantized.update_and_fetch(*self.state)
        return quantized

    def to_rotating(self, max_size: int, keep: int = 4) -> Cache:
        from .rotating import RotatingKVCache

        rotating = RotatingKVCache(max_size, keep)
        if self.offset:
            rotating.update_and_fetch(*self.state)
        return rotating

    @property
    def batch_kind(self) -> Hashable | None:
        return type(self).__name__

    @classmethod
    def merge(cls, caches: Sequence[Self]) -> BatchCache:
        from .batch import BatchKVCache

        return BatchKVCache.of_rows(caches)
