"""The cache of layers that attend within chunks of the sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import mlxc as mx

from ..mask import Mask, create_attention_mask
from .base import KeysOrValues
from .row_cache import RowCache, parse_numbers
from .rows import Rows


class ChunkedKVCache(RowCache):
    """Keep the tokens that the chunk of the next one may need.

    A model calls `maybe_trim_front` before it asks for a mask; until then everything is kept.

    Args:
        chunk_size: Tokens a chunk; None for one chunk without end.

    Attributes:
        start_position: The position of the first token held.
    """

    offset: int

    def __init__(self, chunk_size: int | None) -> None:
        if chunk_size is not None and chunk_size < 1:
            raise ValueError(f"chunk_size must be >= 1 or None, got {chunk_size}")
        super().__init__(Rows())
        self.offset = 0
        self.chunk_size = chunk_size
        self.start_position = 0

    @property
    def position(self) -> int:
        return self.offset

    def maybe_trim_front(self) -> None:
        """Drop the tokens in front of the last `chunk_size`."""
        held = self._held
        if self.chunk_size is not None and held > self.chunk_size:
            surplus = held - self.chunk_size
            self._rows.map(lambda array: array[:, :, surplus:held])
            self.start_position += surplus

    def update_and_fetch(
        self, keys: mx.array, values: mx.array
    ) -> tuple[KeysOrValues, KeysOrValues]:
        self._rows.check(keys, values)
        start, end = self._held, self._held + keys.shape[2]
        room = self._room_for(end)
        seen = self._rows.write(start, keys, values, kept=start, room=room, shown=end)
        self.offset += keys.shape[2]
        return seen

    def make_mask(self, length: int, window_size: int | None = None) -> Mask:
        """Return the mask that lets queries see their own chunk alone; see `Cache`."""
        end = self.offset + length
        chunk = self.chunk_size or end
        if self.start_position // chunk == (end - 1) // chunk:
            return create_attention_mask(length, self._held, window_size)
        keys = mx.arange(self.start_position, end)
        queries = mx.arange(self.offset, end)[:, None]
        mask: mx.array = (queries >= keys) & (queries // chunk == keys // chunk)
        return mask if window_size is None else mask & (queries < keys + window_size)

    def is_trimmable(self) -> bool:
        # What was dropped in front may belong to the chunk of an earlier token.
        return self.start_position == 0

    def trim(self, count: int) -> int:
        count = max(0, min(count, self._held))
        self.offset -= count
        return count

    @property
    def state(self) -> list[mx.array]:
        return self._rows.slices(0, self._held) if not self.empty() else []

    @property
    def meta_state(self) -> tuple[str, ...]:
        return str(self.chunk_size), str(self.start_position)

    @classmethod
    def from_state(cls, state: Sequence[mx.array], meta_state: Sequence[str] = ()) -> Self:
        meta = tuple(meta_state)
        unbounded = meta[:1] == ("None",)
        names = ("chunk_size", "start_position")
        numbers = parse_numbers(cls.__name__, ("0", *meta[1:]) if unbounded else meta, names)
        cache = cls(None if unbounded else numbers[0])
        if state:
            cache._rows.load(state)
        cache.start_position = numbers[1]
        cache.offset = cache.start_position + cache._rows.room
        return cache

    def _room_with(self, tokens: int) -> int:
        return self._room_for(tokens if self.chunk_size is None else min(tokens, self.chunk_size))

    @property
    def _held(self) -> int:
        return self.offset - self.start_position
