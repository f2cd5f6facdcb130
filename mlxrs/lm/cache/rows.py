"""The storage of caches: arrays written in place along the sequence, with a way back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Self
from weakref import ref

import mlxc as mx

from .base import KeysOrValues
from .codec import Codec, Plain


class Mark:
    """A moment in the life of `Rows`, and what the next change overwrote.

    The marks of one storage are a chain from older to newer. The storage holds none of them
    strongly, so what nobody may come back to is not kept.
    """

    __slots__ = ("__weakref__", "codec", "name", "newer", "overwritten", "start")

    def __init__(self) -> None:
        # A collector that takes the mark with what holds it clears references to it first, and
        # then lets a generator put its caches right with it: the name still tells it.
        self.name = object()
        self.newer: Mark | None = None
        self.start: int | None = None  # None where all arrays were exchanged
        self.overwritten: list[mx.array] = []
        self.codec: Codec | None = None

    def copy(self) -> Mark:
        """Return the same moment in the life of other rows, of which nothing newer is known."""
        twin = Mark()
        twin.start, twin.overwritten, twin.codec = self.start, self.overwritten, self.codec
        return twin


class Rows:
    """Arrays `(B, H, S, ·)` holding one row of keys and values for each token along S.

    Writing in place costs the size of what is written. Nothing read before sees it.

    Attributes:
        codec: How keys and values lie in the arrays.
    """

    def __init__(self, codec: Codec | None = None) -> None:
        self.codec: Codec = codec or Plain()
        self._arrays: list[mx.array] = []
        self._layout: tuple[int, ...] | None = None  # (H, D of keys, D of values)
        self._last_mark: ref[Mark] | None = None
        self._last_name: object = None  # of the last mark, as long as nothing has changed unnoted
        self._guarded = 0  # rows in front that a mark may need
        self._saved_ahead: tuple[int, list[mx.array]] | None = None

    @property
    def room(self) -> int:
        """Rows there are, written or not."""
        return self._arrays[0].shape[2] if self._arrays else 0

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in self._arrays)

    def check(self, keys: mx.array, values: mx.array, batch: int | None = None) -> None:
        """Raise ValueError unless keys and values fit each other, what is held, and a batch."""
        shape, other = keys.shape, values.shape
        if len(shape) != 4 or len(other) != 4 or shape[:3] != other[:3]:
            raise ValueError(
                "keys and values must be (B, H, S, D) and differ in D at most, got "
                f"{tuple(shape)} and {tuple(other)}"
            )
        self._check_layout(shape[0], (shape[1], shape[3], other[3]), batch)

    def _check_layout(self, B: int, layout: tuple[int, ...], batch: int | None = None) -> None:
        if batch is None:
            batch = self._arrays[0].shape[0] if self._arrays else B
        if (self._layout or layout) != layout or B != batch:
            raise ValueError(
                "keys and values must fit the cache, (B, H, D of keys, D of values) = "
                f"{(batch, *(self._layout or layout))}, got {(B, *layout)}; use a new "
                "cache for another batch or model"
            )

    def write(
        self,
        start: int,
        keys: mx.array,
        values: mx.array,
        *,
        kept: int,
        room: int,
        shown: int,
        next_: int = -1,
    ) -> tuple[KeysOrValues, KeysOrValues]:
        """Write checked rows from `start` on; return the first rows for attention.

        Args:
            start: The first row to write.
            keys: `(B, H, L, D)`.
            values: Likewise.
            kept: How many rows in front hold something, if there has to be more room.
            room: How many rows there shall be if these do not fit in.
            shown: How many rows to return.
            next_: The row the next write will overwrite, where that is known.
        """
        rows = self.codec.encode(keys, values)
        self._layout = (keys.shape[1], keys.shape[3], values.shape[3])
        if start + keys.shape[2] > self.room:
            kept = max(kept, self._guarded) if self._mark() else kept
            likes = [(row.shape, row.dtype) for row in rows]
            self._arrays = _grown(self._arrays, likes, min(kept, self.room), room)
        if next_ < 0 or not self._mark():
            return self.codec.decode(self._put(start, rows, shown))
        self._put(start, rows)
        # Saved within this step, because a copy still running keeps the next write from
        # happening in place.
        self._saved_ahead = next_, self._save(next_, next_ + 1)
        return self.read(shown)

    def lend(
        self,
        start: int,
        end: int,
        layout: tuple[int, int, int],
        dtype: mx.Dtype,
        *,
        room: int,
    ) -> tuple[mx.array, mx.array]:
        """As `Cache.lend`, for the rows from `start` up to `end`; they are plain.

        Args:
            room: How many rows there shall be if these do not fit in.
        """
        B, H, D = layout
        self._check_layout(B, (H, D, D))
        if any(array.dtype != dtype for array in self._arrays):
            self.map(lambda array: array.astype(dtype))
        self._layout = (H, D, D)
        if end > self.room:
            kept = max(start, self._guarded) if self._mark() else start
            likes = [((B, H, 1, D), dtype)] * 2
            self._arrays = _grown(self._arrays, likes, min(kept, self.room), room)
        self._before_writing(start, end)
        keys, values = self._arrays
        return keys, values

    def take_back(self, keys: mx.array, values: mx.array) -> None:
        """Hold what was lent, with rows written into it."""
        self._arrays = [keys, values]

    def append(self, keys: mx.array, values: mx.array, pieces: Sequence[tuple[int, int]]) -> None:
        """Become the pieces of the rows given by first and last, with checked rows behind them."""
        rows = self.codec.encode(keys, values)
        self._layout = (keys.shape[1], keys.shape[3], values.shape[3])
        if not self._arrays:
            self.exchange([row[...] for row in rows])
            return
        self.exchange(
            [
                mx.concatenate([*(held[:, :, a:b] for a, b in pieces if a < b), row], axis=2)
                for held, row in zip(self._arrays, rows, strict=True)
            ]
        )

    def read(self, stop: int) -> tuple[KeysOrValues, KeysOrValues]:
        """Return the rows up to `stop` for attention."""
        return self.codec.decode(self.slices(0, stop))

    def slices(self, start: int, stop: int) -> list[mx.array]:
        """Return the rows from `start` up to `stop` of every array."""
        return [array[:, :, start:stop] for array in self._arrays]

    def slices_as(self, codec: Codec, start: int, stop: int) -> list[mx.array]:
        """Return the rows from `start` up to `stop` as another codec lays them out."""
        arrays = self.slices(start, stop)
        return arrays if codec is self.codec else codec.encode(*self.codec.expand(arrays))

    def map(self, change: Callable[[mx.array], mx.array]) -> None:
        """Replace every array by what a function makes of it."""
        self.exchange([change(array) for array in self._arrays])

    def recode(self, codec: Codec) -> None:
        """Lay the rows out in another way, if they are not yet."""
        if codec is self.codec:
            return
        arrays = codec.encode(*self.codec.expand(self._arrays)) if self._arrays else []
        self.exchange(arrays, codec)

    def exchange(self, arrays: list[mx.array], codec: Codec | None = None) -> None:
        """Hold other arrays."""
        if (mark := self._mark()) is not None:
            self._note(mark, None, [array[...] for array in self._arrays])
        else:
            self._last_name = None
        self._arrays, self.codec = arrays, codec or self.codec
        # Those before are in the mark, so nothing in the new ones is needed to come back.
        self._guarded, self._saved_ahead = 0, None

    def stack(
        self, states: Sequence[Sequence[mx.array]], batches: Sequence[int] | None = None
    ) -> None:
        """Hold the rows of several states as one batch.

        Args:
            states: Arrays `(B, H, S, ·)` of one S each; none where a state is empty.
            batches: How many rows each state has; one where it is None.

        Raises:
            ValueError: The arrays differ in more than B.
        """
        likes = next((state for state in states if state), None)
        if likes is None:
            return
        whole = []
        for state, rows in zip(states, batches or [1] * len(states), strict=True):
            whole.append(
                state or [mx.zeros((rows, *like.shape[1:]), dtype=like.dtype) for like in likes]
            )
        shapes = {tuple(array.shape[1:] for array in state) for state in whole}
        if len(shapes) > 1:
            raise ValueError(f"caches of one batch must be of one model, got rows of {shapes}")
        arrays = [mx.concatenate(list(parts)) for parts in zip(*whole, strict=True)]
        self._layout = self._layout_of(arrays)
        self.exchange(arrays)

    def load(self, arrays: Sequence[mx.array], batch: int | None = None) -> None:
        """Hold arrays from outside, which are never written into.

        Args:
            arrays: As many as the codec makes.
            batch: How many rows there must be; None for any.

        Raises:
            ValueError: They are not what the codec makes of keys and values.
        """
        if len(arrays) != self.codec.width or any(array.ndim != 4 for array in arrays):
            raise ValueError(
                f"the state must be {self.codec.width} arrays (B, H, S, D), got shapes "
                f"{[tuple(array.shape) for array in arrays]}"
            )
        if len({tuple(array.shape[:3]) for array in arrays}) > 1:
            raise ValueError(
                "the arrays of the state must agree in (B, H, S), got "
                f"{[tuple(array.shape[:3]) for array in arrays]}"
            )
        if not self.codec.accepts(arrays):
            raise ValueError(
                "the arrays of the state are of the wrong types, "
                f"{[str(array.dtype) for array in arrays]}"
            )
        if batch not in (None, arrays[0].shape[0]):
            raise ValueError(f"the state must hold {batch} rows, got {arrays[0].shape[0]}")
        self._layout = self._layout_of(arrays)
        self._arrays = [array[...] for array in arrays]

    def mark(self, held: int) -> Mark:
        """Return this moment; the first `held` rows are what `rewind` will bring back."""
        mark = self._mark()
        self._guarded = held if mark is None else max(self._guarded, held)
        if mark is None:
            mark = Mark()
            self._last_mark, self._last_name = ref(mark), mark.name
            self._saved_ahead = None
        return mark

    def rewind(self, mark: Mark) -> None:
        """Hold again what was held at `mark`.

        Raises:
            ValueError: It is a mark of other rows.
        """
        changes = []
        while mark.newer is not None:
            changes.append(mark)
            mark = mark.newer
        if mark.name is not self._last_name:
            raise ValueError("a snapshot can only restore the cache it was taken of")
        for change in reversed(changes):
            if change.start is None:
                self.exchange([array[...] for array in change.overwritten], change.codec)
            else:
                self._put(change.start, change.overwritten)

    def copy(self) -> Self:
        twin = type(self)(self.codec)
        twin._layout = self._layout
        twin._arrays = [array[...] for array in self._arrays]
        return twin

    def branch(self, marks: Sequence[Mark]) -> tuple[Self, list[Mark]]:
        """Return a copy, and its marks of the moments that `marks` are here.

        Args:
            marks: From older to newer.

        Raises:
            ValueError: One is a mark of other rows.
        """
        twin = self.copy()
        copies: dict[int, Mark] = {}
        for mark in marks:
            before: Mark | None = None
            node: Mark | None = mark
            while node is not None and id(node) not in copies:
                made = copies[id(node)] = node.copy()
                if before is not None:
                    before.newer = made
                before, last, node = made, node, node.newer
            if before is not None and node is not None:
                before.newer = copies[id(node)]
            elif before is not None:
                if last.name is not self._last_name:
                    raise ValueError("only snapshots of this cache can go along with a copy of it")
                twin._last_mark, twin._last_name = ref(before), before.name
                twin._guarded = self._guarded
        return twin, [copies[id(mark)] for mark in marks]

    def _layout_of(self, arrays: Sequence[mx.array]) -> tuple[int, ...]:
        keys, values = self.codec.expand(arrays)
        return keys.shape[1], keys.shape[3], values.shape[3]

    def _put(self, start: int, rows: Sequence[mx.array], shown: int = 0) -> list[mx.array]:
        self._before_writing(start, start + rows[0].shape[2])
        self._arrays, seen = mx.fast.write_rows(self._arrays, rows, start, shown)
        return seen

    def _before_writing(self, start: int, stop: int) -> None:
        """Keep of the rows from `start` up to `stop` what a mark may need."""
        mark = self._mark()
        if mark is not None and start < self._guarded:
            ahead, self._saved_ahead = self._saved_ahead, None
            if ahead is not None and (start, stop) == (ahead[0], ahead[0] + 1):
                self._note(mark, start, ahead[1])
            else:
                self._note(mark, start, self._save(start, min(stop, self._guarded)))
        elif mark is None:
            self._last_name = None

    def _save(self, start: int, stop: int) -> list[mx.array]:
        saved = [mx.contiguous(array[:, :, start:stop]) for array in self._arrays]
        self._arrays = mx.depends(self._arrays, saved)
        return saved

    def _note(self, mark: Mark, start: int | None, overwritten: list[mx.array]) -> None:
        mark.start, mark.overwritten, mark.codec = start, overwritten, self.codec
        mark.newer = Mark()
        self._last_mark, self._last_name = ref(mark.newer), mark.newer.name

    def _mark(self) -> Mark | None:
        return None if self._last_mark is None else self._last_mark()


def _grown(
    old: Sequence[mx.array],
    likes: Sequence[tuple[tuple[int, ...], mx.Dtype]],
    kept: int,
    room: int,
) -> list[mx.array]:
    """Return arrays of `room` rows, beginning with the first `kept` of `old`.

    Args:
        old: What is held, if anything.
        likes: What new rows are, shape and type.
        kept: How many rows of it to keep.
        room: How many rows there shall be.
    """

    def empty(shape: tuple[int, ...], dtype: mx.Dtype, length: int) -> mx.array:
        B, H, _, D = shape
        return mx.zeros((B, H, length, D), dtype=dtype)

    if not old or kept == 0:
        return [empty(shape, dtype, room) for shape, dtype in likes]
    return [
        mx.concatenate([array[:, :, :kept], empty(array.shape, array.dtype, room - kept)], axis=2)
        for array in old
    ]
