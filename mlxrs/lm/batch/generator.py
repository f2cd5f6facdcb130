"""Continuous batching: rows come and go while others run."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

import mlxc as mx

from ..cache import Cache, cached_tokens
from ..models import LanguageModel
from ..params import GenConfig
from ..pick import Constraint, TokenPicker
from ..responder import Responder
from ..steps import room_after
from .caches import RowCaches, batch_kind
from .decoding import DecodeBatch, RowEvent
from .reading import PromptReader, segments_of
from .row import Row

if TYPE_CHECKING:
    from ...tokenizer import Tokenizer


class BatchGenerator:
    """Continues many prompts at once, and takes in and lets go rows at any time.

    Every call of `next` gives each running row a token, whose successor is computed meanwhile,
    and reads a chunk of the prompts that wait. So a running row never waits for more than one
    chunk. What a row says depends on its own prompt, settings and seed alone: it is what
    `stream_generate` says, as far as sums in another order are equal. A row that ends leaves the
    batch at once and costs nothing any more.

    Prompts inserted together that begin alike are read once as far as they do. Caches that cannot
    be batched, as rotating ones that keep their first tokens, work too; their rows are computed one
    after the other.

    It is an iterator of `(row, event)`, where an event is a `GenerationResponse`, or the exception
    that ended the row: that of a processor, a sampler or a constraint of its own. It ends when no
    row is left, and goes on when there are new ones. An error of the model ends all rows; it is
    raised after everything from before was handed out.

    Args:
        model: The model.
        tokenizer: Its tokenizer; its ending tokens end rows.
        prefill_step_size: The most tokens of a prompt read at once; that of settings does not
            count here.
        prefill_batch_size: The most prompts read at once.
        completion_batch_size: The most rows that run at once; others wait.

    Raises:
        ValueError: A size is below 1.

    Example:
        with BatchGenerator(model, tokenizer) as batch:
            first, second = batch.insert(["Once upon a time", "def main():"])
            for row, event in batch:
                print(row, event)
    """

    def __init__(
        self,
        model: LanguageModel,
        tokenizer: Tokenizer,
        *,
        prefill_step_size: int = 2048,
        prefill_batch_size: int = 8,
        completion_batch_size: int = 32,
    ) -> None:
        for name, size in (
            ("prefill_step_size", prefill_step_size),
            ("prefill_batch_size", prefill_batch_size),
            ("completion_batch_size", completion_batch_size),
        ):
            if size < 1:
                raise ValueError(f"{name} must be an integer >= 1, got {size}")
        self._model = model
        self._tokenizer = tokenizer
        self._completion_batch_size = completion_batch_size
        self._reader = PromptReader(model, prefill_step_size, prefill_batch_size)
        self._read: deque[tuple[Row, Sequence[Cache]]] = deque()
        self._batches: list[DecodeBatch] = []
        self._rows: dict[int, Row] = {}
        self._kept: dict[int, tuple[list[Cache], list[int]]] = {}
        self._told: deque[RowEvent] = deque()
        self._failure: Exception | None = None
        self._inserted = 0
        self._closed = False

    def __len__(self) -> int:
        """How many rows have not ended."""
        return len(self._rows)

    def insert(
        self,
        prompts: Sequence[str | Sequence[int] | mx.array],
        params: GenConfig | Sequence[GenConfig] | None = None,
        *,
        caches: Sequence[Sequence[Cache] | None] | None = None,
        constraints: Sequence[Constraint | None] | None = None,
        keep_caches: bool = False,
    ) -> list[int]:
        """Take prompts in; nothing is computed yet.

        Args:
            prompts: Texts, encoded with the tokenizer's special tokens, or token ids `(L,)` each.
            params: The settings, for all or one a prompt, as they are now; greedy and at most 256
                tokens where it is None.
            caches: What comes before each prompt, one a layer; None for nothing. They stay as they
                are.
            constraints: What each row may say, advanced by every token; None for all.
            keep_caches: Whether `extract` can be asked for the caches of rows that have ended.

        Returns:
            An id for each row, by which it is named from now on.

        Raises:
            ValueError: A prompt is empty, a setting invalid, there is not one of everything for
                each prompt, or the generator is closed. No prompt was taken in then.
            ContextLengthError: A prompt and its cache exceed the model's context; likewise.
        """
        if self._closed:
            raise ValueError("the generator is closed; make a new one")
        encoded = encode_prompts(self._tokenizer, prompts)
        count = len(encoded)
        settings = [params or GenConfig()] * count if not isinstance(params, Sequence) else params
        fronts = [None] * count if caches is None else caches
        rules = [None] * count if constraints is None else constraints
        for name, given in (("params", settings), ("caches", fronts), ("constraints", rules)):
            if len(given) != count:
                raise ValueError(
                    f"{name} must be one for each of {count} prompts, got {len(given)}"
                )
        rows: list[Row] = []
        for prompt, config, front, rule in zip(encoded, settings, fronts, rules, strict=True):
            row = self._row(self._inserted + len(rows), prompt, config, front)
            row.constraint, row.keeps_cache = rule, keep_caches
            rows.append(row)
        self._inserted += count
        started = [row for row in rows if row.budget]
        self._rows |= {row.id: row for row in started}
        self._reader.add(segments_of(started))
        return [row.id for row in rows]

    def remove(self, ids: Collection[int]) -> None:
        """End rows, wherever they are; rows that have ended are passed over."""
        rows = {self._rows.pop(id) for id in ids if id in self._rows}
        for row in rows:
            row.gone = True
            row.responder.end()
        self._reader.discard()
        self._read = deque((row, caches) for row, caches in self._read if not row.gone)
        for batch in self._batches:
            batch.drop(rows)
        self._batches = [batch for batch in self._batches if batch.rows]
        self._told = deque(event for event in self._told if event[0] not in ids)

    def extract(self, id: int) -> tuple[list[Cache], list[int]]:
        """Return the caches of a row alone, and the ids of its prompt and reply that they hold.

        A running row goes on with others; those of one that has ended are handed out once.

        Raises:
            KeyError: The row's prompt is not read yet, it has ended and its caches were not to be
                kept, or it failed.
        """
        if id in self._kept:
            return self._kept.pop(id)
        for batch in self._batches:
            for place, row in enumerate(batch.rows):
                if row.id == id:
                    return batch.caches.extract(place), row.held
        raise KeyError(
            f"there are no caches of row {id}: it is not read yet, or it has ended and was "
            "inserted without keep_caches"
        )

    def next(self) -> list[RowEvent]:
        """Let every running row go on by a token, and read a chunk of the prompts that wait.

        Returns:
            What came out: none while the first prompts are read, and at most one response a row.

        Raises:
            Exception: The model failed; everything from before was returned, and all rows have
                ended.
        """
        if self._failure is None:
            events: list[RowEvent] = []
            try:
                self._advance(events)
            except Exception as error:
                self._failure = error
            except BaseException:
                self.close()
                raise
            for id, event in events:
                if isinstance(event, Exception) or event.finish_reason is not None:
                    self._end(id)
            if events or self._failure is None:
                return events
        failure = self._failure
        self.close()
        raise failure

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> RowEvent:
        while not self._told:
            if not self._rows and self._failure is None:
                raise StopIteration
            self._told.extend(self.next())
        return self._told.popleft()

    def close(self) -> None:
        """End all rows and let go of everything; again does nothing."""
        self._closed = True
        for row in self._rows.values():
            row.gone = True
        self._reader.discard()
        self._read.clear()
        self._batches.clear()
        self._rows.clear()
        self._kept.clear()
        self._told.clear()
        self._failure = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _row(
        self,
        id: int,
        prompt: list[int],
        params: GenConfig,
        cache: Sequence[Cache] | None,
    ) -> Row:
        params.validate()
        held = 0
        if cache is not None:
            layers, held = len(self._model.make_cache()), cached_tokens(cache)
            if len(cache) != layers:
                raise ValueError(
                    f"caches must hold one cache a layer, {layers}, for each row, got "
                    f"{len(cache)}; make them with make_prompt_cache"
                )
        room = room_after(self._model, held, len(prompt))
        return Row(
            id,
            prompt,
            cache,
            TokenPicker(replace(params)),
            Responder(self._tokenizer.detokenizer(), len(prompt), 0, params.stop_strings),
            frozenset(self._tokenizer.eos_token_ids) | frozenset(params.eos),
            params.max_tokens if room is None else min(params.max_tokens, room),
        )

    def _advance(self, events: list[RowEvent]) -> None:
        failure: Exception | None = None
        for batch in self._batches:
            try:
                batch.step(events)
            except Exception as error:
                failure = failure or error
        if failure is not None:
            raise failure
        self._batches = [batch for batch in self._batches if batch.rows]
        running = sum(len(batch.rows) for batch in self._batches)
        room = self._completion_batch_size - running
        self._read += self._reader.read(room - len(self._read), wait=not running)
        self._join([self._read.popleft() for _ in range(min(room, len(self._read)))])

    def _join(self, read: Sequence[tuple[Row, Sequence[Cache]]]) -> None:
        """Let rows run whose prompts were read."""
        kinds = [batch_kind(caches) for _, caches in read]
        # Rows of one kind become one batch; those that go alone one each.
        groups: dict[object, list[int]] = {}
        for place, kind in enumerate(kinds):
            groups.setdefault(place if kind is None else kind, []).append(place)
        for places in groups.values():
            batch = DecodeBatch(
                self._model,
                [read[place][0] for place in places],
                RowCaches([read[place][1] for place in places]),
                self._keep,
            )
            kind = batch.caches.kind
            like = (b for b in self._batches if kind is not None and b.caches.kind == kind)
            if (other := next(like, None)) is not None:
                other.join(batch)
            else:
                self._batches.append(batch)

    def _keep(self, row: Row, caches: list[Cache]) -> None:
        self._kept[row.id] = caches, row.held

    def _end(self, id: int) -> None:
        row = self._rows.pop(id, None)
        if row is not None:
            row.gone = True
            row.responder.end()


def encode_prompts(
    tokenizer: Tokenizer, prompts: Sequence[str | Sequence[int] | mx.array]
) -> list[list[int]]:
    """Return the token ids of prompts.

    Raises:
        ValueError: They are no sequence of prompts, or one is empty.
    """
    if isinstance(prompts, str):
        raise ValueError("prompts must be a sequence of prompts, got a text; put it in a list")
    encoded = [
        tokenizer.encode(prompt)
        if isinstance(prompt, str)
        else mx.array(prompt, mx.uint32).tolist()
        for prompt in prompts
    ]
    for place, tokens in enumerate(encoded):
        if not tokens or not all(isinstance(token, int) for token in tokens):
            raise ValueError(
                f"prompt {place} must be one row of at least one token id; encode a text that is "
                "not empty"
            )
    return encoded
