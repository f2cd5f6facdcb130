"""What speculation asks of those who guess."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event
from typing import Literal, Protocol, TypeAlias, runtime_checkable

import mlxc as mx

from .params import GenConfig

Acceptance: TypeAlias = Literal["exact", "ratio"]

MAX_DRAFT_TOKENS = 64


@dataclass(frozen=True, slots=True)
class Draft:
    """A guess at how a text goes on.

    Attributes:
        tokens: Ids, `(K,)`, which need not be evaluated; K may be 0.
        logprobs: The log-probabilities each was drawn from, float32 `(K, V)`; None where the
            guess was no draw.
        vocab_size: What the ids are below; None where they are of the text itself.
    """

    tokens: mx.array
    logprobs: mx.array | None = None
    vocab_size: int | None = None

    @classmethod
    def of(cls, tokens: Sequence[int]) -> Draft:
        """Return a guess that was no draw."""
        return cls(mx.array(list(tokens), dtype=mx.uint32))


class Drafter(Protocol):
    """Guesses how the text of one generation goes on."""

    def prefill(self, prompt: mx.array, *, step_size: int, cancel: Event | None) -> bool:
        """Get ready for what follows a prompt.

        Args:
            prompt: Ids `(L,)`, L >= 1.
            step_size: The most tokens a model should read at once.
            cancel: Stops it when it is set.

        Returns:
            Whether it was not stopped.
        """

    def propose(self, tokens: Sequence[int], count: int) -> Draft:
        """Return at most `count` tokens that may come next.

        Args:
            tokens: The prompt and all that was said; from call to call it only grows.
            count: 0 or more.
        """

    def settle(self, tokens: Sequence[int]) -> None:
        """Come to the end: forget all guesses.

        Args:
            tokens: The prompt and all that was said; a model should have read all but the last.
        """


@runtime_checkable
class Speculation(Protocol):
    """The settings of a kind of speculation, for any number of generations."""

    @property
    def num_draft_tokens(self) -> int:
        """The most tokens guessed at once; 0 for no speculation."""

    @property
    def acceptance(self) -> Acceptance:
        """How guesses are judged; see `mlxrs.lm.acceptance`."""

    def make_drafter(self, params: GenConfig) -> Drafter:
        """Return a new drafter for a generation with these settings, whose seed is set."""


def check_speculation(num_draft_tokens: int, acceptance: str) -> None:
    """Raise ValueError unless these are settings of a speculation."""
    if (
        not isinstance(num_draft_tokens, int)
        or isinstance(num_draft_tokens, bool)
        or not 0 <= num_draft_tokens <= MAX_DRAFT_TOKENS
    ):
        raise ValueError(
            f"num_draft_tokens must be an integer in 0 … {MAX_DRAFT_TOKENS}, got "
            f"{num_draft_tokens!r}; 5 is usual, 0 turns speculation off"
        )
    if acceptance not in ("exact", "ratio"):
        raise ValueError(f"acceptance must be 'exact' or 'ratio', got {acceptance!r}")
