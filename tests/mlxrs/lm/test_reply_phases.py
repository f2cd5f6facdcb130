"""What may be said where a reply has several parts."""

from __future__ import annotations

import pytest
from support.tokenizers import byte_level_backend
from support.word_tokenizers import word_tokenizer

import mlxc as mx
from mlxrs.lm.reply_phases import ReplyPhases
from mlxrs.tokenizer import Tokenizer
from mlxrs.tokenizer.tools import ReasoningTags

TAGS = ReasoningTags("<think>", "</think>")
HELLO, FOX, OPEN, CLOSE, EOS = 3, 8, 9, 10, 2


class Only:
    """Allows one token, and counts how often it was said."""

    def __init__(self, token: int, size: int = 11):
        self.token, self.size, self.said = token, size, 0

    def mask(self):
        return mx.arange(self.size) == self.token

    def accept(self, token):
        assert token == self.token
        self.said += 1

    def rollback(self, count):
        self.said -= count
        assert self.said >= 0


def phases(tags=TAGS, tokenizer=None, **options) -> ReplyPhases:
    return ReplyPhases(tokenizer or word_tokenizer(), tags, **options)


def allowed(constraint: ReplyPhases) -> set[int] | None:
    mask = constraint.mask()
    return None if mask is None else {i for i, may in enumerate(mask.tolist()) if may}


def say(constraint: ReplyPhases, *tokens: int) -> list[set[int] | None]:
    """Say tokens; return what was allowed in front of each."""
    seen = []
    for token in tokens:
        seen.append(allowed(constraint))
        assert seen[-1] is None or token in seen[-1]
        constraint.accept(token)
    return seen


def test_thinking_is_closed_when_its_budget_is_spent():
    constraint = phases(thinking=True, budget=2)

    assert say(constraint, HELLO, FOX, CLOSE, FOX) == [None, None, {CLOSE}, None]


def test_a_budget_counts_from_the_tag_on():
    constraint = phases(budget=1)

    assert say(constraint, OPEN, HELLO, CLOSE, FOX) == [None, None, {CLOSE}, None]


def test_a_budget_of_none_closes_at_once():
    assert say(phases(thinking=True, budget=0), CLOSE, FOX) == [{CLOSE}, None]
    assert say(phases(budget=0), OPEN, CLOSE, FOX) == [None, {CLOSE}, None]


def test_who_does_not_think_is_left_alone():
    assert say(phases(budget=0), HELLO, OPEN, FOX) == [None] * 3


def test_who_stops_thinking_in_time_is_left_alone():
    assert say(phases(thinking=True, budget=2), HELLO, CLOSE, *[FOX] * 5) == [None] * 7


def test_an_answer_is_constrained_behind_the_thinking():
    answer = Only(FOX)
    constraint = phases(thinking=True, answer=answer, eos=[EOS])

    seen = say(constraint, HELLO, CLOSE, FOX, FOX)

    assert seen == [set(range(11)) - {EOS}] * 2 + [{FOX}] * 2 and answer.said == 2


def test_an_answer_may_come_without_thinking():
    answer = Only(FOX)

    assert say(phases(answer=answer), FOX, FOX) == [{FOX, OPEN}, {FOX}] and answer.said == 2


def test_a_call_may_come_in_place_of_the_answer():
    constraint = phases(tags=None, answer=Only(FOX), calls=["hello world", "hello the"])

    assert say(constraint, HELLO, 5, EOS) == [{HELLO, FOX}, {4, 5}, None]


@pytest.mark.parametrize("taken", range(1, 6))
def test_what_is_taken_back_may_be_said_again(taken):
    answer = Only(FOX)
    constraint = phases(answer=answer, budget=1)
    said = [OPEN, HELLO, CLOSE, FOX, FOX]
    seen = say(constraint, *said)

    constraint.rollback(taken)

    assert say(constraint, *said[-taken:]) == seen[-taken:] and answer.said == 2


def test_tags_of_several_tokens_are_found_and_finished():
    tokenizer = Tokenizer(byte_level_backend(), eos_token_ids=[0])
    constraint = phases(tokenizer=tokenizer, budget=4)
    for token in b"<think>ab</":
        assert constraint.mask() is None
        constraint.accept(token)

    rest = b"think>"
    assert say(constraint, *rest, ord("x")) == [{byte} for byte in rest] + [None]

    constraint = phases(tokenizer=tokenizer, thinking=True, budget=20)
    assert say(constraint, *b"</think>", *[ord("x")] * 30) == [None] * 38


def test_a_token_that_no_tag_goes_on_with_is_refused():
    constraint = phases(thinking=True, budget=0)

    with pytest.raises(ValueError, match="token 3 is not allowed here"):
        constraint.accept(HELLO)

    assert say(constraint, CLOSE, HELLO) == [{CLOSE}, None]
