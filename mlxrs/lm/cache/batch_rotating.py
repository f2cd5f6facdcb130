"""The cache of the last tokens of several sequences at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import mlxc as mx

from ..mask import Mask
from .base import KeysOrValues
from .batch import read_counts
from .batching import BatchCache, check_counts, check_rows, dynamic_roll, padded
from .rotating import RotatingKVCache
from .row_cache import RowCache, parse_numbers
from .rows import Rows


class BatchRotatingKVCache(RowCache, BatchCache):
    """Keep the last tokens of several sequences; see `RotatingKVCache` and `BatchCache`.

    None of the first tokens is kept: they stand in other columns in each sequence.

    Args:
        max_size: Tokens held at most of each sequence.
        left_padding: How many columns of padding there are in front of each sequence.
    """

    def __init__(self, max_size: int, left_padding: Sequence[int]) -> None:
        if max_size < 1:
            raise ValueError(f"max_size must be >= 1, got {max_size}")
        super().__init__(Rows())
        self.max_size = max_size
        # Columns of padding still held; below 0 for a sequence that has lost tokens.
        self._padding = check_counts("left_padding", left_padding, len(left_padding))
        self._offsets = tuple(-count for count in self._padding)
        self._columns = 0  # appended so far
        self._index = 0  # the column behind the one written last
        self._rotated = False
        self._ends: tuple[int, ...] = ()  # the offsets at which announced padding begins

    @classmethod
    def of_rows(cls, caches: Sequence[RotatingKVCache]) -> Self:
        """Return one cache whose rows are the contents of several single ones, in their order.

        Raises:
            ValueError: They differ in size or keep first tokens.
        """
        if any((cache.max_size, cache.keep) != (caches[0].max_size, 0) for cache in caches):
            raise ValueError(
                "rotating caches can be batched if they are of one max_size and of keep 0, got "
                f"{[(cache.max_size, cache.keep) for cache in caches]}"
            )
        max_size = caches[0].max_size
        states = [
            [array[:, :, -max_size:] for array in cache.ordered()] if cache.offset else []
            for cache in caches
        ]
        lengths = [min(cache.offset, max_size) for cache in caches]
        length = max(lengths)
        batch = cls(max_size, [length - held for held in lengths])
        batch._rows.stack([padded(state, length) for state in states])
        batch._offsets = tuple(cache.offset for cache in caches)
        batch._columns = batch._index = length
        return batch

    @property
    def batch_size(self) -> int:
        return len(self._padding)

    @property
    def left_padding(self) -> mx.array:
        """Columns of padding held in front of each sequence, int32 `(B,)`."""
        return mx.array(self._padding, dtype=mx.int32)

    @property
    def offset(self) -> mx.array:  # type: ignore[override]
        """The position of the next token of each sequence, int32 `(B,)`; below 0 in padding."""
        return mx.array(self._offsets, dtype=mx.int32)

    @property
    def position(self) -> int:
        return self._columns

    def update_and_fetch(
        self, keys: mx.array, values: mx.array
    ) -> tuple[KeysOrValues, KeysOrValues]:
        self._rows.check(keys, values, self.batch_size)
        if self._ends and all(a >= b for a, b in zip(self._offsets, self._ends, strict=True)):
            raise ValueError("all announced tokens were read: call finalize() before more come")
        if keys.shape[2] == 1 and not self._ends:
            return self._overwrite(keys, values)
        self._append(keys, values)
        return self._rows.read(self._held)

    def make_mask(self, length: int, window_size: int | None = None) -> Mask:
        window = self.max_size if window_size is None else min(window_size, self.max_size)
        single = length == 1 and not self._ends
        held = min(self.max_size - 1, self._held)
        dropped = self._held - held
        columns = mx.arange(held + length)
        queries = mx.arange(held, held + length)[:, None]
        mask = (queries >= columns) & (queries < columns + window)
        padding = (self._rolled_padding() - dropped)[:, None, None, None]
        mask = mask & (columns >= padding)  # (B, 1, L, S), the tokens in order
        if single and self._held >= self.max_size:
            # The newest token takes the oldest one's place in the ring.
            newest = self._index % self.max_size if self._held == self.max_size else 0
            mask = mx.roll(mask, newest + 1, axis=-1)
        return mask

    def is_trimmable(self) -> bool:
        return self._columns < self.max_size

    def trim(self, count: int) -> int:
        if not self.is_trimmable():
            return 0
        count = max(0, min(count, self._columns))
        self._columns -= count
        self._index -= count
        self._offsets = tuple(offset - count for offset in self._offsets)
        return count

    def prepare(
        self,
        *,
        left_padding: Sequence[int] | None = None,
        lengths: Sequence[int] | None = None,
        right_padding: Sequence[int] | None = None,
    ) -> None:
        if left_padding is not None:
            more = check_counts("left_padding", left_padding, self.batch_size)
            if self._columns:
                raise ValueError(
                    "left_padding can only be added while the cache is empty, it holds "
                    f"{self._columns} columns; use right_padding"
                )
            self._padding = tuple(a + b for a, b in zip(self._padding, more, strict=True))
            self._offsets = tuple(-count for count in self._padding)
        if right_padding is not None:
            padding = check_counts("right_padding", right_padding, self.batch_size)
            if lengths is None:
                raise ValueError("right_padding needs the lengths of the rows beside it")
            counts = check_counts("lengths", lengths, self.batch_size)
            ends = tuple(a + b for a, b in zip(self._offsets, counts, strict=True))
            self._ends = ends if any(padding) else ()

    def finalize(self) -> None:
        if self._ends:
            self._order()
            self._roll()
            self._ends = ()

    def filter(self, rows: Sequence[int]) -> None:
        check_rows(rows, self.batch_size)
        kept = mx.array(list(rows), dtype=mx.int32)
        self._rows.map(lambda array: array[kept])
        self._padding = tuple(self._padding[row] for row in rows)
        self._offsets = tuple(self._offsets[row] for row in rows)

    def extend(self, other: Self) -> None:
        if self.max_size != other.max_size:
            raise ValueError(
                "a batch can be extended by one of the same max_size, got "
                f"{self.max_size} and {other.max_size}"
            )
        other = other.copy()
        both = (self, other)
        for one in both:
            one._order()
        length = max(self._index, other._index)
        self._rows.stack(
            [padded(one._rows.slices(0, one._index), length) for one in both],
            [one.batch_size for one in both],
        )
        self._padding = tuple(count + length - one._index for one in both for count in one._padding)
        self._offsets = (*self._offsets, *other._offsets)
        self._index = length
        self._columns = max(self._columns, other._columns)

    def extract(self, row: int) -> RotatingKVCache:
        check_rows([row], self.batch_size)
        ordered = self.copy()
        ordered._order()
        start = max(0, self._padding[row])
        held = ordered._index - start
        state = [
            mx.contiguous(array[row : row + 1])
            for array in ordered._rows.slices(start, ordered._index)
        ]
        offset = max(0, self._offsets[row])
        meta = map(str, (0, self.max_size, offset, max(0, held)))
        return RotatingKVCache.from_state(state if held > 0 else [], tuple(meta))

    @property
    def state(self) -> list[mx.array]:
        """Keys and values unless empty, the offsets, the left padding."""
        return [*self._rows.slices(0, self._held), self.offset, self.left_padding]

    @property
    def meta_state(self) -> tuple[str, ...]:
        numbers = self.max_size, self._columns, self._index
        return (*map(str, numbers), str(self._rotated))

    @classmethod
    def from_state(cls, state: Sequence[mx.array], meta_state: Sequence[str] = ()) -> Self:
        if len(state) not in (2, 4):
            raise ValueError(
                f"the state of a {cls.__name__} is [keys, values, offset, left_padding], or the "
                f"last two while empty, got {len(state)} arrays"
            )
        *numbers, rotated = tuple(meta_state) or ("",)
        names = ("max_size", "columns", "index")
        max_size, columns, index = parse_numbers(cls.__name__, tuple(numbers), names)
        offsets, padding = (read_counts(array) for array in state[-2:])
        if len(offsets) != len(padding) or rotated.lower() not in ("true", "false"):
            raise ValueError(
                f"a {cls.__name__} has as many offsets as left paddings, and rotated is true or "
                f"false, got {offsets}, {padding} and {rotated!r}"
            )
        cache = cls(max_size, [0] * len(padding))
        if len(state) == 4:
            cache._rows.load(state[:2], batch=len(padding))
        room = cache._rows.room
        cache._rotated = rotated.lower() == "true"
        in_order = not cache._rotated and index == room and (columns == room or room >= max_size)
        ring = cache._rotated and room == max_size and 0 < index <= room
        if room > columns or not (in_order or ring):
            raise ValueError(
                f"a {cls.__name__} of max_size {max_size} cannot hold {room} columns after "
                f"{columns} with its index at {index} and rotated {rotated}"
            )
        cache._padding, cache._offsets = tuple(padding), tuple(offsets)
        cache._columns, cache._index = columns, index
        return cache

    @property
    def _held(self) -> int:
        return min(self._columns, self._rows.room)

    def _overwrite(self, keys: mx.array, values: mx.array) -> tuple[KeysOrValues, KeysOrValues]:
        surplus = self._rows.room - self.max_size
        if surplus > 0:
            self._drop_front(surplus)
        if self._index == self.max_size:
            self._rotated, self._index = True, 0
        if self._rotated:
            self._padding = tuple(count - 1 for count in self._padding)
        end = self._columns + 1
        seen = self._rows.write(
            self._index,
            keys,
            values,
            kept=self._columns,
            room=min(self._room_for(end), self.max_size),
            shown=min(end, self.max_size),
            next_=(self._index + 1) % self.max_size if end >= self.max_size else -1,
        )
        self._index += 1
        self._columns = end
        self._offsets = tuple(offset + 1 for offset in self._offsets)
        return seen

    def _append(self, keys: mx.array, values: mx.array) -> None:
        self._order()
        if self._ends:
            self._roll()
        surplus = max(0, self._index - (self.max_size - 1))
        self._rows.append(keys, values, [(surplus, self._index)])
        self._padding = tuple(count - surplus for count in self._padding)
        self._offsets = tuple(offset + keys.shape[2] for offset in self._offsets)
        self._columns += keys.shape[2]
        self._index = self._rows.room

    def _order(self) -> None:
        """Bring the columns in the order the tokens came in, without spare room behind them."""
        if self._rotated:
            index = self._index
            self._rows.map(lambda array: mx.roll(array, -index, axis=2))
            self._index, self._rotated = self.max_size, False

    def _drop_front(self, count: int) -> None:
        self._rows.map(lambda array: array[:, :, count:])
        self._padding = tuple(padding - count for padding in self._padding)
        self._index -= count

    def _shifts(self) -> list[int]:
        """How many columns of announced padding each row ends with by now."""
        if not self._ends:
            return [0] * self.batch_size
        return [max(0, offset - end) for offset, end in zip(self._offsets, self._ends, strict=True)]

    def _rolled_padding(self) -> mx.array:
        counts = [a + b for a, b in zip(self._padding, self._shifts(), strict=True)]
        return mx.array(counts, dtype=mx.int32)

    def _roll(self) -> None:
        """Move announced padding from behind the rows to their front."""
        shifts = self._shifts()
        if not any(shifts):
            return
        by, index = mx.array(shifts, dtype=mx.int32), self._index
        self._rows.map(lambda array: dynamic_roll(array[:, :, :index], by, axis=2))
        self._padding = tuple(a + b for a, b in zip(self._padding, shifts, strict=True))
        self._offsets = tuple(a - b for a, b in zip(self._offsets, shifts, strict=True))
