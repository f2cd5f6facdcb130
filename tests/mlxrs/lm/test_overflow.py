"""Conversations beyond the context of their model."""

import pytest
from support.chat import chat, offset

from mlxrs.errors import ContextLengthError
from mlxrs.lm.messages import ChatMessage
from mlxrs.lm.overflow import drop_oldest_turns
from mlxrs.testing import FakeModel, RecallModel


def spelled(messages) -> list[int]:
    """Ten ids a message."""
    return [int(message.content) for message in messages for _ in range(10)]


def talk(turns: int) -> list[ChatMessage]:
    """Return so many turns and a question; the messages count from 0."""
    messages = [ChatMessage("assistant" if i % 2 else "user", str(i)) for i in range(2 * turns + 1)]
    return messages


def test_what_fits_is_left_whole():
    assert drop_oldest_turns(talk(2), 50, spelled) == (spelled(talk(2)), 0)


@pytest.mark.parametrize(
    "turns, room, dropped",
    [
        (2, 49, 2),  # no more than is needed
        (2, 30, 2),
        (2, 29, 4),
        (2, 5, 4),  # the question stays, whatever its length
        (9, 185, 8),  # where there are many turns, four at once
        (10, 185, 8),
        (11, 185, 8),
        (13, 185, 16),
        (9, 90, 10),  # but not where few are left
    ],
)
def test_the_oldest_turns_are_dropped(turns, room, dropped):
    messages = talk(turns)

    assert drop_oldest_turns(messages, room, spelled) == (spelled(messages[dropped:]), dropped)


def test_system_messages_in_front_stay():
    messages = [ChatMessage.system("99"), *talk(2)]

    ids, dropped = drop_oldest_turns(messages, 40, spelled)

    assert dropped == 2 and ids == spelled([messages[0], *messages[3:]])


def test_dropping_turns_keeps_a_long_conversation_going():
    model = RecallModel(11, context_length=160)
    session = chat(6, model, instructions="fox", overflow="drop_oldest")
    dropped, cached = [], []
    for _ in range(20):
        with session.stream_respond("hello world") as stream:
            assert stream.prompt_tokens <= 160 - 6
            dropped.append(stream.dropped_messages)
            cached.append(stream.cached_tokens)
            list(stream)

    assert len(session.history) == 40 and set(dropped) == {0, 8, 16}
    assert session.render("x")[:5] == session.render("y")[:5] == [1, 0, 0, 0, 8]
    assert sum(tokens > 70 for tokens in cached) >= 8
    anew = chat(6, model, instructions="fox", overflow="drop_oldest", history=session.history)
    assert session.respond("brown") == anew.respond("brown")


def test_a_message_longer_than_the_context_is_an_error_with_numbers():
    session = chat(3, FakeModel(11, context_length=9), overflow="drop_oldest")

    with pytest.raises(ContextLengthError, match="12 tokens behind 0 cached ones.*holds 9"):
        session.respond("hello world the quick fox")


def test_rotating_forgets_the_oldest_tokens():
    model = RecallModel(11, context_length=24)
    session = chat(6, model, overflow="rotate")
    for _ in range(5):
        session.respond("hello world")

    assert offset(session) > 24 and session.current_cache[0].state[0].shape[2] <= 24
    anew = chat(6, model, overflow="rotate", history=session.history)
    assert session.respond("fox") == anew.respond("fox")


def test_limits_of_the_cache_hold_from_the_first_turn_on():
    session = chat(6, RecallModel(11), max_kv_size=8, kv_bits=8)
    for _ in range(3):
        session.respond("hello world")

    assert all(cache.state[0].shape[2] <= 8 for cache in session.current_cache)
    session.clear()
    session.respond("hello world the quick brown fox")
    assert all(cache.state[0].shape[2] <= 8 for cache in session.current_cache)


def test_settings_are_checked_when_a_session_is_made():
    with pytest.raises(ValueError, match="overflow must be one of"):
        chat(3, overflow="explode")
    with pytest.raises(ValueError, match="max_kv_size must be an integer >= 1"):
        chat(3, max_kv_size=0)
    with pytest.raises(ValueError, match="max_kv_size must be above 4, got 4"):
        chat(3, max_kv_size=4)
    with pytest.raises(ValueError, match="bits"):
        chat(3, kv_bits=7)
