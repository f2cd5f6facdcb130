"""How a model calls tools is read from its template, and back come the calls that it wrote."""

from __future__ import annotations

import json

import pytest
from support.replies import TOOLS, calls, merged, read_in_pieces, reasoning, text
from support.templates import NAMES, call_message, template_source
from support.word_tokenizers import word_tokenizer

from mlxrs.tokenizer.chat_template import ChatTemplates
from mlxrs.tokenizer.conversation import render_conversation
from mlxrs.tokenizer.tools import ReplyParser, ToolCall, infer_format, infer_reasoning

# What writes calls in ways of its own, or none at all.
OTHERS = {
    "CohereForAI-c4ai-command-r-plus-tool_use",
    "HuggingFaceTB-SmolLM3-3B",
    "Kimi-K3",
    "LFM2-8B-A1B",
    "LFM2.5-Instruct",
    "MiniMax-M3",
    "deepseek-ai-DeepSeek-R1-Distill-Llama-8B",
    "fireworks-ai-llama-3-firefunction-v2",
    "google-gemma-2-2b-it",
    "ibm-granite-granite-3.3-2B-Instruct",
    "llama-cpp-deepseek-r1",
    "llama-cpp-rwkv-world",
    "meetkai-functionary-medium-v3.2",
    "microsoft-Phi-3.5-mini-instruct",
    "muse-glimmer",
    "tencent-Hy3",
    # Their templates change lists, which the sandbox forbids, as it does in transformers.
    "Kimi-K2-Instruct",
    "Kimi-K2-Thinking",
}
ONE_CALL = {
    "GigaChat3-10B-A1.8B",
    "GigaChat3.1-10B-A1.8B",
    "meta-llama-Llama-3.1-8B-Instruct",
    "meta-llama-Llama-3.2-3B-Instruct",
    "meta-llama-Llama-3.3-70B-Instruct",
    "openai-gpt-oss-120b",
}
CALLS = [
    ToolCall("get_weather", {"city": 'Zürich "x" <b>', "days": 3}),
    ToolCall("search", {"query": "a & b", "deep": True}),
]
TOOL_LIST = [{"type": "function", "function": {"description": "Does.", **tool}} for tool in TOOLS]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OTHERS])
def test_calls_that_a_template_writes_are_read_back(name: str) -> None:
    source = template_source(name)
    wanted = CALLS[:1] if name in ONE_CALL else CALLS
    entries = [
        call_message(call.name, call.arguments, call_id=f"call1234{i}")
        for i, call in enumerate(wanted)
    ]
    messages = [
        {"role": "user", "content": "Q?"},
        {"role": "assistant", "content": "", "tool_calls": entries},
    ]
    rendered = render_conversation(
        ChatTemplates({"default": source}),
        {"bos_token": "<s>", "eos_token": "</s>"},
        messages,
        tools=TOOL_LIST,
        add_generation_prompt=False,
    ).text
    written = rendered[rendered.rindex("Q?") + 2 :]
    if name.startswith(("meta", "GigaChat3-")):
        # A call without tags is a whole reply; its head belongs to the prompt.
        written = written[written.index("{") :]

    def parser() -> ReplyParser:
        return ReplyParser(infer_format(source), infer_reasoning(source), tools=TOOLS)

    events = merged(parser().parse(written))

    assert calls(events) == wanted
    assert "".join(event.raw for event in events) == written
    assert read_in_pieces(parser(), list(written)) == events


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("Qwen-Qwen3-0.6B", "<think>"),
        ("Qwen-QwQ-32B", "<think>"),
        ("ByteDance-Seed-OSS", "<seed:think>"),
        ("google-gemma-4-31B-it", "<|channel>thought"),
        ("mistralai-Ministral-3-14B-Reasoning-2512", "[THINK]"),
        ("Qwen-Qwen2.5-7B-Instruct", None),
        ("meta-llama-Llama-3.1-8B-Instruct", None),
    ],
)
def test_tags_of_reasoning_are_read_from_the_template(name: str, start: str | None) -> None:
    tags = infer_reasoning(template_source(name))

    assert (tags.start if tags else None) == start


def test_template_that_begins_reasoning_itself_is_noticed() -> None:
    source = template_source("Qwen-QwQ-32B")
    tokenizer = word_tokenizer()
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Q"}],
        chat_template=source,
        variables={"enable_thinking": True},
    )

    events = tokenizer.reply_parser(prompt=prompt, chat_template=source).parse("Hm.</think>Yes.")

    assert prompt.endswith("<think>\n")
    assert (reasoning(events), text(events)) == ("Hm.", "Yes.")


def test_calls_and_results_are_told_back_in_the_form_the_template_wants() -> None:
    """One of these wants arguments as objects, the other as JSON text."""
    call = ToolCall("search", {"query": "x"}, "call12345")
    messages = [
        {"role": "user", "content": "Q"},
        {"role": "assistant", "content": "", "tool_calls": [call.entry()]},
        call.result({"found": "é"}),
    ]

    for name in ("Qwen3-Coder", "deepseek-ai-DeepSeek-V3.1"):
        prompt = word_tokenizer().apply_chat_template(
            messages, chat_template=template_source(name), tools=TOOL_LIST
        )

        assert '{"found": "é"}' in prompt
        assert "search" in prompt
    text_form = [{**call.entry(), "function": {"name": "search", "arguments": '{"query": "x"}'}}]
    messages[1]["tool_calls"] = text_form
    assert "<parameter=query>\nx\n" in word_tokenizer().apply_chat_template(
        messages, chat_template=template_source("Qwen3-Coder"), tools=TOOL_LIST
    )
    assert json.loads(text_form[0]["function"]["arguments"]) == {"query": "x"}
