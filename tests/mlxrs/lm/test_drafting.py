"""Speculation in a session: the same replies, and a draft model that keeps its work."""

import pytest
from support.chat import chat

from mlxrs.lm.cache import KVCache, RotatingKVCache
from mlxrs.lm.draft_model import SpeculativeDecodingConfig
from mlxrs.lm.drafting import Drafting
from mlxrs.lm.messages import ChatMessage
from mlxrs.lm.prompt_lookup import PromptLookupConfig
from mlxrs.testing import FailingModel, FakeModel, ModelBroke, RecallModel

KINDS = {
    "full": lambda: [KVCache(), KVCache()],
    "rotating": lambda: [RotatingKVCache(max_size=16, keep=4)],
}


def guesses(draft, **options) -> SpeculativeDecodingConfig:
    return SpeculativeDecodingConfig(draft, num_draft_tokens=3, **options)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("speculative", ["same", "other", "lookup"])
def test_replies_are_those_without_speculation(kind, speculative):
    model = RecallModel(11, KINDS[kind])
    config = {
        "same": guesses(RecallModel(11, KINDS[kind])),
        "other": guesses(FakeModel(11)),
        "lookup": PromptLookupConfig(),
    }[speculative]
    plain, session = chat(12, model), chat(12, model, speculative=config)
    for turn in ("hello", "the quick fox", "world"):
        assert session.respond(turn) == plain.respond(turn)
    for each in (plain, session):
        each.undo()
        each.instructions = "fox"
    assert session.respond("brown") == plain.respond("brown")
    assert session.fork().respond("fox") == plain.fork().respond("fox")


def test_both_models_read_only_what_is_new():
    model, draft = RecallModel(11), RecallModel(11)
    session = chat(12, model, speculative=guesses(draft))
    session.respond("hello")
    read = draft.fed, model.fed

    reply = session.respond("the quick fox")

    new = reply.prompt_tokens - reply.cached_tokens
    assert reply.cached_tokens > 8 and reply.speculation.accept_rate == 1
    # The reply, with one call of the model in four tokens, and guesses that were too many.
    assert draft.fed - read[0] <= new + 12 + 3 and model.fed - read[1] <= new + 12 + 3


def test_a_draft_model_reads_what_it_has_missed():
    draft = RecallModel(11)
    session = chat(12, RecallModel(11), speculative=guesses(FailingModel(draft, calls=2)))
    with pytest.raises(ModelBroke):
        session.respond("hello world")
    session._turns.reader.drafting.speculative.draft_model._calls = 1000

    reply = session.respond("fox")

    assert reply.speculation.accept_rate == 1
    assert reply == chat(12, RecallModel(11), history=session.history[:2]).respond("fox")


def test_beyond_the_context_of_the_draft_model_nothing_is_guessed():
    session = chat(8, RecallModel(11), speculative=guesses(RecallModel(11, context_length=20)))
    plain = chat(8, RecallModel(11))

    rates = []
    for turn in ("hello", "world", "the quick fox"):
        reply = session.respond(turn)
        assert reply == plain.respond(turn)
        rates.append(reply.speculation)

    assert rates[0].accept_rate == 1 and rates[2] is None
    assert reply.cached_tokens > 0


def test_a_prompt_is_looked_up_in_the_turns_before():
    session = chat(6, FakeModel(11), speculative=PromptLookupConfig())
    session.respond("hello")

    reply = session.respond("world")

    assert reply.speculation.accepted > 0


def test_a_session_makes_the_draft_caches_itself():
    with pytest.raises(ValueError, match="draft_cache must be None in a session"):
        Drafting(guesses(FakeModel(11), draft_cache=[KVCache(), KVCache()]))


def test_pending_messages_and_speculation_go_together():
    seed = [ChatMessage.user("hello"), ChatMessage.assistant("world")]
    session = chat(4, speculative=guesses(FakeModel(11)), history=seed)

    session.respond("fox")

    assert len(session.history) == 4 and not session.has_cache
