"""The caches of several rows, one a layer, that the rows of a batch share."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import mlxc as mx

from ..cache import BatchCache, Cache


def batch_kind(caches: Sequence[Cache]) -> Hashable | None:
    """Return what rows must have in common to share caches; None where a row goes alone."""
    kinds = tuple(cache.batch_kind for cache in caches)
    return None if None in kinds else kinds


class RowCaches:
    """Caches made of those of single rows, which stay as they are.

    A row of a kind that cannot be batched has some to itself; it is never joined by another.

    Args:
        rows: Of each row one a layer, of one `batch_kind`; a single row where that is None.

    Attributes:
        kind: The `batch_kind` of the rows.
        layers: What the model is given.
    """

    def __init__(self, rows: Sequence[Sequence[Cache]]) -> None:
        self.kind = batch_kind(rows[0])
        self._batched: list[BatchCache] = []
        self.layers: Sequence[Cache]
        if self.kind is None:
            self.layers = [cache.copy() for cache in rows[0]]
        else:
            columns = zip(*rows, strict=True)
            self._batched = [type(column[0]).merge(column) for column in columns]
            self.layers = self._batched

    def prepare(self, lengths: Sequence[int], right_padding: Sequence[int]) -> None:
        """Announce padding behind the tokens to come; see `BatchCache`."""
        for cache in self._batched:
            cache.prepare(lengths=lengths, right_padding=right_padding)

    def finalize(self) -> None:
        """Take announced padding out of the way."""
        for cache in self._batched:
            cache.finalize()

    def extend(self, other: RowCaches) -> None:
        """Add the rows of others of the same kind behind one's own."""
        for cache, more in zip(self._batched, other._batched, strict=True):
            cache.extend(more)

    def filter(self, rows: Sequence[int]) -> None:
        """Keep the rows of the given numbers, one at least."""
        for cache in self._batched:
            cache.filter(rows)

    def extract(self, row: int) -> list[Cache]:
        """Return the caches of one row alone, on their way to be computed."""
        if self.kind is None:
            return [cache.copy() for cache in self.layers]
        caches: list[Cache] = [cache.extract(row) for cache in self._batched]
        # A slice that waits would keep the whole batch, and keep it from being written in place.
        mx.async_eval([cache.state for cache in caches])
        return caches
