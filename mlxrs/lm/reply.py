"""A finished text with the figures of its making."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from time import perf_counter
from typing import Any, Self

from .response import FinishReason, GenerationResponse, SpeculationStats
from .thinking import split_thinking


class Reply(str):
    """The generated text: a `str` that also knows how it came about.

    Attributes:
        prompt_tokens: Tokens of the whole prompt.
        cached_tokens: How many of them were cached already, and so not read again.
        generation_tokens: Tokens generated, an ending one included.
        prompt_tps: Prompt tokens read a second, counting only those that were not cached.
        generation_tps: Tokens generated a second, from the first one on.
        ttft: Seconds from the call to the first token; 0.0 where there was none.
        peak_memory: The most memory arrays have held at once in this process, in bytes.
        finish_reason: Why it ended; None where nothing was to be generated, or it was cancelled.
        stop_string: The stop string that ended it; None where none did.
        speculation: How well guesses were; None without speculation.
        parsed: The object that a reply by a schema stands for; None without one, or where the reply
            was cut short.

    Example:
        reply = session.respond("Name three rivers.")
        print(reply, f"({reply.generation_tps:.0f} tokens/s)")
    """

    prompt_tokens: int
    cached_tokens: int
    generation_tokens: int
    prompt_tps: float
    generation_tps: float
    ttft: float
    peak_memory: int
    finish_reason: FinishReason | None
    stop_string: str | None
    speculation: SpeculationStats | None
    parsed: Any = None

    @property
    def thinking(self) -> str | None:
        """What the model thought before it answered; None where it marks no thinking."""
        return split_thinking(self)[0]

    @property
    def answer(self) -> str:
        """The reply without the thinking."""
        return split_thinking(self)[1]

    def _repr_markdown_(self) -> str:
        # How notebooks show the value of a cell.
        return reply_markdown(self)

    @classmethod
    def collect(
        cls,
        responses: Iterator[GenerationResponse],
        *,
        started: float,
        prompt_tokens: int,
        cached_tokens: int,
    ) -> Self:
        """Read responses to their end.

        Args:
            responses: A stream of responses.
            started: When the caller asked, by `time.perf_counter`.
            prompt_tokens: Tokens of the whole prompt.
            cached_tokens: How many of them were cached.
        """
        segments: list[str] = []
        ttft = 0.0
        last: GenerationResponse | None = None
        for last in responses:
            if not segments:
                ttft = perf_counter() - started
            segments.append(last.text)
        return cls.of(
            segments, last, ttft=ttft, prompt_tokens=prompt_tokens, cached_tokens=cached_tokens
        )

    @classmethod
    def of(
        cls,
        segments: Iterable[str],
        last: GenerationResponse | None,
        *,
        ttft: float,
        prompt_tokens: int,
        cached_tokens: int,
    ) -> Self:
        """Make a reply of what was read of its responses.

        Args:
            segments: The texts of all.
            last: The last; None where there was none.
            ttft: Seconds to the first; 0.0 where there was none.
            prompt_tokens: Tokens of the whole prompt.
            cached_tokens: How many of them were cached.
        """
        reply = cls("".join(segments))
        reply.prompt_tokens = prompt_tokens
        reply.cached_tokens = cached_tokens
        reply.generation_tokens = last.generation_tokens if last else 0
        reply.prompt_tps = last.prompt_tps if last else 0.0
        reply.generation_tps = last.generation_tps if last else 0.0
        reply.ttft = ttft
        reply.peak_memory = last.peak_memory if last else 0
        reply.finish_reason = last.finish_reason if last else None
        reply.stop_string = last.stop_string if last else None
        reply.speculation = last.speculation if last else None
        return reply


def reply_markdown(text: str) -> str:
    """Return a reply as Markdown, its thinking as a quotation."""
    thinking, answer = split_thinking(text)
    if not thinking:
        return answer
    quoted = "\n".join(f"> {line}".rstrip() for line in thinking.splitlines())
    return f"{quoted}\n\n{answer}"
