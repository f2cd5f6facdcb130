"""What the caches of keys and values have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any, Self

import mlxc as mx

from .base import Cache, Snapshot
from .rows import Mark, Rows


class RowSnapshot(Snapshot):
    """A mark of the rows, and what the cache counted then."""

    def __init__(self, mark: Mark, counters: dict[str, Any]) -> None:
        self.mark = mark
        self.counters = counters

    def arrays(self) -> Iterator[mx.array]:
        mark: Mark | None = self.mark
        while mark is not None:
            yield from mark.overwritten
            mark = mark.newer


class RowCache(Cache):
    """A cache whose keys and values lie in `Rows`; all else it knows are numbers and small arrays.

    Whoever changes one of those small arrays makes a new one, so that snapshots and copies can
    share it.
    """

    STEP = 256  # by how many tokens the room grows

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    @property
    @abstractmethod
    def _held(self) -> int:
        """How many rows in front hold something."""

    def snapshot(self) -> Snapshot:
        return RowSnapshot(self._rows.mark(self._held), dict(vars(self)))

    def restore(self, snapshot: Snapshot) -> None:
        if not isinstance(snapshot, RowSnapshot):
            raise ValueError("a snapshot can only restore the cache it was taken of")
        self._rows.rewind(snapshot.mark)
        vars(self).update(snapshot.counters)

    @property
    def nbytes(self) -> int:
        return self._rows.nbytes

    def nbytes_for(self, tokens: int) -> int:
        room = self._rows.room
        return self._rows.nbytes // room * self._room_with(tokens) if room else 0

    def empty(self) -> bool:
        return self._rows.room == 0

    def copy(self) -> Self:
        twin = copy(self)
        twin._rows = self._rows.copy()
        return twin

    def branch(self, snapshots: Sequence[Snapshot]) -> tuple[Self, list[Snapshot]]:
        known = [snapshot for snapshot in snapshots if isinstance(snapshot, RowSnapshot)]
        if len(known) < len(snapshots):
            raise ValueError("only snapshots of this cache can go along with a copy of it")
        twin = copy(self)
        twin._rows, marks = self._rows.branch([snapshot.mark for snapshot in known])
        return twin, [
            RowSnapshot(mark, snapshot.counters | {"_rows": twin._rows})
            for mark, snapshot in zip(marks, known, strict=True)
        ]

    def _room_with(self, tokens: int) -> int:
        """Return how many rows there are with so many tokens in it, at most."""
        return self._room_for(tokens)

    def _room_for(self, end: int) -> int:
        return -(-end // self.STEP) * self.STEP


def parse_numbers(kind: str, meta_state: tuple[str, ...], names: tuple[str, ...]) -> list[int]:
    """Return the counters in a meta_state.

    Raises:
        ValueError: There are more or fewer than `names`, or one is no number >= 0.
    """
    if len(meta_state) != len(names) or not all(
        text.isascii() and text.isdigit() and len(text) < 19 for text in meta_state
    ):
        raise ValueError(
            f"the meta_state of a {kind} is {len(names)} numbers >= 0, ({', '.join(names)}), got "
            f"{list(meta_state)}"
        )
    return [int(text) for text in meta_state]
