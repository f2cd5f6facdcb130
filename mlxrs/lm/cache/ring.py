"""What the caches of the last tokens have in common, plain or packed."""

from __future__ import annotations

from collections.abc import Sequence

import mlxc as mx

from ..mask import Mask
from .base import KeysOrValues
from .row_cache import RowCache
from .rows import Rows


class RingCache(RowCache):
    """Keep the first `keep` tokens, and the last ones in a ring behind them.

    A single token overwrites the oldest one in place. Several are appended to the others in
    order, of which `max_size - 1` stay, so that each new one still finds its whole past.
    """

    offset: int

    def __init__(self, rows: Rows, max_size: int, keep: int) -> None:
        if max_size < 1:
            raise ValueError(f"max_size must be >= 1, got {max_size}")
        if not 0 <= keep < max_size:
            raise ValueError(
                f"keep must be >= 0 and below max_size ({max_size}), got {keep}; raise max_size "
                "or lower keep"
            )
        super().__init__(rows)
        self.offset = 0
        self.max_size = max_size
        self.keep = keep
        self._index = 0  # the row behind the one written last

    @property
    def position(self) -> int:
        return self.offset

    def update_and_fetch(
        self, keys: mx.array, values: mx.array
    ) -> tuple[KeysOrValues, KeysOrValues]:
        self._rows.check(keys, values)
        if keys.shape[2] == 1:
            return self._overwrite(keys, values)
        self._append(keys, values)
        return self._rows.read(self._held)

    def make_mask(self, length: int, window_size: int | None = None) -> Mask:
        window = self.max_size if window_size is None else min(window_size, self.max_size)
        if length == 1:
            if window == self.max_size or self.offset < window:
                return None
            return self._slot_positions() > self.offset - window
        held = min(self._held, self.max_size - 1)
        if held + length <= window:
            return "causal"
        rows = mx.arange(held + length)
        keys = mx.where(rows < self.keep, rows, rows + (self.offset - held))
        queries = mx.arange(self.offset, self.offset + length)[:, None]
        mask = (queries >= keys) & (queries < keys + (self.max_size - self.keep))
        if self.keep:
            mask = mask | ((keys < self.keep) & (queries >= keys))
        return mask if window == self.max_size else mask & (queries < keys + window)

    def is_trimmable(self) -> bool:
        return self.offset < self.max_size

    def trim(self, count: int) -> int:
        if not self.is_trimmable():
            return 0
        count = max(0, min(count, self.offset))
        self.offset -= count
        self._index -= count
        return count

    @property
    def state(self) -> list[mx.array]:
        return self._rows.slices(0, self._held) if self.offset else []

    def ordered(self) -> list[mx.array]:
        """Return the arrays in the order the tokens came in."""
        parts = [self._rows.slices(start, stop) for start, stop in self._pieces()]
        return [mx.concatenate(list(pieces), axis=2) for pieces in zip(*parts, strict=True)]

    @property
    def _held(self) -> int:
        return min(self.offset, self._rows.room)

    def _room_with(self, tokens: int) -> int:
        return min(self._room_for(tokens), self.max_size)

    def _overwrite(self, keys: mx.array, values: mx.array) -> tuple[KeysOrValues, KeysOrValues]:
        surplus = self._rows.room - self.max_size
        if surplus > 0:
            self._rows.map(
                lambda held: mx.concatenate(
                    [held[:, :, : self.keep], held[:, :, self.keep + surplus :]], axis=2
                )
            )
            self._index = self.max_size
        if self._index == self.max_size:
            self._index = self.keep
        end = self.offset + 1
        after = self._index + 1 if self._index + 1 < self.max_size else self.keep
        seen = self._rows.write(
            self._index,
            keys,
            values,
            kept=self.offset,
            room=min(self._room_for(end), self.max_size),
            shown=min(end, self.max_size),
            next_=after if end >= self.max_size else -1,
        )
        self.offset = end
        self._index += 1
        return seen

    def _append(self, keys: mx.array, values: mx.array) -> None:
        surplus = self._held - (self.max_size - 1)
        self._rows.append(keys, values, _without(self._pieces(), self.keep, surplus))
        self.offset += keys.shape[2]
        self._index = self._rows.room

    def _pieces(self) -> list[tuple[int, int]]:
        """Return the rows in the order the tokens came in, as first and last of each stretch."""
        held = self._held
        # Before the ring is full the index is the end of what is held.
        if self._index == held:
            return [(0, held)]
        return [(0, self.keep), (self._index, held), (self.keep, self._index)]

    def _slot_positions(self) -> mx.array:
        """Return the position of the token in each row after a single one was written."""
        slots = mx.arange(min(self.offset + 1, self.max_size))
        if self.offset < self.max_size:
            return slots
        written = self.keep if self._index >= self.max_size else self._index
        ring = self.max_size - self.keep
        age = (written - slots + ring) % ring
        return mx.where(slots < self.keep, slots, self.offset - age)

    def _load(self, state: Sequence[mx.array], offset: int, index: int) -> None:
        """Take a state over, or raise ValueError if no cache can be in it."""
        if state:
            self._rows.load(state)
        room = self._rows.room
        full = room == self.max_size and self.keep < index <= room
        if not (room == offset == index or (room < offset and room >= self.max_size)) or not (
            full or index == room
        ):
            raise ValueError(
                f"a ring of max_size {self.max_size} and keep {self.keep} cannot hold {room} "
                f"rows after {offset} tokens with its index at {index}"
            )
        self.offset, self._index = offset, index


def _without(pieces: Sequence[tuple[int, int]], kept: int, count: int) -> list[tuple[int, int]]:
    """Return stretches of rows without the `count` rows behind the first `kept`."""
    left = []
    for start, stop in pieces:
        stay = min(kept, stop - start)
        left.append((start, start + stay))
        kept -= stay
        start += stay
        gone = 0 if kept else max(0, min(count, stop - start))
        count -= gone
        left.append((start + gone, stop))
    return left
