"""The cache of layers with a state of their own in place of keys and values."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from copy import copy
from typing import Self

import mlxc as mx

from .base import Cache, KeysOrValues, Snapshot
from .batching import BatchCache, check_counts, check_rows

MAX_SLOTS = 2**20


class ArraysSnapshot(Snapshot):
    """The contents of the slots, and what was counted beside them."""

    def __init__(self, owner: ArraysCache) -> None:
        self.owner = owner
        self.slots = _aliases(owner._slots)
        self.left_padding = owner._left_padding
        self.lengths = owner._lengths
        self.offset, self.behind = owner.offset, owner._behind

    def of(self, owner: ArraysCache) -> ArraysSnapshot:
        """Return the same moment in the life of another cache."""
        twin = copy(self)
        twin.owner = owner
        return twin

    def arrays(self) -> Iterator[mx.array]:
        return (slot for slot in self.slots if slot is not None)


class ArraysCache(BatchCache):
    """Keep arrays in numbered slots: what a recurrent or convolutional layer remembers.

    A model reads and writes slots by number, asks `make_mask` which of the new tokens are no
    padding, and calls `advance` behind every forward pass. The state of an earlier token cannot
    be computed from a later one, so there is no `trim`: take a `snapshot` beforehand.

    Args:
        size: How many slots there are.
        left_padding: Tokens of padding in front of each row; None for none.

    Raises:
        ValueError: `size` is not in 0 … 2**20.

    Example:
        cache = ArraysCache(2)
        cache[0] = conv_state  # (B, …)
        cache.advance(tokens.shape[1])
    """

    offset: int

    def __init__(self, size: int, left_padding: Sequence[int] | None = None) -> None:
        if not 0 <= size <= MAX_SLOTS:
            raise ValueError(f"size must be in 0 … {MAX_SLOTS}, got {size}")
        self._slots: list[mx.array | None] = [None] * size
        self._left_padding = None if left_padding is None else tuple(left_padding)
        self._lengths: tuple[int, ...] | None = None
        self.offset = 0
        self._behind: tuple[int, ...] = (0,)  # how many tokens each row lacks of the offset

    def __len__(self) -> int:
        return len(self._slots)

    def __getitem__(self, slot: int) -> mx.array | None:
        return self._slots[slot]

    def __setitem__(self, slot: int, value: mx.array | None) -> None:
        self._slots[slot] = value

    @property
    def position(self) -> int:
        return self.offset

    @property
    def batch_size(self) -> int:
        for slot in self._slots:
            if slot is not None:
                return slot.shape[0]
        return len(self._left_padding or self._lengths or self._behind)

    @property
    def left_padding(self) -> mx.array | None:
        """Tokens of padding to come in front of each row, int32 `(B,)`."""
        return None if self._left_padding is None else mx.array(self._left_padding, dtype=mx.int32)

    @property
    def lengths(self) -> mx.array | None:
        """Tokens to come of each row, int32 `(B,)`."""
        return None if self._lengths is None else mx.array(self._lengths, dtype=mx.int32)

    def advance(self, count: int) -> None:
        """Note that `count` tokens were read."""
        self.offset += count
        padding = [
            min(count, max(0, ahead) + max(0, count - left))
            for ahead, left in zip(
                self._left_padding or (0,) * self.batch_size,
                self._lengths or (count,) * self.batch_size,
                strict=True,
            )
        ]
        self._behind = tuple(a + b for a, b in zip(self._lacking(), padding, strict=True))
        if self._left_padding is not None:
            self._left_padding = tuple(padding - count for padding in self._left_padding)
        if self._lengths is not None:
            self._lengths = tuple(length - count for length in self._lengths)

    def update_and_fetch(
        self, keys: mx.array, values: mx.array
    ) -> tuple[KeysOrValues, KeysOrValues]:
        raise ValueError("an ArraysCache holds no keys and values: set its slots by number")

    def make_mask(self, length: int, window_size: int | None = None) -> mx.array | None:
        """Return which of the L new tokens are no padding, booleans `(B, L)`; None for all."""
        places, mask = mx.arange(length), None
        if self.left_padding is not None:
            mask = places >= self.left_padding[:, None]
        if self.lengths is not None:
            inside = places < self.lengths[:, None]
            mask = inside if mask is None else mask & inside
        return mask

    def is_trimmable(self) -> bool:
        return False

    def trim(self, count: int) -> int:
        return 0

    def snapshot(self) -> Snapshot:
        return ArraysSnapshot(self)

    def restore(self, snapshot: Snapshot) -> None:
        if not isinstance(snapshot, ArraysSnapshot) or snapshot.owner is not self:
            raise ValueError("a snapshot can only restore the cache it was taken of")
        self._slots = _aliases(snapshot.slots)
        self._left_padding, self._lengths = snapshot.left_padding, snapshot.lengths
        self.offset, self._behind = snapshot.offset, snapshot.behind

    def branch(self, snapshots: Sequence[Snapshot]) -> tuple[Self, list[Snapshot]]:
        known = [snapshot for snapshot in snapshots if isinstance(snapshot, ArraysSnapshot)]
        if len(known) < len(snapshots) or any(snapshot.owner is not self for snapshot in known):
            raise ValueError("only snapshots of this cache can go along with a copy of it")
        twin = self.copy()
        return twin, [snapshot.of(twin) for snapshot in known]

    @property
    def state(self) -> list[mx.array]:
        """The slots that are set, in their order."""
        return [slot for slot in self._slots if slot is not None]

    @property
    def meta_state(self) -> tuple[str, ...]:
        """How many slots, which of them are set, and left padding and lengths where there are."""
        present = [number for number, slot in enumerate(self._slots) if slot is not None]
        parts = present, self._left_padding or (), self._lengths or ()
        return str(len(self._slots)), *(",".join(map(str, part)) for part in parts)

    @classmethod
    def from_state(cls, state: Sequence[mx.array], meta_state: Sequence[str] = ()) -> Self:
        meta = tuple(meta_state) or (str(len(state)), ",".join(map(str, range(len(state)))))
        if not 2 <= len(meta) <= 4 or not meta[0].isdecimal() or len(meta[0]) > 7:
            raise ValueError(
                "the meta_state of an ArraysCache is (slots, those set, left_padding, lengths), "
                f"got {list(meta)}"
            )
        cache = cls(int(meta[0]))
        present, padding, lengths = (_parse_list(text) for text in (*meta[1:], "", "")[:3])
        if len(present) != len(state) or present != sorted(set(present)):
            raise ValueError(
                f"{len(state)} arrays cannot fill the slots {present}; each needs a number of its "
                "own, in their order"
            )
        if present and not 0 <= present[0] <= present[-1] < len(cache):
            raise ValueError(f"the slots must be in 0 … {len(cache) - 1}, got {present}")
        for slot, array in zip(present, state, strict=True):
            cache[slot] = array[...]
        cache._left_padding = tuple(padding) or None
        cache._lengths = tuple(lengths) or None
        rows = {array.shape[0] if array.ndim else 0 for array in state}
        rows |= {len(counts) for counts in (padding, lengths) if counts}
        if len(rows) > 1:
            raise ValueError(f"all of an ArraysCache must be of one batch, got {sorted(rows)} rows")
        return cache

    @property
    def nbytes(self) -> int:
        return sum(slot.nbytes for slot in self.state)

    def empty(self) -> bool:
        return not self.state

    def copy(self) -> Self:
        twin = type(self)(len(self._slots), self._left_padding)
        twin._slots = _aliases(self._slots)
        twin._lengths, twin.offset, twin._behind = self._lengths, self.offset, self._behind
        return twin

    def to_quantized(self, group_size: int = 64, bits: int = 4, start: int = 0) -> Cache:
        """Return itself: a state of one size needs no packing."""
        return self

    def prepare(
        self,
        *,
        left_padding: Sequence[int] | None = None,
        lengths: Sequence[int] | None = None,
        right_padding: Sequence[int] | None = None,
    ) -> None:
        if left_padding is not None:
            size = self.batch_size if self.state else len(left_padding)
            self._left_padding = check_counts("left_padding", left_padding, size)
        if lengths is not None:
            size = self.batch_size if self.state else len(lengths)
            self._lengths = check_counts("lengths", lengths, size)

    def finalize(self) -> None:
        self._left_padding = self._lengths = None

    def filter(self, rows: Sequence[int]) -> None:
        check_rows(rows, self.batch_size)
        behind = self._lacking()
        kept = mx.array(list(rows), dtype=mx.int32)
        self._slots = [None if slot is None else slot[kept] for slot in self._slots]
        if self._left_padding is not None:
            self._left_padding = tuple(self._left_padding[row] for row in rows)
        if self._lengths is not None:
            self._lengths = tuple(self._lengths[row] for row in rows)
        self._behind = tuple(behind[row] for row in rows)

    def extend(self, other: Self) -> None:
        if len(self) != len(other):
            raise ValueError(f"both must have as many slots, got {len(self)} and {len(other)}")
        sizes = self.batch_size, other.batch_size
        offset = max(self.offset, other.offset)
        behind = [offset - one.offset + count for one in (self, other) for count in one._lacking()]
        self._slots = [
            _stacked(pair, sizes) for pair in zip(self._slots, other._slots, strict=True)
        ]
        self._left_padding = _joined(self._left_padding, other._left_padding, sizes, 0)
        # A row without a count has no padding behind it.
        self._lengths = _joined(self._lengths, other._lengths, sizes, 2**31 - 1)
        self.offset, self._behind = offset, tuple(behind)

    def extract(self, row: int) -> ArraysCache:
        check_rows([row], self.batch_size)
        cache = ArraysCache(len(self))
        cache._slots = [
            None if slot is None else mx.contiguous(slot[row : row + 1]) for slot in self._slots
        ]
        cache.offset = self.offset - self._lacking()[row]
        return cache

    @property
    def batch_kind(self) -> Hashable | None:
        return type(self).__name__, len(self)

    @classmethod
    def merge(cls, caches: Sequence[Self]) -> BatchCache:
        merged = caches[0].copy()
        for cache in caches[1:]:
            merged.extend(cache)
        return merged

    def _lacking(self) -> tuple[int, ...]:
        # Rows that nobody merged or counted have all read the same.
        size = self.batch_size
        return self._behind if len(self._behind) == size else (0,) * size


def _aliases(slots: Sequence[mx.array | None]) -> list[mx.array | None]:
    # Objects of their own, so that a write into a slot's array stays with its cache.
    return [None if slot is None else slot[...] for slot in slots]


def _parse_list(text: str) -> list[int]:
    parts = text.split(",", MAX_SLOTS) if text else []
    if any(re.fullmatch(r"-?[0-9]{1,10}", part) is None for part in parts):
        raise ValueError(f"expected numbers with commas between them, got {text[:80]!r}")
    return [int(part) for part in parts]


def _stacked(
    pair: tuple[mx.array | None, mx.array | None], sizes: tuple[int, int]
) -> mx.array | None:
    like = next((array for array in pair if array is not None), None)
    if like is None:
        return None
    return mx.concatenate(
        [
            mx.zeros((size, *like.shape[1:]), dtype=like.dtype) if array is None else array
            for array, size in zip(pair, sizes, strict=True)
        ]
    )


def _joined(
    a: tuple[int, ...] | None, b: tuple[int, ...] | None, sizes: tuple[int, int], without: int
) -> tuple[int, ...] | None:
    if a is None and b is None:
        return None
    return (*(a or (without,) * sizes[0]), *(b or (without,) * sizes[1]))
