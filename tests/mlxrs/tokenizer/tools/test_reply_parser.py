"""A reply is taken apart into text, reasoning and calls, and nothing of it is lost."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.replies import (
    REPLIES,
    SEARCH,
    TOOLS,
    WEATHER,
    calls,
    merged,
    read_in_pieces,
    reasoning,
    reasons,
    text,
)

from mlxrs.tokenizer.tools import (
    Event,
    InvalidCallEvent,
    ReasoningTags,
    ReplyParser,
    TextEvent,
    ToolCall,
    format_named,
)
from mlxrs.tokenizer.tools.formats import FORMATS

THINK = ReasoningTags("<think>", "</think>")


def parser(name: str, *, think: bool = False, in_reasoning: bool = False) -> ReplyParser:
    tags = THINK if think else None
    return ReplyParser(format_named(name), tags, tools=TOOLS, in_reasoning=in_reasoning)


def raw(events: list[Event]) -> str:
    return "".join(event.raw for event in events)


def test_every_format_has_a_reply_here() -> None:
    assert REPLIES.keys() == {format.name for format in FORMATS}


@pytest.mark.parametrize("name", REPLIES)
def test_calls_of_a_format_are_read(name: str) -> None:
    events = parser(name).parse(REPLIES[name])

    assert calls(events) == [WEATHER, SEARCH]
    assert (text(events), reasons(events), raw(events)) == ("", [], REPLIES[name])


@pytest.mark.parametrize("name", REPLIES)
def test_calls_are_the_same_letter_by_letter(name: str) -> None:
    reply = f"Let me look.\n\n{REPLIES[name]}\n"

    whole = merged(parser(name).parse(reply))

    assert read_in_pieces(parser(name), list(reply)) == whole
    if not (format_named(name).bare and not format_named(name).brackets):
        assert text(whole).startswith("Let me look.")


@pytest.mark.parametrize("name", [name for name in REPLIES if name not in ("llama3", "json")])
def test_text_before_calls_is_said_without_the_space_between(name: str) -> None:
    events = parser(name).parse(f"Let me look.\n\n{REPLIES[name]}\n")

    assert text(events) == "Let me look."
    assert calls(events) == [WEATHER, SEARCH]


@pytest.mark.parametrize("name", REPLIES)
def test_call_that_is_cut_off_is_kept_as_it_is(name: str) -> None:
    """Arguments that are cut short are worse than none: a path may lose its end."""
    reply = REPLIES[name]
    whole = calls(parser(name).parse(reply))

    for end in range(len(reply)):
        events = parser(name).parse(reply[:end])

        assert raw(events) == reply[:end]
        assert calls(events) == whole[: len(calls(events))]


@pytest.mark.parametrize("name", REPLIES)
def test_text_is_shown_as_soon_as_it_cannot_be_a_tag(name: str) -> None:
    reader = parser(name)

    assert reader.feed("Hello") == [TextEvent("Hello")]
    assert reader.feed(" you. ") == [TextEvent(" you.")]
    assert reader.feed("Yes") == [TextEvent(" Yes")]


def test_beginning_of_a_tag_is_text_at_the_end_of_the_reply() -> None:
    reader = parser("json_tools")

    assert reader.feed("1 <tool") == [TextEvent("1")]
    assert reader.finish() == [TextEvent(" <tool")]


@pytest.mark.parametrize(
    "reply",
    [
        "<tool_call>{broken}</tool_call>",
        '<tool_call>{"arguments": {}}</tool_call>',
        '<tool_call>{"name": 3}</tool_call>',
        '<tool_call>{"name": "f", "arguments": [1]}</tool_call>',
        '<tool_call>"f"</tool_call>',
        "<tool_call></tool_call>",
        "<tool_call>" + "[" * 100_000 + "</tool_call>",
    ],
)
def test_malformed_call_is_told_with_its_reason_and_the_text_goes_on(reply: str) -> None:
    events = parser("json_tools").parse(f"Well. {reply} So.")

    assert [type(event) for event in events if isinstance(event, InvalidCallEvent)]
    assert all(reasons(events))
    assert text(events) == "Well.So."
    assert raw(events) == f"Well. {reply} So."


def test_malformed_call_does_not_take_a_good_one_with_it() -> None:
    good = '<tool_call>{"name": "search", "arguments": {}}</tool_call>'

    for bad in ("<tool_call>{</tool_call>", '<tool_call>{"name": "x</tool_call>', "<tool_call>"):
        events = parser("json_tools").parse(bad + good)

        assert calls(events) == [ToolCall("search", {})]
        assert len(reasons(events)) == 1
        assert raw(events) == bad + good


def test_call_without_its_last_tag_is_a_call_if_it_is_whole() -> None:
    """Generation may stop at that tag."""
    events = parser("json_tools").parse('<tool_call>{"name": "search", "arguments": {}}')

    assert calls(events) == [ToolCall("search", {})]


def test_arguments_may_be_json_in_a_string() -> None:
    reply = '<tool_call>{"name": "search", "arguments": "{\\"query\\": \\"x\\"}"}</tool_call>'

    assert calls(parser("json_tools").parse(reply)) == [ToolCall("search", {"query": "x"})]


@pytest.mark.parametrize(
    ("name", "reply"),
    [
        ("mistral", '[TOOL_CALLS] [{"name": "search", "arguments": {"query": "x"}, "id": "i"}]'),
        ("mistral", '[TOOL_CALLS]search[CALL_ID]i[ARGS]{"query": "x"}'),
        ("mistral", '[TOOL_CALLS]search{"query": "x"}'),
        ("llama3", '<|python_tag|>{"name": "search", "parameters": {"query": "x"}}'),
        ("llama3", '<|python_tag|>search.call(query="x")<|eom_id|>'),
        ("llama3", '<function=search>{"query": "x"}</function>'),
        ("llama3", '{"type": "function", "name": "search", "parameters": {"query": "x"}}'),
        ("json", '{"function": {"name": "search", "arguments": {"query": "x"}}}'),
        ("qwen3_coder", '<tool_call>{"name": "search", "arguments": {"query": "x"}}</tool_call>'),
        ("qwen3_coder", "<function=search><parameter=query>x</parameter></function></tool_call>"),
        ("glm47", '<tool_call>search{"query": "x"}</tool_call>'),
        ("glm47", "<tool_call>search<arg_key>query</arg_key><arg_value>x</arg_value></tool_call>"),
        ("pythonic", '<|tool_call_start|>[{"name": "search", "arguments": {"query": "x"}}]'),
        ("pythonic", "<|tool_call_start|>[search('x')]<|tool_call_end|>"),
        ("deepseek", '<｜tool▁call▁begin｜>search<｜tool▁sep｜>{"query": "x"}<｜tool▁call▁end｜>'),
    ],
)  # fmt: skip
def test_other_ways_to_write_a_call_are_read_too(name: str, reply: str) -> None:
    assert calls(parser(name).parse(reply)) == [ToolCall("search", {"query": "x"})]


def test_ids_that_a_model_gives_are_kept() -> None:
    (*_, event) = [e for e in parser("kimi_k2").parse(REPLIES["kimi_k2"]) if hasattr(e, "call")]

    assert event.call.id == "functions.search:1"


@pytest.mark.parametrize("reply", ['{"a": 1}', "{}", '{"name": 1} and so on', "{ x"])
def test_object_that_is_no_call_is_text(reply: str) -> None:
    events = parser("json").parse(reply)

    assert calls(events) == []
    assert text(events) == reply


def test_object_that_begins_as_a_call_and_never_ends_is_a_malformed_call() -> None:
    events = parser("json").parse('{"name": "f"')

    assert [type(event) for event in events] == [InvalidCallEvent]
    assert raw(events) == '{"name": "f"'


def test_reasoning_is_split_from_the_reply() -> None:
    events = parser("json_tools", think=True).parse("<think>\nHm. <b>\n</think>\n\nYes, </think>.")

    assert (reasoning(events), text(events)) == ("Hm. <b>", "Yes, </think>.")


def test_reasoning_that_the_prompt_began_is_reasoning() -> None:
    reply = f"Hm.</think>{REPLIES['json_tools']}"
    events = parser("json_tools", think=True, in_reasoning=True).parse(reply)

    assert (reasoning(events), text(events)) == ("Hm.", "")
    assert calls(events) == [WEATHER, SEARCH]


def test_words_about_a_call_in_reasoning_are_no_call() -> None:
    reply = "<think>I write <tool_call> now.</think>Done."
    events = parser("json_tools", think=True).parse(reply)

    assert (reasoning(events), text(events)) == ("I write <tool_call> now.", "Done.")


def test_special_token_of_a_call_ends_reasoning() -> None:
    events = parser("kimi_k2", think=True).parse("<think>Hm." + REPLIES["kimi_k2"])

    assert reasoning(events) == "Hm."
    assert calls(events) == [WEATHER, SEARCH]


def test_channels_tell_reasoning_from_text() -> None:
    events = parser("harmony").parse(
        "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary<|message|>"
        "I look.<|end|><|start|>assistant<|channel|>final<|message|>Yes.<|return|>"
    )

    assert (reasoning(events), text(events)) == ("Hm.", "I look.Yes.")


def test_long_space_is_said_and_reads_the_same_in_any_pieces() -> None:
    for lead in ("", "Well.", "<think>"):
        for count in (255, 256, 257, 600):
            reply = lead + " " * count + REPLIES["json_tools"]
            whole = merged(parser("json_tools", think=True).parse(reply))

            assert raw(whole) == reply
            assert read_in_pieces(parser("json_tools", think=True), list(reply)) == whole


def test_many_tags_without_an_end_are_one_malformed_call() -> None:
    good = '<tool_call>{"name": "search", "arguments": {}}</tool_call>'
    for reply in ("<tool_call>" * 5000, "<tool_call>" * 5000 + good):
        events = parser("json_tools").parse(reply)

        assert raw(events) == reply
        assert len(reasons(events)) <= 2


def test_without_a_format_all_is_text() -> None:
    reply = f"<think>x</think>{REPLIES['json_tools']}"

    assert merged(ReplyParser().parse(reply)) == [TextEvent(reply)]


def test_finished_reply_takes_no_more() -> None:
    reader = ReplyParser()
    reader.finish()

    with pytest.raises(ValueError, match="was finished"):
        reader.feed("x")


TAGS = sorted(
    {"<think>", "</think>", "{", "}", '"', "\\", "[", "]", "\n", " ", ",", ":", "a", "'", "<"}
    | {tag for format in FORMATS for bracket in format.brackets for tag in
       (bracket.start, *bracket.ends, *(mark for pair in bracket.quotes for mark in pair))}
    | {tag for format in FORMATS for pair in format.sections for tag in pair}
    | {"<|channel|>", "<|start|>", "<|message|>", "<|end|>", "<|call|>", "[ARGS]", "[CALL_ID]"}
)  # fmt: skip


@st.composite
def broken_replies(draw: st.DrawFn) -> tuple[str, str]:
    """Draws a format and a reply of it with pieces taken out, doubled, or put in."""
    name = draw(st.sampled_from(sorted(REPLIES)))
    reply = draw(st.sampled_from(["", "Well. ", "<think>Hm.</think>", "<think>"])) + REPLIES[name]
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(reply)))
        upto = draw(st.integers(at, min(len(reply), at + 40)))
        put = draw(st.sampled_from(TAGS) | st.text(max_size=3))
        reply = reply[:at] + put + reply[upto:]
    return name, reply


@settings(max_examples=400, deadline=None)
@given(broken_replies(), st.randoms(use_true_random=False))
def test_broken_replies_read_the_same_in_any_pieces_and_keep_every_letter(
    drawn: tuple[str, str], luck: random.Random
) -> None:
    name, reply = drawn
    cuts = sorted(luck.sample(range(len(reply) + 1), k=min(5, len(reply))))
    pieces = [reply[a:b] for a, b in zip([0, *cuts], [*cuts, len(reply)], strict=True)]

    whole = merged(parser(name, think=True).parse(reply))

    assert raw(whole) == reply
    assert read_in_pieces(parser(name, think=True), list(reply)) == whole
    assert read_in_pieces(parser(name, think=True), pieces) == whole


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(REPLIES)), st.lists(st.sampled_from(TAGS), max_size=12))
def test_heaps_of_tags_read_the_same_in_any_pieces(name: str, tags: list[str]) -> None:
    reply = "".join(tags)

    whole = merged(parser(name, think=True).parse(reply))

    assert raw(whole) == reply
    assert read_in_pieces(parser(name, think=True), list(reply)) == whole
