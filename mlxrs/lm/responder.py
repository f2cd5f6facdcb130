"""The responses of one reply, made of its steps."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING

import mlxc as mx

from .response import FinishReason, GenerationResponse
from .steps import Step
from .stop import StopMatcher

if TYPE_CHECKING:
    from ..tokenizer.detokenizer import StreamingDetokenizer


class Responder:
    """Puts tokens into text up to a stop string, and counts and times them.

    Args:
        detokenizer: A new one.
        prompt_tokens: Tokens of the whole prompt.
        cached_tokens: How many of them were cached, and so are not read.
        stop_strings: Texts that end the reply.

    Attributes:
        tokens: The ids of all responses so far; those that end it are among them.
        ended: Whether there is nothing more to come.
    """

    def __init__(
        self,
        detokenizer: StreamingDetokenizer,
        prompt_tokens: int,
        cached_tokens: int = 0,
        stop_strings: Sequence[str] = (),
    ) -> None:
        self.tokens: list[int] = []
        self.prompt_tokens = prompt_tokens
        self.cached_tokens = cached_tokens
        self.ended = False
        self._detokenizer = detokenizer
        self._matcher = StopMatcher(stop_strings)
        self._segments: list[str] = []
        self._started: float | None = None
        self._first_token = 0.0

    @property
    def text(self) -> str:
        """The text of all responses so far, and once ended the tail that was withheld."""
        return "".join(self._segments)

    def start(self) -> None:
        """Start the clock, as the prompt is about to be read; again does nothing."""
        if self._started is None:
            self._started = perf_counter()

    def respond(self, step: Step) -> GenerationResponse:
        """Return the response of the next step. One with a `finish_reason` ends the reply."""
        now = perf_counter()
        self.start()
        assert self._started is not None
        if not self.tokens:
            self._first_token = now
        self.tokens.append(step.token)
        if step.finish_reason is not FinishReason.EOS:
            self._detokenizer.add_token(step.token)
        text = self._matcher.feed(self._detokenizer.last_segment)
        if step.finish_reason is not None or self._matcher.matched is not None:
            text += self._tail()
        self._segments.append(text)
        # Also a stop string that the tail completes comes before the other reasons.
        stopped = self._matcher.matched is not None
        return GenerationResponse(
            text=text,
            token=step.token,
            prompt_tokens=self.prompt_tokens,
            prompt_tps=_rate(
                self.prompt_tokens - self.cached_tokens, self._first_token - self._started
            ),
            generation_tokens=len(self.tokens),
            generation_tps=_rate(len(self.tokens) - 1, now - self._first_token),
            peak_memory=mx.get_peak_memory(),
            finish_reason=FinishReason.STOP if stopped else step.finish_reason,
            stop_string=self._matcher.matched,
            logprob=step.logprob,
            top_logprobs=step.top_logprobs,
            logprobs=None if step.logprob is None else step.logprobs,
            from_draft=step.from_draft,
            speculation=step.speculation,
        )

    def end(self) -> None:
        """End the reply, if it has not ended; what was withheld joins the text."""
        if not self.ended:
            self._segments.append(self._tail())

    def _tail(self) -> str:
        self.ended = True
        self._detokenizer.finalize()
        return self._matcher.feed(self._detokenizer.last_segment) + self._matcher.flush()


def _rate(count: int, seconds: float) -> float:
    return count / seconds if seconds > 0 else 0.0
