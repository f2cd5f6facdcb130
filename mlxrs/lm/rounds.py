"""Whole replies, and those to the results of the tools they call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter

from ..errors import ToolRoundsError
from .chat_stream import ChatStream
from .reply import Reply
from .turn import Turn
from .worker import in_thread


def answered(
    turn: Turn,
    *,
    started: float,
    calls: Callable[[], Sequence[object]],
    follow: Callable[[], Turn | None],
    max_rounds: int,
) -> Reply:
    """Read a reply, and those to the results of the tools it calls; return the last.

    Args:
        turn: The reply.
        started: When the caller asked, by `time.perf_counter`.
        calls: Tells which calls in the last reply have no results yet.
        follow: Runs them, and begins the reply to their results.
        max_rounds: How often calls are run.

    Raises:
        ToolRoundsError: There are calls still.
    """
    reply = _read(turn, started)
    for _ in range(max_rounds):
        if _done(reply, calls):
            return reply
        started = perf_counter()
        following = follow()
        assert following is not None
        reply = _read(following, started)
    if not _done(reply, calls):
        raise ToolRoundsError
    return reply


async def answered_async(
    turn: Turn,
    *,
    started: float,
    calls: Callable[[], Sequence[object]],
    follow: Callable[[], Awaitable[Turn | None]],
    max_rounds: int,
) -> Reply:
    """Do what `answered` does, and leave the event loop free meanwhile."""
    reply = await _read_async(turn, started)
    for _ in range(max_rounds):
        if _done(reply, calls):
            return reply
        started = perf_counter()
        following = await follow()
        assert following is not None
        reply = await _read_async(following, started)
    if not _done(reply, calls):
        raise ToolRoundsError
    return reply


def _done(reply: Reply, calls: Callable[[], Sequence[object]]) -> bool:
    # A reply without a reason was cancelled.
    return reply.finish_reason is None or not calls()


def _read(turn: Turn, started: float) -> Reply:
    with ChatStream(turn) as stream:
        return Reply.collect(
            stream,
            started=started,
            prompt_tokens=stream.prompt_tokens,
            cached_tokens=stream.cached_tokens,
        )


async def _read_async(turn: Turn, started: float) -> Reply:
    return await in_thread(lambda: _read(turn, started), turn.cancelled.set)
