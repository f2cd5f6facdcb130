"""A constraint for replies of several parts: thinking, then the answer or a call of a tool."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import mlxc as mx

from ..tokenizer.tools import ReasoningTags
from .pick import Constraint, fitted

if TYPE_CHECKING:
    from ..tokenizer import Tokenizer


class Phase(Enum):
    """What a reply is at."""

    OPENING = auto()  # nothing was said that tells
    TAG = auto()  # inside a tag that must be said to its end
    THINKING = auto()
    CALLING = auto()
    ANSWERING = auto()


# What is left to be said of a tag, and what it leads to.
Route: TypeAlias = tuple[tuple[int, ...], Phase]


class State(NamedTuple):
    """Where a reply is.

    Attributes:
        phase: What it is at.
        thought: How many tokens were thought.
        routes: The tags that may come here, and where they lead.
    """

    phase: Phase
    thought: int = 0
    routes: tuple[Route, ...] = ()


class ReplyPhases:
    """A `Constraint` that bounds the thinking of a reply, and applies another to its answer.

    Where nothing is forbidden its mask is None, so the generation runs ahead as without it.

    Args:
        tokenizer: That of the model.
        tags: The tags around thinking; None where none is to come.
        thinking: Whether the reply begins inside thinking, the first tag being in the prompt.
        budget: The most tokens of thinking; behind them comes the tag that ends it. None for any.
        answer: What holds for the answer; None for nothing.
        calls: Tags any of which may begin the reply in place of the answer; what follows is free.
        eos: Ids that end a reply; none may come in front of an answer that something holds for.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        tags: ReasoningTags | None,
        *,
        thinking: bool = False,
        budget: int | None = None,
        answer: Constraint | None = None,
        calls: Sequence[str] = (),
        eos: Collection[int] = (),
    ) -> None:
        self._tokenizer = tokenizer
        self._tags = tags
        self._budget = budget
        self._answer = answer
        self._eos = list(eos)
        self._closing: tuple[int, ...] = () if tags is None else self._ids(tags.end)
        routes = [(self._ids(call), Phase.CALLING) for call in calls]
        if tags is not None:
            routes.append((self._ids(tags.start), Phase.THINKING))
        ids = [*self._eos, *self._closing, *(token for tag, _ in routes for token in tag)]
        self._size = max([tokenizer.vocab_size - 1, *ids]) + 1
        self._said: list[int] = []
        # The states before each token, and whether the answer heard of it.
        self._past: list[tuple[State, bool]] = []
        opening = State(Phase.OPENING, 0, tuple(routes))
        self._state = self._thinking(0) if thinking else opening

    def mask(self) -> mx.array | None:
        phase, _, routes = self._state
        if phase is Phase.TAG:
            return self._only([ids[0] for ids, _ in routes])
        if self._answer is None or phase is Phase.CALLING:
            return None
        if phase is Phase.THINKING:
            return ~self._only(self._eos)
        allowed = self._answer.mask()
        if phase is Phase.ANSWERING or allowed is None:
            return allowed
        return fitted(allowed, self._size) | self._only([ids[0] for ids, _ in routes])

    def accept(self, token: int) -> None:
        state, heard = self._next(token)
        self._past.append((self._state, heard))
        self._said.append(token)
        self._state = state

    def rollback(self, count: int) -> None:
        for _ in range(count):
            self._state, heard = self._past.pop()
            self._said.pop()
            if heard and self._answer is not None:
                self._answer.rollback(1)

    def _next(self, token: int) -> tuple[State, bool]:
        """Return the state behind a token, and whether the answer heard of it."""
        phase, thought, routes = self._state
        if phase is Phase.TAG:
            return self._along(routes, token), False
        if phase is Phase.THINKING:
            return self._thinking(thought + 1, token), False
        if phase is Phase.OPENING and self._answer is None:
            return self._opened(token), False
        if phase is Phase.OPENING and not self._may_answer(token):
            return self._along(routes, token), False
        if phase is Phase.CALLING or self._answer is None:
            return self._state, False
        self._answer.accept(token)
        return State(Phase.ANSWERING), True

    def _thinking(self, thought: int, token: int | None = None) -> State:
        """Return the state behind so many tokens of thinking."""
        said = self._said if token is None else [*self._recent(), token]
        assert self._tags is not None
        if token is not None and self._tags.end in self._tokenizer.decode(said):
            return State(Phase.ANSWERING)
        if self._budget is None or thought < self._budget:
            return State(Phase.THINKING, thought)
        # What the model has begun of the tag itself is not said again.
        begun = (n for n in range(len(self._closing) - 1, 0, -1) if n <= thought)
        known = next((n for n in begun if tuple(said[-n:]) == self._closing[:n]), 0)
        return State(Phase.TAG, thought, ((self._closing[known:], Phase.ANSWERING),))

    def _opened(self, token: int) -> State:
        """Return the state behind a token of a reply of which nothing is known yet."""
        text = self._tokenizer.decode([*self._said, token]).lstrip()
        start = "" if self._tags is None else self._tags.start
        if start and text.startswith(start):
            return self._thinking(0)
        return self._state if start.startswith(text) else State(Phase.ANSWERING)

    def _along(self, routes: Sequence[Route], token: int) -> State:
        """Return the state behind a token of a tag."""
        left = tuple((ids[1:], phase) for ids, phase in routes if ids[0] == token)
        if not left:
            raise ValueError(f"token {token} is not allowed here; mask() tells which are")
        for ids, phase in left:
            if not ids:
                return self._thinking(0) if phase is Phase.THINKING else State(phase)
        return State(Phase.TAG, 0, left)

    def _may_answer(self, token: int) -> bool:
        allowed = None if self._answer is None else self._answer.mask()
        return allowed is None or (token < allowed.size and bool(allowed[token].item()))

    def _recent(self) -> list[int]:
        """Return the tokens that may hold all but the last token of the tag behind thinking."""
        assert self._tags is not None
        return self._said[-len(self._tags.end) :]

    def _ids(self, tag: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.encode(tag, add_special_tokens=False))

    def _only(self, ids: Sequence[int]) -> mx.array:
        """Return a mask of some tokens, booleans `(V,)`."""
        mask = mx.zeros((self._size,), dtype=mx.bool_)
        if ids:
            mask[mx.array(ids)] = mx.array(True)
        return mask
