"""What commands say: a reply as it comes, its figures, an error in one line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from ..lm.chat_stream import ChatStream
from ..lm.reply import Reply
from ..lm.response import GenerationResponse
from ..lm.stream import ResponseStream


def say(text: str) -> None:
    """Writes a line to standard error, where all goes that was not asked for."""
    print(text, file=sys.stderr, flush=True)


def error_line(error: BaseException) -> str:
    """Returns what an error says, as one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, OSError) and error.filename is not None:
        text = f"{error.filename}: {error.strerror}"
    return f"mlxrs: error: {text}"


def read_aloud(stream: ChatStream | ResponseStream, *, started: float) -> Reply:
    """Writes a reply to standard output while it is generated, and returns it.

    Args:
        stream: the reply; it is closed in any case.
        started: when the user asked, by `time.perf_counter`.
    """
    with stream:
        reply = Reply.collect(
            _echo(stream),
            started=started,
            prompt_tokens=stream.prompt_tokens,
            cached_tokens=stream.cached_tokens,
        )
    print(flush=True)
    return reply


def _echo(responses: Iterable[GenerationResponse]) -> Iterator[GenerationResponse]:
    for response in responses:
        print(response.text, end="", flush=True)
        yield response


def summary(reply: Reply) -> str:
    """Returns the figures of a reply as one line."""
    return (
        f"{reply.prompt_tokens} prompt tokens ({reply.cached_tokens} cached, the others read at "
        f"{reply.prompt_tps:.0f} tokens/s), {reply.generation_tokens} generated at "
        f"{reply.generation_tps:.1f} tokens/s, the first after {reply.ttft:.2f} s; "
        f"arrays took {reply.peak_memory / 1e6:.0f} MB at most"
    )


def figures(model: str, reply: Reply) -> dict[str, object]:
    """Returns a reply and its figures for a JSON document."""
    return {
        "model": model,
        "text": str(reply),
        "prompt_tokens": reply.prompt_tokens,
        "cached_tokens": reply.cached_tokens,
        "generation_tokens": reply.generation_tokens,
        "prompt_tps": reply.prompt_tps,
        "generation_tps": reply.generation_tps,
        "ttft": reply.ttft,
        "peak_memory": reply.peak_memory,
        "finish_reason": reply.finish_reason,
    }
