"""Several caches of one layer."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import islice
from typing import Self

import mlxc as mx

from ..mask import Mask
from .base import Cache, KeysOrValues, Snapshot
from .batching import BatchCache

MAX_DEPTH = 16


class ListSnapshot(Snapshot):
    """The snapshots of the children."""

    def __init__(self, children: Sequence[Snapshot]) -> None:
        self.children = children

    def arrays(self) -> Iterator[mx.array]:
        for child in self.children:
            yield from child.arrays()


class CacheList(BatchCache):
    """Hold the caches of a layer that needs several, such as one of attention and one of state.

    A model takes them by number and uses each as it is; what concerns the layer as a whole, such
    as `trim` and `snapshot`, goes to all.

    Args:
        caches: The caches, one at least.

    Example:
        caches = CacheList(ArraysCache(2), KVCache())
        caches[1].update_and_fetch(keys, values)
    """

    def __init__(self, *caches: Cache) -> None:
        if not caches:
            raise ValueError("a CacheList needs one cache at least")
        self.caches = caches

    def __getitem__(self, number: int) -> Cache:
        return self.caches[number]

    def __len__(self) -> int:
        return len(self.caches)

    @property
    def offset(self) -> int:  # type: ignore[override]
        """The position of the child that has come furthest."""
        return self.position

    @property
    def position(self) -> int:
        return max(cache.position for cache in self.caches)

    def update_and_fetch(
        self, keys: mx.array, values: mx.array
    ) -> tuple[KeysOrValues, KeysOrValues]:
        raise ValueError("a CacheList holds no keys and values itself: update one of its caches")

    def make_mask(self, length: int, window_size: int | None = None) -> Mask:
        raise ValueError("a CacheList has no mask of its own: ask one of its caches")

    def is_trimmable(self) -> bool:
        return all(cache.is_trimmable() for cache in self.caches)

    def trim(self, count: int) -> int:
        if not self.is_trimmable():
            return 0
        return [cache.trim(count) for cache in self.caches][-1]

    def snapshot(self) -> Snapshot:
        return ListSnapshot([cache.snapshot() for cache in self.caches])

    def restore(self, snapshot: Snapshot) -> None:
        if not isinstance(snapshot, ListSnapshot) or len(snapshot.children) != len(self):
            raise ValueError("a snapshot can only restore the cache it was taken of")
        for cache, child in zip(self.caches, snapshot.children, strict=True):
            cache.restore(child)

    @property
    def state(self) -> list[mx.array]:
        """The arrays of all children, one child after the other."""
        return [array for cache in self.caches for array in cache.state]

    @property
    def meta_state(self) -> tuple[str, ...]:
        """How many children, then of each: class, arrays, length of its meta_state, and that."""
        parts = [str(len(self.caches))]
        for cache in self.caches:
            meta = cache.meta_state
            parts += [type(cache).__name__, str(len(cache.state)), str(len(meta)), *meta]
        return tuple(parts)

    @classmethod
    def from_state(
        cls, state: Sequence[mx.array], meta_state: Sequence[str] = (), depth: int = 0
    ) -> Self:
        from .kinds import cache_kind

        if depth >= MAX_DEPTH:
            raise ValueError(f"CacheLists may be nested {MAX_DEPTH} deep at most")
        arrays, words = iter(state), iter(meta_state)

        def number() -> int:
            word = next(words, "")
            if not (word.isascii() and word.isdecimal() and len(word) < 8):
                raise ValueError(
                    "the meta_state of a CacheList is a count of children and of each its class, "
                    f"its arrays and its own meta_state, got {list(meta_state)[:20]}"
                )
            return int(word)

        children: list[Cache] = []
        for _ in range(number()):
            kind = cache_kind(next(words, ""))
            array_count, word_count = number(), number()
            own, meta = list(islice(arrays, array_count)), list(islice(words, word_count))
            if (len(own), len(meta)) != (array_count, word_count):
                raise ValueError(
                    f"child {len(children)} of a CacheList lacks arrays or parts of its meta_state"
                )
            children.append(
                cls.from_state(own, meta, depth + 1)
                if kind is CacheList
                else kind.from_state(own, meta)
            )
        if next(arrays, None) is not None or next(words, None) is not None:
            raise ValueError("arrays or parts of the meta_state of a CacheList belong to no child")
        return cls(*children)

    @property
    def nbytes(self) -> int:
        return sum(cache.nbytes for cache in self.caches)

    def nbytes_for(self, tokens: int) -> int:
        return sum(cache.nbytes_for(tokens) for cache in self.caches)

    def empty(self) -> bool:
        return self.caches[0].empty()

    def copy(self) -> Self:
        return type(self)(*(cache.copy() for cache in self.caches))

    def branch(self, snapshots: Sequence[Snapshot]) -> tuple[Self, list[Snapshot]]:
        known = [snapshot for snapshot in snapshots if isinstance(snapshot, ListSnapshot)]
        if len(known) < len(snapshots):
            raise ValueError("only snapshots of this cache can go along with a copy of it")
        branches = [
            cache.branch([snapshot.children[place] for snapshot in known])
            for place, cache in enumerate(self.caches)
        ]
        twin = type(self)(*(cache for cache, _ in branches))
        return twin, [ListSnapshot([made[i] for _, made in branches]) for i in range(len(known))]

    def to_quantized(self, group_size: int = 64, bits: int = 4, start: int = 0) -> Cache:
        return type(self)(*(cache.to_quantized(group_size, bits, start) for cache in self.caches))

    def to_rotating(self, max_size: int, keep: int = 4) -> Cache:
        return type(self)(*(cache.to_rotating(max_size, keep) for cache in self.caches))

    @property
    def batch_size(self) -> int:
        return self._batches()[0].batch_size

    def prepare(
        self,
        *,
        left_padding: Sequence[int] | None = None,
        lengths: Sequence[int] | None = None,
        right_padding: Sequence[int] | None = None,
    ) -> None:
        for cache in self._batches():
            cache.prepare(left_padding=left_padding, lengths=lengths, right_padding=right_padding)

    def finalize(self) -> None:
        for cache in self._batches():
            cache.finalize()

    def filter(self, rows: Sequence[int]) -> None:
        for cache in self._batches():
            cache.filter(rows)

    def extend(self, other: Self) -> None:
        for cache, more in zip(self._batches(), other._batches(), strict=True):
            cache.extend(more)

    def extract(self, row: int) -> CacheList:
        return CacheList(*(cache.extract(row) for cache in self._batches()))

    @property
    def batch_kind(self) -> Hashable | None:
        kinds = tuple(cache.batch_kind for cache in self.caches)
        return None if None in kinds else kinds

    @classmethod
    def merge(cls, caches: Sequence[Self]) -> BatchCache:
        columns = zip(*(cache.caches for cache in caches), strict=True)
        return cls(*(type(column[0]).merge(column) for column in columns))

    def _batches(self) -> list[BatchCache]:
        batches = [cache for cache in self.caches if isinstance(cache, BatchCache)]
        if len(batches) < len(self.caches):
            raise ValueError("this CacheList holds caches of one sequence: merge several first")
        return batches
