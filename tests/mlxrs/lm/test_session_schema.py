"""Replies that are objects."""

import asyncio
import json
from dataclasses import dataclass
from typing import Literal

import pytest
from support.tokenizers import byte_level_backend
from support.tool_talk import call, once, talk

import mlxc as mx
from mlxrs.lm.params import GenConfig
from mlxrs.lm.response import FinishReason
from mlxrs.lm.session import ChatSession
from mlxrs.testing import FakeModel
from mlxrs.tokenizer import Tokenizer
from mlxrs.tokenizer.chat_template import ChatTemplates

pytest.importorskip("llguidance")


@dataclass
class Animal:
    name: Literal["fox", "hound"]
    quick: bool


def session(max_tokens: int, end: str = "", budget: int | None = None, **options) -> ChatSession:
    backend = byte_level_backend()
    backend.add_special_tokens(["<|eos|>"])
    tokenizer = Tokenizer(
        backend,
        eos_token_ids=[backend.token_to_id("<|eos|>")],
        chat_templates=ChatTemplates({"default": "{{ messages[-1].content }}:" + end}),
    )
    # All tokens are alike to this model, so draws alone decide what the schema leaves open.
    size = tokenizer.vocab_size
    model = FakeModel(size, logits=mx.zeros((size,)))
    params = GenConfig(max_tokens=max_tokens, temp=1.0, **options)
    return ChatSession(model, tokenizer, params=params, thinking_budget=budget)


@pytest.mark.parametrize("seed", range(5))
def test_a_reply_by_a_type_is_parsed(seed):
    reply = session(60, seed=seed).respond("?", schema=Animal)

    assert isinstance(reply.parsed, Animal) and reply.parsed.name in ("fox", "hound")
    assert reply == str(reply) and reply.startswith('{"name": "')


def test_a_reply_by_a_json_schema_is_parsed():
    reply = session(60, seed=1).respond("?", schema={"enum": [[1, 2], "a"]})

    assert reply.parsed in ([1, 2], "a")


def test_what_was_cut_short_is_not_parsed():
    reply = session(4).respond("?", schema=Animal)

    assert reply.finish_reason is FinishReason.LENGTH and reply.parsed is None
    assert session(4).respond("?").parsed is None


@dataclass
class Endless:
    inner: "Endless"


def test_a_type_without_an_end_is_an_error_of_the_turn():
    endless = session(60)

    with pytest.raises(RuntimeError, match="the grammar cannot be followed any further"):
        endless.respond("?", schema=Endless)

    assert [message.text for message in endless.history] == ["?", ""]


def test_a_schema_does_not_go_with_a_constraint():
    with pytest.raises(ValueError, match="schema and constraint do not go together"):
        session(4).respond("?", schema=Animal, constraint=object())


@pytest.mark.parametrize("seed", range(3))
def test_a_schema_holds_for_what_is_said_behind_the_thinking(seed):
    reply = session(80, end="<think>", budget=9, seed=seed).respond("?", schema=Animal)

    assert isinstance(reply.parsed, Animal) and reply.answer.startswith('{"name": "')
    # Draws are of single bytes, some of which are no characters.
    assert reply.thinking is not None and len(reply.encode(errors="replace")) >= 9


def test_thinking_that_is_over_leaves_a_schema_alone():
    reply = session(60, end="<think>\n\n</think>\n", budget=9, seed=1).respond("?", schema=Animal)

    assert reply.startswith('{"name": "') and isinstance(reply.parsed, Animal)


def test_a_stream_can_have_a_schema():
    with session(60, seed=2).stream_respond("?", schema=Animal) as stream:
        list(stream)

    assert json.loads(stream.text)["name"] in ("fox", "hound")


@dataclass
class Warmth:
    city: str
    degrees: int


def warmth(city: str) -> dict[str, object]:
    """Tells how warm it is."""
    return {"city": city, "degrees": 4}


@pytest.mark.parametrize("how", ["respond", "arespond"])
def test_a_schema_leaves_calls_be_and_holds_for_the_answer(how):
    talker = talk(
        lambda context: (
            '{"city": "Oslo", "degrees": 4}' if "<|tool" in context else call("warmth", city="Oslo")
        ),
        [warmth],
    )

    if how == "respond":
        reply = talker.respond("How warm?", schema=Warmth)
    else:
        reply = asyncio.run(talker.arespond("How warm?", schema=Warmth))

    assert reply.parsed == Warmth("Oslo", 4)
    assert [str(message.role) for message in talker.history][1:3] == ["assistant", "tool"]


def test_an_answer_to_tools_cannot_but_follow_its_schema():
    """This model would rather chat, before its call and behind it."""
    talker = talk(once("Let me see. " + call("warmth", city="Oslo")), [warmth])
    talker.params.max_tokens = 60

    reply = talker.respond("How warm?", schema={"enum": ["warm", "cold"]})

    assert reply.parsed in ("warm", "cold") and len(talker.history) == 2


def test_a_call_without_tags_may_come_in_place_of_the_answer():
    bare = json.dumps({"name": "warmth", "arguments": {"city": "Oslo"}})
    template = (
        "{% for t in tools %}{{ t.function.name }}{% endfor %}"
        "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}<|assistant|>"
    )
    talker = talk(once(bare), [warmth], template)
    talker.params.max_tokens = 60

    reply = talker.respond("How warm?", schema={"enum": ["Clear.", "cold"]})

    assert talker.history[1].text == bare and talker.history[2].name == "warmth"
    assert reply.parsed in ("Clear.", "cold")
