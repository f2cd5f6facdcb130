"""Whole replies, and those to the results of the tools they call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter

from ..errors import ToolRoundsError
from .chat_stream import ChatStream
from .reply import Reply


def answered(
    stream: ChatStream,
    *,
    started: float,
    calls: Callable[[], Sequence[object]],
    follow: Callable[[], ChatStream | None],
    max_rounds: int,
) -> Reply:
    """Read a reply, and those to the results of the tools it calls; return the last.

    Args:
        stream: The reply.
        started: When the caller asked, by `time.perf_counter`.
        calls: Tells which calls in the last reply have no results yet.
        follow: Runs them, and returns what the model says to their results.
        max_rounds: How often calls are run.

    Raises:
        ToolRoundsError: There are calls still.
    """
    following: ChatStream | None = stream
    for left in range(max_rounds, -1, -1):
        assert following is not None
        reply = _collected(following, started)
        # A reply without a reason was cancelled.
        if reply.finish_reason is None or not calls():
            break
        if not left:
            raise ToolRoundsError
        started = perf_counter()
        following = follow()
    return reply


def _collected(stream: ChatStream, started: float) -> Reply:
    with stream:
        return Reply.collect(
            stream,
            started=started,
            prompt_tokens=stream.prompt_tokens,
            cached_tokens=stream.cached_tokens,
        )
