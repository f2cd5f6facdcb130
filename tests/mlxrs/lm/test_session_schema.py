"""Replies that are objects."""

from dataclasses import dataclass
from typing import Literal

import pytest
from support.tokenizers import byte_level_backend

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


def session(max_tokens: int, **options) -> ChatSession:
    backend = byte_level_backend()
    backend.add_special_tokens(["<|eos|>"])
    tokenizer = Tokenizer(
        backend,
        eos_token_ids=[backend.token_to_id("<|eos|>")],
        chat_templates=ChatTemplates({"default": "{{ messages[-1].content }}:"}),
    )
    # All tokens are alike to this model, so draws alone decide what the schema leaves open.
    size = tokenizer.vocab_size
    model = FakeModel(size, logits=mx.zeros((size,)))
    params = GenConfig(max_tokens=max_tokens, temp=1.0, **options)
    return ChatSession(model, tokenizer, params=params)


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
