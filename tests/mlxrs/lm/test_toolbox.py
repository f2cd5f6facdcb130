"""Sessions whose model calls tools."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from enum import Enum

import pytest
from support.tool_talk import call, once, talk

from mlxrs.errors import ToolRoundsError
from mlxrs.lm.messages import ChatMessage, Role
from mlxrs.lm.session import ChatSession
from mlxrs.lm.toolbox import Toolbox


def warmth(city: str, days: int = 1) -> dict[str, object]:
    """Tells how warm it is."""
    if city == "Atlantis":
        raise LookupError("no such city")
    return {"city": city, "degrees": 4 * days}


async def time(city: str) -> str:
    """Tells the time."""
    await asyncio.sleep(0)
    return f"noon in {city}"


def test_calls_are_run_and_the_model_answers():
    session = talk(once("So: " + call("warmth", city="Oslo", days=2)), [warmth, time])

    reply = session.respond("How warm is it?")

    assert reply == "Clear."
    assert session.history == [
        ChatMessage.user("How warm is it?"),
        ChatMessage.assistant("So: " + call("warmth", city="Oslo", days=2)),
        ChatMessage.tool('{"city": "Oslo", "degrees": 8}', name="warmth"),
        ChatMessage.assistant("Clear."),
    ]
    # The call is read as it was written, so all of it is cached.
    assert reply.cached_tokens == len(
        session._tokenizer.encode(
            "[warmth time ]<|user|>How warm is it?<|assistant|>So: "
            + call("warmth", city="Oslo", days=2)
        )
    )
    assert session.undo() and session.history == []


def test_several_calls_of_one_reply_are_answered_together():
    said = call("time", city="Oslo") + "\n" + call("time", city="Rome")
    session = talk(once(said), [warmth, time])

    assert session.respond("?") == "Clear."

    assert [message.text for message in session.history[2:4]] == ["noon in Oslo", "noon in Rome"]
    assert len(session.history) == 5


@pytest.mark.parametrize(
    "said, told",
    [
        (call("warmth", city="Atlantis"), "error: LookupError: no such city"),
        (call("warmth"), "error: TypeError: .* missing .*: 'city'"),
        (call("tide", city="Oslo"), r"error: there is no tool 'tide', only \['time', 'warmth'\]"),
        ("<tool_call>{no}</tool_call>", "error: .*"),
    ],
)
def test_what_goes_wrong_is_told_to_the_model(said, told):
    session = talk(once(said), [warmth, time])

    assert session.respond("?") == "Clear."

    assert re.fullmatch(told, session.history[2].text)


def test_calls_that_are_not_approved_are_not_run():
    asked = []

    def approve(wanted):
        asked.append(wanted.name)
        return False

    session = talk(once(call("warmth", city="Oslo")), Toolbox([warmth], approve=approve))

    assert session.respond("?") == "Clear."

    assert asked == ["warmth"] and session.history[2].text == "error: this call was not allowed"


def test_a_model_that_calls_without_end_is_stopped():
    session = talk(lambda context: call("time", city="Oslo"), Toolbox([time], max_rounds=3))

    with pytest.raises(ToolRoundsError, match="max_rounds"):
        session.respond("?")

    assert len(session.history) == 2 + 3 * 2
    with session.stream_tools() as stream:
        list(stream)
    assert len(session.history) == 2 + 4 * 2


def test_a_stream_ends_with_the_call_and_goes_on_when_asked():
    session = talk(once(call("time", city="Oslo")), [time])

    rounds = []
    stream = session.stream_respond("?")
    while stream is not None:
        rounds.append("".join(response.text for response in stream))
        stream = session.stream_tools()

    assert rounds == [call("time", city="Oslo"), "Clear."] and session.stream_tools() is None


def test_without_tools_a_call_is_text():
    session = talk(once(call("time", city="Oslo")), [])

    assert session.respond("?") == call("time", city="Oslo")
    assert session.stream_tools() is None and len(session.history) == 2


def test_a_model_whose_template_shows_no_tools_is_told_in_the_system_message():
    plain = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}<|assistant|>"
    session = talk(
        once(call("warmth", city="Oslo")), [warmth, time], plain, instructions="Be brief."
    )

    reply = session.respond("How warm is it?")

    assert reply == "Clear." and session.history[2].text == '{"city": "Oslo", "degrees": 4}'
    prompt = session._tokenizer.decode(session.render("!"))
    system = prompt.partition("<|system|>Be brief.\n\n")[2].partition("<|user|>")[0]
    shown = [json.loads(line) for line in system.splitlines() if line.startswith('{"name"')]
    assert [tool["name"] for tool in shown] == ["warmth", "time"]
    assert "<tool_call>" in system and session.instructions == "Be brief."


def test_forks_and_loaded_sessions_have_tools(tmp_path):
    session = talk(once(call("time", city="Oslo")), [time])
    session.template_variables["quiet"] = True
    session.respond("?")
    assert session.fork().respond("!") == "Clear."

    session.save(tmp_path / "talk.safetensors")
    loaded = ChatSession.load(
        tmp_path / "talk.safetensors", session._model, session._tokenizer, tools=[time]
    )

    assert loaded.history == session.history and loaded.history[2].name == "time"
    assert loaded.render("!") == session.render("!") and loaded.template_variables["quiet"]
    assert "<think>" in loaded._tokenizer.decode(loaded.render("!"))


class Unit(Enum):
    CELSIUS = "c"
    KELVIN = "k"


def describe(unit: Unit, days: set[int], places: Sequence[str] = ()) -> str:
    """Tells what it was called with."""
    return f"{unit!r} {sorted(days)} {type(days).__name__} {places!r}"


def test_arguments_have_the_types_of_their_hints():
    said = call("describe", unit="k", days=[2, 1.0, 2], places=["Oslo"])
    session = talk(once(said), [describe])

    session.respond("?")

    assert session.history[2].text == "<Unit.KELVIN: 'k'> [1, 2] set ['Oslo']"


@pytest.mark.parametrize(
    "arguments, told",
    [
        ({"unit": "x", "days": []}, "error: ValueError: argument 'unit': 'x' is not a valid Unit"),
        (
            {"unit": "c", "days": "no"},
            "error: ValueError: argument 'days': JSON data must be of .*",
        ),
        ({"unit": "c", "days": [1.5]}, "error: ValueError: argument 'days': .*int.*1.5.*"),
    ],
)
def test_arguments_of_other_types_are_told_to_the_model(arguments, told):
    session = talk(once(call("describe", **arguments)), [describe])

    session.respond("?")

    assert re.fullmatch(told, session.history[2].text)


def listing(folder: str) -> str:
    """Names a file that is not text."""
    return "caf\udce9"


def test_results_that_are_no_text_are_made_so():
    session = talk(once(call("listing", folder="/")), [listing])

    assert session.respond("?") == "Clear." and session.history[2].text == "caf?"


@pytest.mark.parametrize(
    "tools, options, message",
    [
        (time, {}, r"tools must be a list of functions, got <function time.*\[...\]"),
        ("time", {}, "tools must be a list of functions"),
        ([5], {}, "a tool must be a function, got 5"),
        ([time], {"approve": True}, "approve must be a function"),
        ([time], {"max_rounds": None}, "max_rounds must be an integer"),
    ],
)
def test_what_is_no_tool_is_refused(tools, options, message):
    with pytest.raises(TypeError, match=message):
        Toolbox(tools, **options)


def test_tools_must_be_told_apart_and_end_some_time():
    with pytest.raises(ValueError, match="different names"):
        Toolbox([time, time])
    with pytest.raises(ValueError, match="max_rounds must be >= 1"):
        Toolbox([time], max_rounds=0)
    with pytest.raises(TypeError, match="type hint"):
        talk(once(""), [lambda x: x])


INSISTENT = (
    "{% if tools %}[tools]{% endif %}{% for m in messages %}"
    "{% if m.role == 'tool' and not m.tool_call_id %}{{ raise_exception('no id') }}{% endif %}"
    "<|{{ m.role }}|>{{ m.content }}{% for c in m.tool_calls or [] %}"
    "<{{ c.id }} {{ c.function.name }}>{% endfor %}{{ m.tool_call_id }}{% endfor %}<|assistant|>"
    '{# <tool_call>{"name": #}'
)


def test_a_template_that_wants_calls_apart_is_told_so_and_the_history_keeps_them(tmp_path):
    said = "So: " + call("warmth", city="Oslo") + call("time", city="Oslo")
    session = talk(once(said), [warmth, time], INSISTENT)

    assert session.respond("?") == "Clear." and session.respond("!") == "Clear."

    assert session.history[1] == ChatMessage.assistant(said)
    shown = session._tokenizer.decode(session.render("x"))
    assert "<|assistant|>So:<call00000 warmth><call00001 time><|tool|>" in shown
    assert "call00000<|tool|>noon in Osloc" in shown
    session.save(tmp_path / "talk.safetensors")
    loaded = ChatSession.load(
        tmp_path / "talk.safetensors", session._model, session._tokenizer, tools=[warmth, time]
    )
    assert loaded.history == session.history and loaded.render("x") == session.render("x")


def test_calls_of_a_conversation_from_elsewhere_are_run(tmp_path):
    entry = {"id": "abc", "function": {"name": "time", "arguments": '{"city": "Oslo"}'}}
    history = [ChatMessage.user("?"), ChatMessage(Role.ASSISTANT, "Hm.", tool_calls=[entry])]
    session = talk(once(""), [time], INSISTENT, history=history)

    with session.stream_tools() as stream:
        list(stream)

    assert stream.text == "Clear."
    assert session.history[2] == ChatMessage.tool("noon in Oslo", name="time", tool_call_id="abc")
    session.save(tmp_path / "talk.safetensors")
    loaded = ChatSession.load(tmp_path / "talk.safetensors", session._model, session._tokenizer)
    assert loaded.history == session.history
