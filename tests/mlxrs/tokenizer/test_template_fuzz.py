"""Any list of messages renders as with `transformers`, or is refused where it refuses."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.templates import SEARCH, WEATHER, template_source

from mlxrs.errors import ChatTemplateError
from mlxrs.tokenizer.chat_template import ChatTemplates
from mlxrs.tokenizer.conversation import render_conversation

NAMES = [
    "Qwen-Qwen3-0.6B",
    "Qwen3-Coder",
    "meta-llama-Llama-3.1-8B-Instruct",
    "mistralai-Mistral-Nemo-Instruct-2407",
    "openai-gpt-oss-120b",
    "google-gemma-4-31B-it",
    "GLM-4.6",
]
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>"}

texts = st.text(max_size=12) | st.sampled_from(
    ["<think>a</think>b", "</think>", "<tool_call>", "{{ x }}", "{% if %}", "\n", " a ", "é🙂"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
tool_calls = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.just("call12345"),
            "type": st.just("function"),
            "function": st.fixed_dictionaries(
                {"name": texts, "arguments": st.dictionaries(texts, values, max_size=3) | texts}
            ),
        }
    ),
    max_size=2,
)
parts = st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": texts}), max_size=2)
messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant", "tool", "other"])},
        optional={
            "content": texts | parts | values,
            "reasoning_content": texts,
            "tool_calls": tool_calls,
            "name": texts,
            "tool_call_id": st.just("call12345"),
        },
    ),
    max_size=5,
)


@cache
def templates(name: str) -> ChatTemplates:
    return ChatTemplates({"default": template_source(name)})


def ours(name: str, told: list[dict[str, Any]], tools: list[Any] | None) -> str | None:
    try:
        return render_conversation(templates(name), SPECIAL, told, tools=tools).text
    except ChatTemplateError:
        return None


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(told=messages, with_tools=st.booleans())
def test_messages_render_or_are_refused_and_stay_as_they_were(
    name: str, told: list[dict[str, Any]], with_tools: bool
) -> None:
    before = copy.deepcopy(told)

    ours(name, told, [WEATHER, SEARCH] if with_tools else None)

    assert told == before


@pytest.mark.reference
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(told=messages, with_tools=st.booleans())
def test_messages_render_as_with_transformers(
    name: str, told: list[dict[str, Any]], with_tools: bool
) -> None:
    from transformers.utils.chat_template_utils import render_jinja_template

    tools = [WEATHER, SEARCH] if with_tools else None
    kept = [{k: v for k, v in message.items() if v is not None} for message in told]
    try:
        expected, _ = render_jinja_template(
            [kept],
            chat_template=template_source(name),
            tools=tools,
            add_generation_prompt=True,
            **SPECIAL,
        )
    except Exception:
        # Here calls may also be told in the other form.
        assert ours(name, told, tools) is None or any("tool_calls" in m for m in told)
    else:
        assert ours(name, told, tools) == expected[0]
