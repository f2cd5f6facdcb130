"""Ctrl-C may come at every line; the session goes on as if the reply had been stopped there."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import pytest
from support.chat import chat, contents

from mlxrs.lm.prompt_lookup import PromptLookupConfig
from mlxrs.testing import RecallModel

# Where a turn begins, moves on and ends; a line of the rest is an interrupt of the model to them.
WATCHED = (
    "chat_stream.py",
    "prefix.py",
    "reader.py",
    "rounds.py",
    "stream.py",
    "turn.py",
    "turns.py",
)


def interrupted(work: Callable[[], object], line: int) -> bool:
    """Run `work` with an interrupt at so many lines; return whether it came to that."""
    left = line

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.endswith(WATCHED) or "/lm/" not in frame.f_code.co_filename:
            return trace if event == "call" else None
        if event == "line":
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return left <= 0


WAYS = {
    "whole": lambda session: session.respond("hello"),
    "dropped": lambda session: session.stream_respond("hello").text,
}
STEP = 5  # of this many lines one is tried, in each way another one


@pytest.mark.parametrize("speculative", [None, PromptLookupConfig()])
@pytest.mark.parametrize("way", WAYS)
def test_a_session_goes_on_after_an_interrupt_at_any_line(way, speculative, monkeypatch):
    # Python reports what comes out of a finalizer, and goes on.
    monkeypatch.setattr(sys, "unraisablehook", lambda report: None)
    line, came = len(way) % STEP, True
    while came:
        line += STEP
        session = chat(3, RecallModel(11), speculative=speculative)
        session.respond("world")
        came = interrupted(partial(WAYS[way], session), line)
        said = contents(session)

        reply = session.respond("fox")

        # What was sent is in the history, and what was answered; both or neither, but for the
        # moment before the stream is in the hands of the one who asked.
        assert len(said) in (2, 3, 4) and said[2:3] in ([], [("user", "hello")])
        again = chat(3, RecallModel(11), history=session.history[:-2])
        assert reply == again.respond("fox"), f"interrupted at line {line}"


def test_an_interrupt_while_a_reply_joins_the_history_does_not_lose_it():
    session = chat(3, RecallModel(11))
    expected = chat(3, RecallModel(11)).respond("hello")
    stream = session.stream_respond("hello")
    commit, calls = stream._turn._commit, []

    def interrupt_once():
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt
        commit()

    stream._turn._commit = interrupt_once
    with pytest.raises(KeyboardInterrupt):
        list(stream)

    assert contents(session) == [("user", "hello"), ("assistant", expected)]
    assert session.respond("fox").cached_tokens > 0
