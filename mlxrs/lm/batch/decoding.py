"""Rows that generate together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TypeAlias

import mlxc as mx

from ..cache import Cache
from ..models import LanguageModel
from ..pick import Pick
from ..response import GenerationResponse
from .caches import RowCaches
from .choosing import choose
from .row import Row

# What became of a row: its next response, or the error that ended it.
RowEvent: TypeAlias = tuple[int, GenerationResponse | Exception]


class DecodeBatch:
    """Rows of one kind of caches, each a token further with every step.

    Args:
        model: The model.
        rows: The rows, whose prompts were read but for their last tokens.
        caches: Their caches.
        leave: Called with a row that has ended and its caches, if it wants to keep them.
    """

    def __init__(
        self,
        model: LanguageModel,
        rows: Sequence[Row],
        caches: RowCaches,
        leave: Callable[[Row, list[Cache]], None],
    ) -> None:
        self.rows = list(rows)
        self.caches = caches
        self._model = model
        self._leave = leave
        # What the model is to be shown next: tokens on their way, or the last ones of prompts,
        # which nobody picked.
        self._tokens = mx.array([row.prompt[-1] for row in rows], dtype=mx.uint32)
        self._picks: list[Pick | None] = [None] * len(self.rows)
        self._logits: mx.array | None = None  # behind those tokens, where nothing was chosen yet

    def join(self, other: DecodeBatch) -> None:
        """Take the rows of another batch of the same kind in."""
        self.rows += other.rows
        self.caches.extend(other.caches)
        self._tokens = mx.concatenate([self._tokens, other._tokens])
        self._picks += other._picks

    def step(self, events: list[RowEvent]) -> None:
        """Start the computation of the tokens behind those on their way, then tell these.

        Args:
            events: What comes out is added to it, also where an error is raised.

        Raises:
            Exception: The model failed; the batch cannot go on.
        """
        told, tokens = list(zip(self.rows, self._picks, strict=True)), self._tokens
        self.drop({row for row in self.rows if row.launched == row.budget})
        try:
            self._forward()
        except Exception:
            self._tell(told, tokens, events)
            raise
        failures: dict[Row, Exception] = {}
        # What a constraint allows is known when the token before is.
        waits = any(row.constraint is not None for row in self.rows)
        if waits:
            mx.async_eval([] if self._logits is None else self._logits)
        else:
            failures = self._choose()
        ended = self._tell(told, tokens, events)
        self.drop(ended)
        if waits:
            failures = self._choose()
        events += [(row.id, error) for row, error in failures.items() if row not in ended]

    def drop(self, rows: Collection[Row]) -> None:
        """Go on without some rows, and hand out the caches that are to be kept."""
        gone = [place for place, row in enumerate(self.rows) if row in rows]
        for place in gone:
            if self.rows[place].keeps_cache:
                self._leave(self.rows[place], self.caches.extract(place))
        if gone:
            kept = [place for place in range(len(self.rows)) if place not in gone]
            self._keep(kept)
            self._picks = [self._picks[place] for place in kept]
            self._tokens = self._tokens[mx.array(kept, dtype=mx.uint32)]

    def _forward(self) -> None:
        """Show the model the tokens on their way."""
        if not self.rows:
            return
        self._logits = self._model(self._tokens[:, None], self.caches.layers)[:, -1, :]
        for row in self.rows:
            row.fed += 1

    def _choose(self) -> dict[Row, Exception]:
        """Choose the tokens behind those shown last; return the rows that failed, which go."""
        if not self.rows or self._logits is None:
            return {}
        choice = choose(self.rows, self._tokens, self._logits)
        self._tokens, self._picks, self._logits = choice.tokens, list(choice.picks), None
        failures = {self.rows[place]: error for place, error in choice.failures.items()}
        if failures:
            self._keep([i for i in range(len(self.rows)) if i not in choice.failures])
        for row in self.rows:
            row.launched += 1
        # The tokens of the picks are these once more.
        figures = [a for pick in choice.picks for a in pick.arrays() if a is not pick.token]
        mx.async_eval(self._tokens, figures)
        return failures

    def _tell(
        self,
        told: Sequence[tuple[Row, Pick | None]],
        tokens: mx.array,
        events: list[RowEvent],
    ) -> set[Row]:
        """Add the responses of tokens on their way to the events; return the rows that ended."""
        ended: set[Row] = set()
        if all(pick is None for _, pick in told):
            return ended
        for (row, pick), token in zip(told, tokens.tolist(), strict=True):
            if pick is None:
                continue
            response = row.tell(pick, token)
            events.append((row.id, response))
            if response.finish_reason is not None:
                ended.add(row)
            elif row.constraint is not None:
                try:
                    row.constraint.accept(token)
                except Exception as error:
                    events.append((row.id, error))
                    ended.add(row)
        return ended

    def _keep(self, places: Sequence[int]) -> None:
        self.rows = [self.rows[place] for place in places]
        if self.rows:
            self.caches.filter(places)
            if self._logits is not None:
                self._logits = self._logits[mx.array(places, dtype=mx.uint32)]
