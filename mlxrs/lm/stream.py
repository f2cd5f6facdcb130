"""Steps become text and figures."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Self

import mlxc as mx

from .response import FinishReason, GenerationResponse
from .steps import Step
from .stop import StopMatcher

if TYPE_CHECKING:
    from ..tokenizer.detokenizer import StreamingDetokenizer


class ResponseStream:
    """An iterator of `GenerationResponse`, one a token; also a context manager that closes it.

    However it ends (read to the end, closed, or by an error), the generation stops, the caches
    are left without the token on its way, and text that was still withheld is in `text`.

    Attributes:
        tokens: The ids of all responses so far; those that end it are among them.
    """

    def __init__(
        self,
        steps: Generator[Step, None, None],
        detokenizer: StreamingDetokenizer,
        prompt_tokens: int,
        cached_tokens: int = 0,
        stop_strings: Sequence[str] = (),
    ) -> None:
        """Wrap a generation.

        Args:
            steps: From `generate_step`.
            detokenizer: A new one.
            prompt_tokens: Tokens of the whole prompt.
            cached_tokens: How many of them were cached, and so are not read by `steps`.
            stop_strings: Texts that end it.
        """
        self.tokens: list[int] = []
        self.prompt_tokens = prompt_tokens
        self.cached_tokens = cached_tokens
        self._steps = steps
        self._detokenizer = detokenizer
        self._matcher = StopMatcher(stop_strings)
        self._segments: list[str] = []
        self._started: float | None = None
        self._first_token = 0.0
        self._ended = False

    @property
    def text(self) -> str:
        """The text of all responses so far, and once ended the tail that was withheld."""
        return "".join(self._segments)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> GenerationResponse:
        if self._ended:
            raise StopIteration
        if self._started is None:
            self._started = perf_counter()
        try:
            step = next(self._steps)
        except BaseException:
            self.close()
            raise
        now = perf_counter()
        if not self.tokens:
            self._first_token = now
        self.tokens.append(step.token)
        if step.finish_reason is not FinishReason.EOS:
            self._detokenizer.add_token(step.token)
        text = self._matcher.feed(self._detokenizer.last_segment)
        if step.finish_reason is not None or self._matcher.matched is not None:
            text += self._end()
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
        )

    def close(self) -> None:
        """End the generation; again does nothing."""
        if not self._ended:
            self._segments.append(self._end())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _end(self) -> str:
        """Stop generating; return the text that was withheld until now."""
        self._ended = True
        self._steps.close()
        self._detokenizer.finalize()
        return self._matcher.feed(self._detokenizer.last_segment) + self._matcher.flush()


def _rate(count: int, seconds: float) -> float:
    return count / seconds if seconds > 0 else 0.0
