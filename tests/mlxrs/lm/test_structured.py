"""Replies of a given form."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import pytest
from support.models import smollm2_gguf
from support.tokenizers import byte_level_backend, metaspace_backend, spm_backend

import mlxc as mx
from mlxrs.errors import UnsupportedError
from mlxrs.lm.batch import batch_generate
from mlxrs.lm.generate import generate
from mlxrs.lm.load import load
from mlxrs.lm.params import GenConfig
from mlxrs.lm.prompt_lookup import PromptLookupConfig
from mlxrs.lm.response import FinishReason
from mlxrs.lm.structured import Grammar
from mlxrs.testing import FakeModel
from mlxrs.tokenizer import Tokenizer

pytest.importorskip("llguidance")

EOS = 256


@cache
def byte_tokenizer():
    """One token a byte, and the ending token 256 among four special ones."""
    return Tokenizer(byte_level_backend(), eos_token_ids=[EOS])


def allowed(constraint):
    return {int(token) for token in np.flatnonzero(np.array(constraint.mask()))}


def letters(constraint):
    return {chr(token) if token < EOS else "end" for token in allowed(constraint)}


def say(constraint, text):
    for byte in text.encode():
        constraint.accept(byte)
    return constraint


def test_a_regular_expression_tells_which_tokens_may_come():
    constraint = Grammar.regex("[ab]c+").constraint(byte_tokenizer())

    assert letters(constraint) == {"a", "b"}
    assert letters(say(constraint, "a")) == {"c"}
    assert letters(say(constraint, "c")) == {"c", "end"}


def test_a_schema_forbids_what_cannot_begin_its_json():
    constraint = Grammar.json_schema({"type": "integer", "minimum": 0}).constraint(byte_tokenizer())

    assert letters(constraint) == set("0123456789")


def test_a_grammar_may_end_exactly_where_it_is_complete():
    constraint = Grammar.lark('start: "yes" | "yesterday"').constraint(byte_tokenizer())

    for text in ("y", "e", "s", "t", "e", "r", "d", "a"):
        say(constraint, text)
        assert (EOS in allowed(constraint)) == constraint.may_end == (text == "s")


@pytest.mark.parametrize("eos", [[EOS], [EOS, 258]])
def test_behind_the_end_only_the_ending_tokens_are_allowed(eos):
    constraint = Grammar.regex("ab").constraint(byte_tokenizer(), eos=eos)

    say(constraint, "ab")

    assert allowed(constraint) == set(eos)
    constraint.accept(eos[-1])
    assert allowed(constraint) == set(eos)


def test_gbnf_is_understood():
    constraint = Grammar.gbnf('root ::= "a" | "b" digit\ndigit ::= [0-9]').constraint(
        byte_tokenizer()
    )

    assert letters(constraint) == {"a", "b"}
    assert letters(say(constraint, "b")) == set("0123456789")


def test_tokens_are_taken_back_in_any_number():
    grammar = Grammar.json_schema({"type": "array", "items": {"enum": [1, "x"]}})
    constraint = grammar.constraint(byte_tokenizer())
    masks = []
    text = '[1, "x"]'
    for byte in text.encode():
        masks.append(allowed(constraint))
        constraint.accept(byte)
    masks.append(allowed(constraint))
    constraint.accept(EOS)

    for count in range(1, len(text) + 1):
        constraint.rollback(count + 1)
        assert allowed(constraint) == masks[-1 - count]
        say(constraint, text[len(text) - count :])
        constraint.accept(EOS)


def test_more_tokens_than_there_were_are_not_taken_back():
    constraint = say(Grammar.regex("a*").constraint(byte_tokenizer()), "aa")

    with pytest.raises(ValueError, match="no 3 tokens to take back"):
        constraint.rollback(3)


def test_a_forbidden_token_is_refused_and_changes_nothing():
    constraint = Grammar.regex("ab").constraint(byte_tokenizer())

    for token in (ord("b"), EOS):
        with pytest.raises(ValueError, match=f"does not allow token {token} here"):
            constraint.accept(token)

    assert letters(say(constraint, "a")) == {"b"}


def test_constraints_of_one_grammar_do_not_see_each_other():
    grammar = Grammar.regex("ab|cd")
    first, second = (grammar.constraint(byte_tokenizer()) for _ in range(2))

    say(first, "a")

    assert letters(first) == {"b"} and letters(second) == {"a", "c"}


@pytest.mark.parametrize(
    "make",
    [
        lambda: Grammar.json_schema({"type": "text"}),
        lambda: Grammar.json_schema({"type": "array", "uniqueItems": True}),
        lambda: Grammar.json_schema({"type": "string", "format": "no such format"}),
        lambda: Grammar.json_schema({"enum": []}),
        lambda: Grammar.regex("("),
        lambda: Grammar.regex("a(?=b)"),
        lambda: Grammar.lark("start: missing"),
        lambda: Grammar.gbnf('root ::= "a'),
    ],
)
def test_what_cannot_be_enforced_is_an_error_in_one_line(make):
    with pytest.raises(ValueError, match="^the grammar cannot be compiled: [^\n]+$"):
        make()


def test_a_schema_that_is_no_json_is_refused():
    with pytest.raises(ValueError, match="schema must be JSON"):
        Grammar.json_schema({"enum": [float("nan")]})


def test_a_tokenizer_without_an_ending_token_is_refused():
    with pytest.raises(ValueError, match="needs a token that ends the reply"):
        Grammar.regex("a").constraint(Tokenizer(byte_level_backend()))


def test_an_ending_token_beyond_the_vocabulary_is_refused():
    with pytest.raises(ValueError, match="9999"):
        Grammar.regex("a").constraint(byte_tokenizer(), eos=[9999])


def test_a_tokenizer_that_is_not_understood_is_refused():
    tokenizer = Tokenizer(metaspace_backend(), eos_token_ids=[2])

    with pytest.raises(UnsupportedError, match="llguidance cannot read this tokenizer"):
        Grammar.regex("a").constraint(tokenizer)


def test_words_of_sentencepiece_are_understood():
    tokenizer = Tokenizer(spm_backend(strip=True), eos_token_ids=[264])
    constraint = Grammar.regex(" Hello!").constraint(tokenizer)

    constraint.accept(257)  # ▁Hello
    constraint.accept(259)

    assert allowed(constraint) == {264}


@pytest.mark.parametrize("rows", [250, 260, 300])
def test_a_model_may_have_other_rows_than_the_tokenizer_has_tokens(rows):
    tokenizer, model = byte_tokenizer(), FakeModel(rows)  # which wants to say its last row
    constraint = Grammar.regex("[xy]").constraint(tokenizer)

    reply = generate(model, tokenizer, [1], params=GenConfig(max_tokens=1), constraint=constraint)

    assert reply in ("x", "y")


@dataclass
class Answer:
    city: Literal["Paris", "Rome", "Oslo"]
    people: int
    tags: list[bool]


SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "maxLength": 8},
        "size": {"enum": ["small", "large"]},
        "people": {"type": "integer", "minimum": 0, "maximum": 99},
    },
    "required": ["city", "size", "people"],
    "additionalProperties": False,
}


def assert_valid(text):
    found = json.loads(text)
    assert list(found) == ["city", "size", "people"]
    assert isinstance(found["city"], str) and len(found["city"]) <= 8
    assert found["size"] in ("small", "large")
    assert isinstance(found["people"], int) and 0 <= found["people"] <= 99


@cache
def smollm2():
    return load(str(smollm2_gguf()))


def prompt():
    message = {"role": "user", "content": "Describe a city as JSON."}
    return smollm2()[1].apply_chat_template_ids([message])


def test_twenty_replies_of_smollm2_follow_their_schema():
    model, tokenizer = smollm2()
    grammar = Grammar.json_schema(SCHEMA)

    replies = batch_generate(
        model,
        tokenizer,
        [prompt()] * 20,
        params=[GenConfig(max_tokens=48, temp=1.0, seed=seed) for seed in range(20)],
        constraints=[grammar.constraint(tokenizer) for _ in range(20)],
    )

    for reply in replies:
        assert_valid(reply)
        assert reply.finish_reason is FinishReason.EOS
    assert len(set(replies)) > 10


def test_speculation_follows_a_schema_and_says_the_same():
    model, tokenizer = smollm2()
    grammar = Grammar.json_schema(SCHEMA)
    params = GenConfig(max_tokens=48, temp=0.7, seed=4)
    lookup = PromptLookupConfig(3, min_ngram_size=1, context=tokenizer.encode('{"city": "size":'))

    plain, fast = (
        generate(
            model,
            tokenizer,
            prompt(),
            params=params,
            constraint=grammar.constraint(tokenizer),
            speculative=speculative,
        )
        for speculative in (None, lookup)
    )

    assert_valid(plain)
    assert fast == plain
    assert fast.speculation.proposed > 0


def test_a_reply_can_have_the_form_of_a_class():
    model, tokenizer = smollm2()
    constraint = Grammar.json_schema(Answer).constraint(tokenizer)
    params = GenConfig(max_tokens=32, logit_bias={tokenizer.encode("]")[0]: 20.0})

    answer = Answer(
        **json.loads(generate(model, tokenizer, prompt(), params=params, constraint=constraint))
    )

    assert answer.city in ("Paris", "Rome", "Oslo")
    assert isinstance(answer.people, int) and all(isinstance(tag, bool) for tag in answer.tags)


def test_without_llguidance_the_error_names_the_extra():
    code = """
import sys
sys.modules["llguidance"] = None
from mlxrs import Grammar
Grammar.regex("a")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.returncode == 1
    assert 'pip install "mlxrs[structured]"' in done.stderr.splitlines()[-1]


def test_masks_are_booleans_of_the_vocabulary():
    mask = Grammar.regex("a").constraint(byte_tokenizer()).mask()

    assert mask.dtype == mx.bool_ and tuple(mask.shape) == (260,)
