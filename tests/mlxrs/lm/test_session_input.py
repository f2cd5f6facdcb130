"""What a session refuses: each in one line, with nothing changed."""

from __future__ import annotations

import pytest
from support.chat import chat, contents
from support.word_tokenizers import word_tokenizer

from mlxrs.lm.messages import ChatMessage
from mlxrs.lm.params import GenConfig
from mlxrs.lm.prompt_lookup import PromptLookupConfig
from mlxrs.lm.session import ChatSession
from mlxrs.testing import FakeModel


@pytest.mark.parametrize(
    "options, message",
    [
        ({"history": "hello"}, "history must be a list of ChatMessage"),
        ({"history": ChatMessage.user("x")}, "history must be a list of ChatMessage"),
        ({"history": ["hello"]}, "history must hold ChatMessage only, got 'hello'"),
        ({"history": [{"role": "user", "content": "x"}]}, r"ChatMessage\(\*\*message\)"),
        ({"instructions": b"x"}, "instructions must be a str or None"),
        ({"template_variables": ["x"]}, "template_variables must be a dict"),
        ({"template_variables": 0}, "template_variables must be a dict"),
        ({"speculative": FakeModel(11)}, r"must be .*SpeculativeDecodingConfig\(model\), got"),
        ({"speculative": PromptLookupConfig}, "speculative must be"),
        ({"speculative": "lookup"}, "speculative must be"),
    ],
)
def test_what_is_of_another_type_is_refused_at_construction(options, message):
    with pytest.raises(TypeError, match=message):
        chat(3, **options)


@pytest.mark.parametrize(
    "model, tokenizer, message",
    [
        ("smollm2-135m-instruct", None, "model must be a model as load"),
        (FakeModel, None, "model must be a model"),
        (FakeModel(11), "smollm2-135m-instruct", "tokenizer must be a Tokenizer of mlxrs"),
    ],
)
def test_models_and_tokenizers_are_not_mistaken(model, tokenizer, message):
    with pytest.raises(TypeError, match=message):
        ChatSession(model, tokenizer or word_tokenizer())


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda session: setattr(session, "params", {"temp": 1}), "params must be a GenConfig"),
        (lambda session: setattr(session, "params", GenConfig), "params must be a GenConfig"),
        (lambda session: setattr(session, "instructions", 5), "instructions must be a str"),
    ],
)
def test_what_is_of_another_type_is_refused_at_the_next_turn(change, message):
    session = chat(3)
    change(session)

    with pytest.raises(TypeError, match=message):
        session.respond("hello")

    assert session.history == [] and not session.has_cache


@pytest.mark.parametrize("constraint", [5, "fox", object()])
@pytest.mark.parametrize("speculative", [None, PromptLookupConfig()])
def test_a_constraint_must_be_one(constraint, speculative):
    session = chat(3, speculative=speculative)

    with pytest.raises(TypeError, match=r"constraint must be a Constraint, got .*Grammar"):
        session.respond("hello", constraint=constraint)

    assert session.history == []
    assert session.respond("hello")


@pytest.mark.parametrize("index", ["0", None, 1.0])
def test_places_and_counts_are_integers(index):
    session = chat(3)
    session.respond("hello")
    before = contents(session)

    with pytest.raises(TypeError, match="index must be an integer"):
        session.edit(index, "world")
    with pytest.raises(TypeError, match="turns must be an integer"):
        session.undo(index)

    assert contents(session) == before


def test_a_file_must_have_a_name():
    session = chat(3)
    session.respond("hello")

    for save in (session.save, session.save_cache):
        with pytest.raises(ValueError, match="empty path"):
            save("")


@pytest.mark.parametrize("options", [{"name": 5}, {"tool_call_id": b"1"}])
def test_names_are_texts(options):
    with pytest.raises(TypeError, match=f"{next(iter(options))} must be a str or None"):
        ChatMessage("tool", "x", **options)
