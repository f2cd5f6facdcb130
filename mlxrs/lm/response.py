"""What a generation says of itself, token by token and at its end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import mlxc as mx


class FinishReason(StrEnum):
    """Why a generation ended."""

    EOS = "eos"
    """The model ended its turn."""
    LENGTH = "length"
    """`max_tokens` were generated, or the context of the model is full."""
    STOP = "stop"
    """A stop string came up."""


@dataclass(frozen=True, slots=True)
class SpeculationStats:
    """How well guesses were, counting those alone that tokens of the reply have decided on.

    Attributes:
        proposed: Tokens guessed.
        accepted: Guesses that became part of the reply.
    """

    proposed: int = 0
    accepted: int = 0

    @property
    def accept_rate(self) -> float:
        """The part of the guesses that was accepted; 0.0 where there were none."""
        return self.accepted / self.proposed if self.proposed else 0.0


@dataclass(frozen=True, slots=True)
class GenerationResponse:
    """One generated token.

    Attributes:
        text: The text this token completes: "" while a character or word is unfinished, or may
            become a stop string.
        token: Its id.
        prompt_tokens: Tokens of the whole prompt, those already cached included.
        prompt_tps: Prompt tokens read a second, counting only those that were not cached.
        generation_tokens: Tokens generated so far, this one included.
        generation_tps: Tokens generated a second since the first one; 0.0 at the first.
        peak_memory: The most memory arrays have held at once in this process, in bytes.
        finish_reason: Why the generation ended with this token; None where it goes on.
        stop_string: The stop string that ended it; None where none did.
        logprob: The token's log-probability before any temperature; None unless collected.
        top_logprobs: The likeliest tokens with theirs, likeliest first; () unless collected.
        logprobs: Those of all tokens, float32 `(V,)`, not evaluated; None unless collected.
        from_draft: Whether the token was a guess that was accepted.
        speculation: The guesses up to here; None without speculation.
    """

    text: str
    token: int
    prompt_tokens: int
    prompt_tps: float
    generation_tokens: int
    generation_tps: float
    peak_memory: int
    finish_reason: FinishReason | None
    stop_string: str | None = None
    logprob: float | None = None
    top_logprobs: tuple[tuple[int, float], ...] = ()
    logprobs: mx.array | None = None
    from_draft: bool = False
    speculation: SpeculationStats | None = None
