"""Reading the prompts of many rows, in chunks, and what they have in common once."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import mlxc as mx

from ..cache import Cache
from ..models import LanguageModel
from ..prefix import common_length
from .caches import RowCaches, batch_kind
from .row import Row

# A shorter beginning in common costs less to read again than to hand out.
SHARED = 32


@dataclass(slots=True, eq=False)
class Segment:
    """Tokens that the prompts of some rows go on with alike.

    Attributes:
        ids: The tokens.
        leaves: All rows whose prompts they belong to.
        rows: Those whose prompts end with them, but for the last token, which is not read here.
        children: What follows in the prompts of the others.
        cache: What comes before; None for nothing.
        read: How many tokens were read.
    """

    ids: list[int]
    leaves: Sequence[Row]
    rows: list[Row] = field(default_factory=list)
    children: list[Segment] = field(default_factory=list)
    cache: Sequence[Cache] | None = None
    read: int = 0

    @property
    def wanted(self) -> bool:
        """Whether a row still waits for it."""
        return not all(row.gone for row in self.leaves)


def segments_of(rows: Sequence[Row]) -> list[Segment]:
    """Return the prompts of rows as a forest of segments.

    Rows can have a beginning in common if they were given the same cache, or none.
    """
    found: list[Segment] = []
    fronts: dict[int, list[Row]] = {}
    for row in rows:
        fronts.setdefault(id(row.cache), []).append(row)
    for front in fronts.values():
        roots: list[Segment] = []
        # Rows in the order of their prompts, how much of those is in segments, and whose children
        # the rest becomes.
        tasks = [(sorted(front, key=lambda row: row.prompt), 0, roots)]
        while tasks:
            ordered, start, siblings = tasks.pop()
            for cluster in _clusters(ordered, start):
                first, last = cluster[0].prompt, cluster[-1].prompt
                stop = min(common_length(first, last), *(len(row.prompt) - 1 for row in cluster))
                segment = Segment(first[start:stop], cluster)
                segment.rows = [row for row in cluster if len(row.prompt) - 1 == stop]
                longer = [row for row in cluster if len(row.prompt) - 1 > stop]
                siblings.append(segment)
                tasks.append((longer, stop, segment.children))
        for root in roots:
            root.cache = front[0].cache
        found += roots
    places = {row: place for place, row in enumerate(rows)}
    return sorted(found, key=lambda segment: min(places[row] for row in segment.leaves))


def _clusters(ordered: Sequence[Row], start: int) -> list[list[Row]]:
    """Part rows that have little in common beyond the first tokens."""
    clusters: dict[tuple[int, ...], list[Row]] = {}
    for row in ordered:
        # Shorter ones are the same only as a whole, which costs nothing to share.
        clusters.setdefault(tuple(row.prompt[start : start + SHARED]), []).append(row)
    return list(clusters.values())


class PromptReader:
    """Reads segments, several at once, a chunk at a time.

    Args:
        model: The model.
        step_size: The most tokens of a chunk in each row.
        batch_size: The most rows of a chunk.
    """

    def __init__(self, model: LanguageModel, step_size: int, batch_size: int) -> None:
        self._model = model
        self._step_size = step_size
        self._batch_size = batch_size
        self._waiting: deque[Segment] = deque()
        self._reading: list[Segment] = []
        self._caches: RowCaches | None = None
        self._read: list[tuple[Row, Sequence[Cache]]] = []

    def __len__(self) -> int:
        """How many segments are being read."""
        return len(self._reading)

    def add(self, segments: Sequence[Segment]) -> None:
        """Read more, behind those that wait."""
        self._waiting.extend(segments)

    def discard(self) -> None:
        """Drop what only rows that are gone were waiting for."""
        self._waiting = deque(segment for segment in self._waiting if segment.wanted)
        self._keep([place for place, segment in enumerate(self._reading) if segment.wanted])

    def read(self, room: int, *, wait: bool) -> list[tuple[Row, Sequence[Cache]]]:
        """Read a chunk.

        Args:
            room: How many rows may be read at once as things stand.
            wait: Whether to wait until it is computed.

        Returns:
            The rows whose prompts were read but for the last token, and their caches, which
            several rows may have in common.
        """
        self._admit(min(room, self._batch_size))
        if self._caches is not None:
            self._read_chunk(self._caches, wait=wait)
            done = [s for s in self._reading if s.read == len(s.ids)]
            for segment in done:
                self._finish(segment, self._caches.extract(self._reading.index(segment)))
            self._keep([i for i, segment in enumerate(self._reading) if segment not in done])
        read, self._read = self._read, []
        return read

    def _admit(self, room: int) -> None:
        """Take in segments that wait, as far as they can share caches with those being read."""
        taken: list[Segment] = []
        kind = None if self._caches is None else self._caches.kind
        while self._waiting and len(self._reading) + len(taken) < room:
            segment = self._waiting[0]
            if segment.cache is None:
                segment.cache = self._model.make_cache()
            if segment.ids:
                own = batch_kind(segment.cache)
                if (self._reading or taken) and (own is None or own != kind):
                    break
                kind = own
                taken.append(segment)
            self._waiting.popleft()
            for row in segment.leaves:
                row.responder.start()
            if not segment.ids:
                self._finish(segment, segment.cache)
        if not taken:
            return
        fresh = RowCaches([segment.cache for segment in taken if segment.cache is not None])
        for segment in taken:
            segment.cache = None
        if self._caches is None:
            self._caches = fresh
        else:
            self._caches.extend(fresh)
        self._reading += taken

    def _read_chunk(self, caches: RowCaches, *, wait: bool) -> None:
        rests = [len(segment.ids) - segment.read for segment in self._reading]
        counts = [min(rest, self._step_size) for rest in rests]
        width = max(counts)
        padding = [width - count for count in counts]
        tokens = [
            segment.ids[segment.read : segment.read + count] + [0] * missing
            for segment, count, missing in zip(self._reading, counts, padding, strict=True)
        ]
        if any(padding):
            caches.prepare(counts, padding)
        self._model(mx.array(tokens, dtype=mx.uint32), caches.layers)
        if any(padding):
            caches.finalize()
        states = [cache.state for cache in caches.layers]
        if wait:
            mx.eval(states)
        else:
            mx.async_eval(states)
        for segment, count in zip(self._reading, counts, strict=True):
            segment.read += count

    def _finish(self, segment: Segment, caches: Sequence[Cache]) -> None:
        for row in segment.rows:
            if not row.gone:
                row.fed = len(row.prompt) - 1
                self._read.append((row, caches))
        children = [child for child in segment.children if child.wanted]
        for child in children:
            child.cache = caches
        self._waiting.extendleft(reversed(children))

    def _keep(self, places: Sequence[int]) -> None:
        """Go on with the segments of the given places alone."""
        if len(places) == len(self._reading):
            return
        self._reading = [self._reading[place] for place in places]
        if not places:
            self._caches = None
        elif self._caches is not None:
            self._caches.filter(places)
