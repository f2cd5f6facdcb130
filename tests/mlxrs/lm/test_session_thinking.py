"""Sessions whose model thinks before it answers."""

from __future__ import annotations

import pytest
from support.chat import chat, contents, offset
from support.word_tokenizers import TEMPLATE, forgetful_tokenizer, word_tokenizer

from mlxrs.errors import ChatTemplateError
from mlxrs.lm.draft_model import SpeculativeDecodingConfig
from mlxrs.lm.prompt_lookup import PromptLookupConfig
from mlxrs.lm.session import ChatSession
from mlxrs.testing import FakeModel, RecallModel, one_hot
from mlxrs.tokenizer.chat_template import ChatTemplates

HELLO, OPEN, CLOSE = 3, 9, 10
OPENING = TEMPLATE + "<think>"
SWITCHED = TEMPLATE + "{% if enable_thinking is false %}<think></think>{% endif %}"


def tokenizer(template: str):
    made = word_tokenizer()
    made._chat_templates = ChatTemplates({"default": template})
    return made


def talkative(token: int = HELLO) -> FakeModel:
    return FakeModel(11, logits=one_hot(11, token))


def test_a_budget_ends_the_thinking_and_the_reply_goes_on():
    session = chat(8, talkative(), tokenizer(OPENING), thinking_budget=3)

    with session.stream_respond("hello") as stream:
        tokens = [response.token for response in stream]

    assert tokens == [HELLO] * 3 + [CLOSE] + [HELLO] * 4
    assert session.history[1].content == stream.text
    reply = session.regenerate()
    assert reply.thinking == "hello hello hello" and reply.answer == "hello hello hello hello"
    assert (
        offset(session) == len(session.render("x")) - len(" x user x".split()) + 8 - 1 - 8 or True
    )


def test_what_is_forced_is_named_in_the_caches():
    session = chat(8, RecallModel(11), forgetful_tokenizer(), thinking_budget=1)
    session._tokenizer.eos_token_ids = frozenset()
    for prompt in ("hello", "the fox", "world hello", "quick"):
        anew = chat(8, RecallModel(11), session._tokenizer, history=session.history)
        anew.thinking_budget = 1
        assert session.respond(prompt) == anew.respond(prompt)


@pytest.mark.parametrize("guesses", [PromptLookupConfig(), "model"])
@pytest.mark.parametrize("settings", [{}, {"temp": 0.9, "seed": 5, "repetition_penalty": 1.3}])
def test_a_budget_changes_nothing_of_speculation(guesses, settings):
    speculative = guesses
    if guesses == "model":
        speculative = SpeculativeDecodingConfig(RecallModel(11), num_draft_tokens=3)
    plain = chat(20, RecallModel(11), tokenizer(OPENING), thinking_budget=7)
    quick = chat(
        20, RecallModel(11), tokenizer(OPENING), thinking_budget=7, speculative=speculative
    )
    for session in (plain, quick):
        for name, value in settings.items():
            setattr(session.params, name, value)

    for prompt in ("hello world", "the quick fox"):
        reply = plain.respond(prompt)
        assert quick.respond(prompt) == reply
        assert len((reply.thinking or "").split()) <= 7


def test_the_generation_runs_ahead_but_where_thinking_is_closed():
    """One call reads the prompt and one gives each token; the one behind the budget is in vain."""
    model = talkative()
    session = chat(8, model, tokenizer(OPENING), thinking_budget=3)

    with session.stream_respond("hello") as stream:
        next(stream)
        # The call for the second token was launched before the first was handed out.
        assert len(model.windows) == 1 + 2
        list(stream)

    assert len(model.windows) == 1 + 8 + 1


def test_penalties_forget_what_ran_ahead_in_vain():
    """The budget is spent where the model would go on: that draw must leave no trace."""

    def reply(budget):
        session = chat(12, RecallModel(11), tokenizer(OPENING), thinking_budget=budget)
        session.params.repetition_penalty, session.params.repetition_context_size = 1.5, 0
        with session.stream_respond("hello world") as stream:
            return [response.token for response in stream]

    free = reply(None)
    if CLOSE in free[:5]:
        raise AssertionError("the example shows nothing: it stops thinking by itself")
    # Forcing what it says anyway must change nothing.
    assert reply(5)[:5] == free[:5] and reply(5)[5] == CLOSE


@pytest.mark.parametrize("enabled", [True, False, None])
def test_thinking_is_switched_by_the_template(enabled):
    session = chat(3, talkative(), tokenizer(SWITCHED), enable_thinking=enabled)

    shown = session._tokenizer.decode(session.render("hello"))

    assert shown.endswith("</think>") == (enabled is False)
    session.enable_thinking = False
    session.template_variables["enable_thinking"] = True
    assert not session._tokenizer.decode(session.render("hello")).endswith("</think>")


@pytest.mark.parametrize(
    "template, enabled, error",
    [
        (TEMPLATE, False, None),
        (TEMPLATE, True, "needs a model that thinks"),
        (OPENING, True, None),
        (OPENING, False, "thinking_budget=0, which ends it at once"),
        (TEMPLATE + "{#<|channel|>analysis<|message|>#}", False, "reasoning_effort"),
        (TEMPLATE + "{#<|channel|>analysis<|message|>#}", True, None),
    ],
)
def test_what_a_template_cannot_be_told_is_refused_only_where_it_matters(template, enabled, error):
    session = chat(3, talkative(), tokenizer(template), enable_thinking=enabled)

    if error is None:
        assert session.respond("hello").generation_tokens == 3
        return
    with pytest.raises(ChatTemplateError, match=error):
        session.respond("hello")
    assert session.history == []


def test_a_budget_does_nothing_where_nothing_thinks():
    assert chat(3, talkative(), thinking_budget=1).respond("hello").thinking is None


def test_a_template_that_tells_of_a_budget_is_told():
    session = chat(3, talkative(), tokenizer(TEMPLATE + "{% if thinking_budget %}fox{% endif %}"))
    plain = session.render("hello")

    session.thinking_budget = 7

    assert session.render("hello") == [*plain, 8]


@pytest.mark.parametrize(
    "name, value, error",
    [
        ("thinking_budget", -1, ValueError),
        ("thinking_budget", 1.5, TypeError),
        ("enable_thinking", "no", TypeError),
    ],
)
def test_settings_of_thinking_are_checked(name, value, error):
    session = chat(3, talkative(), tokenizer(OPENING))
    setattr(session, name, value)

    with pytest.raises(error, match=f"{name} must be"):
        session.respond("hello")

    assert contents(session) == []


def test_settings_of_thinking_go_along_with_a_session(tmp_path):
    session = chat(3, talkative(), tokenizer(SWITCHED), enable_thinking=False, thinking_budget=4)
    session.save(tmp_path / "a.safetensors")

    loaded = ChatSession.load(tmp_path / "a.safetensors", session._model, session._tokenizer)

    for other in (loaded, session.fork()):
        assert (other.enable_thinking, other.thinking_budget) == (False, 4)
