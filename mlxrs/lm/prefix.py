"""Which tokens a conversation's caches hold, and how much of them the next turn can keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mlxc as mx

from .cache import (
    Cache,
    Snapshot,
    cached_tokens,
    can_trim_prompt_cache,
    restore_prompt_cache,
    rewind_prompt_cache,
    snapshot_prompt_cache,
)

MAX_CHECKPOINTS = 8


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A moment to come back to: when the caches held the first `length` tokens with names."""

    length: int
    snapshots: list[Snapshot]


class CachedPrefix:
    """The caches of a conversation beside the token ids in them.

    What a restored cache already holds has no names: those tokens lie in front of the
    conversation, are never part of its transcript and never taken back.

    Caches that cannot be trimmed go back to one of the moments `mark` was called at, of which a
    bounded number is kept, or begin anew as they were given.

    Attributes:
        caches: One a layer.
        opaque: How many tokens at their front have no names.
        known: The ids of the tokens behind those.
    """

    def __init__(self, caches: Sequence[Cache]) -> None:
        """Take copies of caches, holding nothing or nameless tokens."""
        self.opaque = self._given = cached_tokens(caches)
        self.known: list[int] = []
        self._exact = True
        self._marks: list[Checkpoint] = []
        # Copies share their memory until one is written to, so empty ones cost nothing.
        self._origin: list[Cache] | None = _copies(caches)
        self.caches = _copies(caches)

    @classmethod
    def holding(cls, caches: list[Cache], known: Sequence[int], opaque: int) -> CachedPrefix:
        """Return caches that come with the names of what they hold, but for the first tokens.

        Raises:
            ValueError: They do not hold so many.
        """
        prefix = cls([])
        prefix.caches, prefix.known = caches, list(known)
        prefix.opaque = prefix._given = opaque
        if prefix._positions() - {opaque + len(known)}:
            raise ValueError(
                f"the caches hold {cached_tokens(caches)} tokens, {opaque} without and "
                f"{len(known)} with a name were to be in them"
            )
        prefix._origin = None
        prefix.mark(len(known))
        return prefix

    def copy(self) -> CachedPrefix:
        """Return an independent copy; the caches share their memory until one is written to."""
        twin = CachedPrefix([])
        twin.opaque, twin._given, twin.known = self.opaque, self._given, list(self.known)
        twin._exact, twin._origin = self._exact, self._origin
        branches = [
            cache.branch([mark.snapshots[place] for mark in self._marks])
            for place, cache in enumerate(self.caches)
        ]
        twin.caches = [cache for cache, _ in branches]
        twin._marks = [
            Checkpoint(mark.length, [made[i] for _, made in branches])
            for i, mark in enumerate(self._marks)
        ]
        return twin

    @property
    def given(self) -> int:
        """How many nameless tokens the caches came with; these must not be lost."""
        return self._given

    @property
    def exact(self) -> bool:
        """Whether `known` names all that the caches hold behind the tokens they came with."""
        return self._exact

    def mark(self, length: int) -> None:
        """Make the present, when the caches hold so many named tokens, a moment to come back to."""
        if not self._marks or self._marks[-1].length < length:
            self._marks.append(Checkpoint(length, snapshot_prompt_cache(self.caches)))
            del self._marks[:-MAX_CHECKPOINTS]

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes: by the caches, and by what is kept to come back to.

        What copies of the caches share counts for each of them.
        """
        kept = {
            id(array): array.nbytes
            for mark in self._marks
            for snapshot in mark.snapshots
            for array in snapshot.arrays()
        }
        held = [*self.caches, *(self._origin or [])]
        return sum(cache.nbytes for cache in held) + sum(kept.values())

    def shrink(self, nbytes: int) -> None:
        """Give up the oldest moments to come back to, until no more memory is held than that."""
        while self._marks and self.nbytes > nbytes:
            del self._marks[0]

    def rewind_to(self, ids: Sequence[int]) -> int | None:
        """Take back what the caches hold beyond their common beginning with a transcript.

        Args:
            ids: The transcript of the turn to come.

        Returns:
            How many of `ids` the caches hold now; the last one is never among them, so that
            there is one to read. None where the caches cannot be brought to hold a beginning
            of `ids`: then nothing has changed.
        """
        if self._positions() - {self.opaque + len(self.known)}:
            # Somebody else has advanced the caches, or an interrupt stopped us half-way.
            self._exact = False
        kept = common_length(self.known, ids[:-1])
        if self._exact and kept == len(self.known):
            return kept
        usable = [mark for mark in self._marks if mark.length <= kept]
        if self._exact and can_trim_prompt_cache(self.caches):
            rewind_prompt_cache(self.caches, self.opaque + kept)
        elif self._exact and usable:
            kept = usable[-1].length
            restore_prompt_cache(self.caches, usable[-1].snapshots)
        elif self._origin is not None:
            kept, usable = 0, []
            self.caches = _copies(self._origin)
        else:
            return None
        self._marks, self.known = usable, self.known[:kept]
        self.opaque, self._exact = self._given, True
        self._schedule()
        return kept

    def record(self, ids: Sequence[int], read: int) -> None:
        """Note what the caches hold after a turn.

        Args:
            ids: The transcript: all that was read and generated.
            read: How many of them the model has read.
        """
        positions = self._positions()
        if positions - {self.opaque + read}:
            self.opaque, self.known, self._exact = max(positions), [], False
        else:
            self.known = list(ids[:read])
            self.mark(read)
        self._schedule()

    def _schedule(self) -> None:
        """Begin to compute what is not yet, so that the next reply need not."""
        mx.async_eval([cache.state for cache in self.caches])

    def _positions(self) -> set[int]:
        # Layers without attention keep no positions and stay at 0.
        return {cache.position for cache in self.caches} - {0}


def _copies(caches: Sequence[Cache]) -> list[Cache]:
    return [cache.copy() for cache in caches]


def common_length(a: Sequence[int], b: Sequence[int]) -> int:
    """Return how many ids two sequences begin with together."""
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return i
    return min(len(a), len(b))
