"""What the caches that keep every token have in common, plain or packed."""

from __future__ import annotations

import mlxc as mx

from ..mask import Mask, create_attention_mask
from .base import KeysOrValues
from .row_cache import RowCache
from .rows import Rows


class FullCache(RowCache):
    """Keep all keys and values in a buffer that grows by 256 tokens and is written in place."""

    offset: int

    def __init__(self, rows: Rows) -> None:
        super().__init__(rows)
        self.offset = 0
        self._expected = 0  # tokens that there will be

    @property
    def position(self) -> int:
        return self.offset

    def update_and_fetch(
        self, keys: mx.array, values: mx.array
    ) -> tuple[KeysOrValues, KeysOrValues]:
        self._rows.check(keys, values)
        start, end = self.offset, self.offset + keys.shape[2]
        room = self._room_for(max(end, self._expected))
        seen = self._rows.write(start, keys, values, kept=start, room=room, shown=end)
        self.offset = end
        return seen

    def reserve(self, tokens: int) -> None:
        self._expected = self.offset + tokens

    def make_mask(self, length: int, window_size: int | None = None) -> Mask:
        return create_attention_mask(length, self.offset, window_size)

    def is_trimmable(self) -> bool:
        return True

    def trim(self, count: int) -> int:
        count = max(0, min(count, self.offset))
        self.offset -= count
        return count

    @property
    def _held(self) -> int:
        return self.offset
