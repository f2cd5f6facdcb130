"""The plain cache of several sequences at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import mlxc as mx

from ..mask import Mask, create_attention_mask, create_causal_mask
from .base import Cache, KeysOrValues
from .batching import BatchCache, check_counts, check_rows, dynamic_roll, padded
from .kv import KVCache
from .row_cache import RowCache
from .rows import Rows


class BatchKVCache(RowCache, BatchCache):
    """Keep all keys and values of several sequences; see `KVCache` and `BatchCache`.

    Args:
        left_padding: How many columns of padding there are in front of each sequence.

    Example:
        cache = BatchKVCache([1, 3, 0])
        model(mx.array([[0, 1, 3, 5], [0, 0, 0, 7], [4, 2, 6, 8]]), [cache])
    """

    def __init__(self, left_padding: Sequence[int]) -> None:
        super().__init__(Rows())
        self._padding = check_counts("left_padding", left_padding, len(left_padding))
        self._columns = 0
        self._right_padding: tuple[int, ...] = ()

    @classmethod
    def of_rows(cls, caches: Sequence[KVCache]) -> Self:
        """Return one cache whose rows are the contents of several single ones, in their order."""
        length = max(cache.offset for cache in caches)
        batch = cls([length - cache.offset for cache in caches])
        states = [cache.state for cache in caches]
        batch._rows.stack([padded(state, length) for state in states])
        batch._columns = length
        return batch

    @property
    def batch_size(self) -> int:
        return len(self._padding)

    @property
    def left_padding(self) -> mx.array:
        """Columns of padding in front of each sequence, int32 `(B,)`."""
        return mx.array(self._padding, dtype=mx.int32)

    @property
    def offset(self) -> mx.array:  # type: ignore[override]
        """The position of the next token of each sequence, int32 `(B,)`; below 0 in padding."""
        return mx.array([self._columns - count for count in self._padding], dtype=mx.int32)

    @property
    def position(self) -> int:
        return self._columns

    def update_and_fetch(
        self, keys: mx.array, values: mx.array
    ) -> tuple[KeysOrValues, KeysOrValues]:
        self._rows.check(keys, values, self.batch_size)
        start, end = self._columns, self._columns + keys.shape[2]
        room = self._room_for(end)
        seen = self._rows.write(start, keys, values, kept=start, room=room, shown=end)
        self._columns = end
        return seen

    def make_mask(self, length: int, window_size: int | None = None) -> Mask:
        if not any(self._padding):
            return create_attention_mask(length, self._columns, window_size)
        mask = create_causal_mask(length, self._columns, window_size)
        columns = mx.arange(self._columns + length)
        return mask & (columns >= self.left_padding[:, None, None, None])  # (B, 1, L, S)

    def is_trimmable(self) -> bool:
        return True

    def trim(self, count: int) -> int:
        count = max(0, min(count, self._columns))
        self._columns -= count
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
        if right_padding is not None:
            counts = check_counts("right_padding", right_padding, self.batch_size)
            self._right_padding = counts if any(counts) else ()

    def finalize(self) -> None:
        if not self._right_padding:
            return
        shifts = mx.array(self._right_padding, dtype=mx.int32)
        columns = self._columns
        self._rows.map(lambda array: dynamic_roll(array[:, :, :columns], shifts, axis=2))
        self._padding = tuple(
            a + b for a, b in zip(self._padding, self._right_padding, strict=True)
        )
        self._right_padding = ()

    def filter(self, rows: Sequence[int]) -> None:
        check_rows(rows, self.batch_size)
        self._padding = tuple(self._padding[row] for row in rows)
        spare = min(min(self._padding, default=0), self._columns)
        kept, columns = mx.array(list(rows), dtype=mx.int32), self._columns
        self._rows.map(lambda array: array[kept, :, spare:columns])
        self._columns -= spare
        self._padding = tuple(count - spare for count in self._padding)

    def extend(self, other: Self) -> None:
        length = max(self._columns, other._columns)
        both = (self, other)
        self._rows.stack(
            [padded(one._rows.slices(0, one._columns), length) for one in both],
            [one.batch_size for one in both],
        )
        self._padding = tuple(
            count + length - one._columns for one in both for count in one._padding
        )
        self._columns = length

    def extract(self, row: int) -> Cache:
        check_rows([row], self.batch_size)
        state = [
            mx.contiguous(array[row : row + 1])
            for array in self._rows.slices(self._padding[row], self._columns)
        ]
        return KVCache.from_state(state if self._columns > self._padding[row] else [])

    @property
    def state(self) -> list[mx.array]:
        """Keys and values unless empty, the offsets, the left padding."""
        return [*self._rows.slices(0, self._columns), self.offset, self.left_padding]

    @property
    def meta_state(self) -> tuple[str, ...]:
        return ()

    @classmethod
    def from_state(cls, state: Sequence[mx.array], meta_state: Sequence[str] = ()) -> Self:
        if len(state) not in (2, 4) or any(meta_state):
            raise ValueError(
                f"the state of a {cls.__name__} is [keys, values, offset, left_padding], or the "
                f"last two while empty, without meta_state, got {len(state)} arrays and "
                f"meta_state {list(meta_state)}"
            )
        offset, padding = (read_counts(array) for array in state[-2:])
        cache = cls(padding)
        if len(state) == 4:
            cache._rows.load(state[:2], batch=len(padding))
        cache._columns = cache._rows.room
        if cache.offset.tolist() != offset:
            raise ValueError(
                f"the offsets of a {cls.__name__} of {cache._columns} columns with left_padding "
                f"{padding} cannot be {offset}"
            )
        return cache

    @property
    def _held(self) -> int:
        return self._columns


def read_counts(array: mx.array) -> list[int]:
    """Return the numbers in an array `(B,)` of a state.

    Raises:
        ValueError: It is no row of integers.
    """
    if array.ndim != 1 or not mx.issubdtype(array.dtype, mx.integer):
        raise ValueError(
            "offset and left_padding must be one integer a row, got "
            f"{array.dtype} of shape {tuple(array.shape)}"
        )
    numbers: list[int] = array.tolist()
    return numbers
