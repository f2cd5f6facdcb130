"""The templates of real models render as `transformers` renders them, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from support.templates import NAMES, SEARCH, WEATHER, call_message, template_source

from mlxrs.errors import ChatTemplateError
from mlxrs.tokenizer.chat_template import ChatTemplates
from mlxrs.tokenizer.conversation import render_conversation

SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
ARGUMENTS = {"city": "Zürich", "days": 3}

SYSTEM = {"role": "system", "content": "Be brief."}
HELLO = {"role": "user", "content": '  Hello, <world> & "you"\n'}
REPLY = {"role": "assistant", "content": "Hi.\n\nHow are you?"}
THOUGHT = {"role": "assistant", "content": "Well.", "reasoning_content": "The user is polite."}
ASK = {"role": "user", "content": "Weather in Zürich?"}
RESULT = {
    "role": "tool",
    "content": '{"sky": "blue"}',
    "name": "get_weather",
    "tool_call_id": "call12345",
}


def calling(arguments: object) -> dict[str, object]:
    calls = [call_message("get_weather", arguments)]
    return {"role": "assistant", "content": "", "tool_calls": calls}


CONVERSATIONS: dict[str, tuple[list[Mapping[str, object]], dict[str, object]]] = {
    "one turn": ([HELLO], {}),
    "system": ([SYSTEM, HELLO], {}),
    "turns": ([SYSTEM, HELLO, REPLY, ASK], {}),
    "no prompt": ([HELLO, REPLY], {"add_generation_prompt": False}),
    "reasoning": ([HELLO, THOUGHT, ASK], {"enable_thinking": True}),
    "no thinking": ([HELLO, THOUGHT, ASK], {"enable_thinking": False}),
    "tools": ([SYSTEM, ASK], {"tools": [WEATHER, SEARCH]}),
    "call": ([ASK, calling(ARGUMENTS), RESULT], {"tools": [WEATHER]}),
    "call with text": ([ASK, calling(json.dumps(ARGUMENTS)), RESULT], {"tools": [WEATHER]}),
    "turns after a call": (
        [SYSTEM, ASK, calling(ARGUMENTS), RESULT, REPLY, HELLO],
        {"tools": [WEATHER]},
    ),
    "documents": ([ASK], {"documents": [{"title": "Sky", "text": "It is <blue>."}]}),
    "parts": ([{"role": "user", "content": [{"type": "text", "text": "Hello"}]}], {}),
    "no content": ([ASK, {**calling(ARGUMENTS), "content": None}, RESULT], {"tools": [WEATHER]}),
    "go on": ([HELLO, REPLY], {"continue_final_message": True}),
    "go on, spaces": (
        [HELLO, {"role": "assistant", "content": "Sure: "}],
        {"continue_final_message": True},
    ),
    "roles alternate not": ([HELLO, HELLO], {}),
}


def ours(
    templates: ChatTemplates, messages: list[Mapping[str, object]], options: dict[str, object]
) -> str:
    options = dict(options)
    named = {
        name: options.pop(name)
        for name in ("tools", "documents", "add_generation_prompt", "continue_final_message")
        if name in options
    }
    return render_conversation(templates, SPECIAL, messages, variables=options, **named).text


def theirs(source: str, messages: list[Mapping[str, object]], options: dict[str, object]) -> str:
    from transformers.utils.chat_template_utils import render_jinja_template

    # What PreTrainedTokenizerBase.apply_chat_template does before it calls this.
    kept = [{k: v for k, v in message.items() if v is not None} for message in messages]
    begin = not options.get("continue_final_message")
    options = {"add_generation_prompt": begin, "tools": None, "documents": None, **options}
    texts, _ = render_jinja_template([kept], chat_template=source, **SPECIAL, **options)
    return str(texts[0])


@pytest.mark.reference
@pytest.mark.parametrize("name", NAMES)
def test_template_renders_as_with_transformers(name: str) -> None:
    source = template_source(name)
    templates = ChatTemplates({"default": source})

    for title, (messages, options) in CONVERSATIONS.items():
        try:
            expected = theirs(source, messages, options)
        except Exception:
            # Calls whose arguments have the wrong form for a template are told in the other one.
            if not any("tool_calls" in message for message in messages):
                with pytest.raises(ChatTemplateError):
                    ours(templates, messages, options)
        else:
            assert ours(templates, messages, options) == expected, title
