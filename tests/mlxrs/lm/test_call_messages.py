"""Earlier calls, as each chat template wants to be told of them."""

from __future__ import annotations

import pytest
from support.replies import REPLIES, SEARCH, WEATHER
from support.templates import NAMES, template_source
from support.tokenizers import byte_level_backend

from mlxrs.errors import ChatTemplateError
from mlxrs.lm.call_messages import CallMessages
from mlxrs.lm.messages import ChatMessage, Role
from mlxrs.lm.toolbox import Toolbox
from mlxrs.tokenizer import Tokenizer
from mlxrs.tokenizer.chat_template import ChatTemplates
from mlxrs.tokenizer.tools import ToolCall, infer_format

APART = {
    "MiniMax-M2",
    "MiniMax-M3",
    "Mistral-Small-3.2-24B-Instruct-2506",
    "google-gemma-4-31B-it",
    "mistralai-Ministral-3-14B-Reasoning-2512",
    "mistralai-Mistral-Nemo-Instruct-2407",
    "openai-gpt-oss-120b",
    "upstage-Solar-Open-100B",
}
ONE_CALL = {"openai-gpt-oss-120b"}
# These cannot be told of tools at all without names nobody gives them.
NONE = {"fireworks-ai-llama-3-firefunction-v2", "llama-cpp-deepseek-r1"}


def get_weather(city: str, days: int) -> str:
    """Tells the weather.

    Args:
        city: Where.
        days: When.
    """
    return f"{city} {days}"


def search(query: str, deep: bool) -> str:
    """Searches.

    Args:
        query: What.
        deep: How.
    """
    return query


TOOLS = Toolbox([get_weather, search])


def tokenizer(source: str) -> Tokenizer:
    return Tokenizer(
        byte_level_backend(),
        eos_token_ids=[0],
        special_tokens={"bos_token": "<s>", "eos_token": "</s>"},
        chat_templates=ChatTemplates({"default": source}),
    )


def conversation(reply: str) -> list[ChatMessage]:
    return [
        ChatMessage.user("How warm?"),
        ChatMessage.assistant(reply),
        ChatMessage.tool("21 degrees", name="get_weather"),
        ChatMessage.tool("7 pages", name="search"),
        ChatMessage.assistant("It is warm."),
        ChatMessage.user("Thanks."),
    ]


def rendered(made: Tokenizer, messages: list[ChatMessage]) -> str:
    return made.apply_chat_template(
        [message.to_dict() for message in messages],
        tools=TOOLS.schemas if made.shows_tools else None,
    )


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NONE])
def test_every_template_shows_calls_results_and_answers(name):
    source = template_source(name)
    made = tokenizer(source)
    known = infer_format(source)
    reply = REPLIES[known.name if known and made.shows_tools else "json_tools"]
    messages = conversation(reply)

    told = CallMessages(made, TOOLS).told(messages, [])

    assert (told != messages) == (name in APART)
    if name in APART or made.shows_tools:
        try:
            shown = rendered(made, told)
        except ChatTemplateError as error:
            # Some know one call at a time.
            assert "single" in str(error) or "one" in str(error), error
            return
        shown = shown[shown.rindex("How warm?") :]
        places = [shown.find(text) for text in ("21 degrees", "7 pages", "It is warm.")]
        assert "get_weather" in shown and ("search" in shown or name in ONE_CALL)
        assert places == sorted(places) and places[0] > 0


@pytest.mark.parametrize("name", ["mistral", "gemma4", "minimax_m2", "kimi_k2"])
def test_calls_are_taken_out_of_the_text_and_named_by_their_results(name):
    insistent = (
        "{% for m in messages %}{% if m.role == 'tool' and not m.tool_call_id %}"
        "{{ raise_exception('no id') }}{% endif %}{{ m.content }}"
        "{% for c in m.tool_calls or [] %}{{ c.function.name }}{{ c.id }}{% endfor %}{% endfor %}"
        "{{ tools }}"
    )
    made = tokenizer(insistent)
    made._tool_format = name
    messages = conversation("Let me see. " + REPLIES[name])

    said = CallMessages(made, TOOLS).told(messages, [])

    assert said[1].text == "Let me see."
    assert [ToolCall(c.name, c.arguments) for c in said[1].tool_calls] == [WEATHER, SEARCH]
    ids = [call.id for call in said[1].tool_calls]
    assert len(set(ids)) == 2 and [message.tool_call_id for message in said[2:4]] == ids
    assert name == "kimi_k2" or all(len(id) == 9 and id.isalnum() for id in ids)
    assert messages == conversation("Let me see. " + REPLIES[name])


def test_what_cannot_be_read_is_a_call_too():
    """Its result, an error, must belong to something."""
    made = tokenizer(template_source("mistralai-Mistral-Nemo-Instruct-2407"))
    messages = conversation("[TOOL_CALLS]nothing [TOOL_CALLS]" + "[")

    told = CallMessages(made, TOOLS).told(messages, [])

    assert all(call.name == "unreadable" for call in told[1].tool_calls)
    assert "21 degrees" in rendered(made, told)


def test_replies_in_channels_are_told_as_text():
    made = tokenizer(template_source("openai-gpt-oss-120b"))
    thought = "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant"
    messages = [
        ChatMessage.user("Hello."),
        ChatMessage.assistant(thought + "<|channel|>final<|message|>Hi there."),
        ChatMessage.user("Bye."),
    ]

    told = CallMessages(made, Toolbox([])).told(messages, [])

    assert told[1] == ChatMessage.assistant("Hi there.")
    assert "Hi there." in rendered(made, told)


def test_calls_of_a_conversation_from_elsewhere_are_kept():
    entry = {"id": "a1", "function": {"name": "search", "arguments": '{"query": "x"}'}}
    message = ChatMessage(Role.ASSISTANT, "", tool_calls=[entry])

    assert message.tool_calls == (ToolCall("search", {"query": "x"}, "a1"),)
    assert message.to_dict()["tool_calls"][0]["function"]["arguments"] == {"query": "x"}
    assert ChatMessage(Role.ASSISTANT, "", tool_calls=message.to_dict()["tool_calls"]) == message


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"function": {"name": 3}},
        {"function": {"name": "a", "arguments": "["}},
        {"function": {"name": "a", "arguments": []}},
        {"function": {"name": "a"}, "id": 3},
    ],
)
def test_what_is_no_call_is_refused(entry):
    with pytest.raises(ValueError):
        ChatMessage(Role.ASSISTANT, "", tool_calls=[entry])
