"""The plain cache: every key and value, in one growing buffer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import mlxc as mx

from ..mask import Mask, create_attention_mask
from .base import KeysOrValues
from .row_cache import RowCache
from .rows import Rows


class KVCache(RowCache):
    """Keep all keys and values, `(B, H, S, D)`; features of keys and values may differ.

    The buffers grow by 256 tokens at a time and are written in place, so a token costs its own
    size and not that of its past.
    """

    offset: int

    def __init__(self) -> None:
        super().__init__(Rows())
        self.offset = 0

    @property
    def position(self) -> int:
        return self.offset

    def update_and_fetch(
        self, keys: mx.array, values: mx.array
    ) -> tuple[KeysOrValues, KeysOrValues]:
        self._rows.check(keys, values)
        end = self.offset + keys.shape[2]
        self._rows.write(self.offset, keys, values, kept=self.offset, room=self._room_for(end))
        self.offset = end
        return self._rows.read(0, end)

    def make_mask(self, length: int, window_size: int | None = None) -> Mask:
        return create_attention_mask(length, self.offset, window_size)

    def is_trimmable(self) -> bool:
        return True

    def trim(self, count: int) -> int:
        count = max(0, min(count, self.offset))
        self.offset -= count
        return count

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

    @property
    def _held(self) -> int:
        return self.offset
