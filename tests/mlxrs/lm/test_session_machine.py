"""Whatever happened to a session, it goes on as a fresh one over the same messages would.

The model answers by every token and position in its caches, so a cache that is wrong in anything
changes the reply.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from support.word_tokenizers import forgetful_tokenizer

from mlxrs.lm.cache import KVCache, QuantizedKVCache, RotatingKVCache
from mlxrs.lm.draft_model import SpeculativeDecodingConfig
from mlxrs.lm.messages import ChatMessage
from mlxrs.lm.params import GenConfig
from mlxrs.lm.session import ChatSession
from mlxrs.testing import FailingModel, ModelBroke, RecallModel

WORDS = ["hello", "world", "the", "quick", "brown", "fox", "<think>", "</think>"]
EXAMPLES = 4  # hundreds are worth their time after a change in what a session keeps
texts = st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join)
TOKENIZER = forgetful_tokenizer()
# Replies that end by themselves leave less to be compared.
TOKENIZER.eos_token_ids = frozenset()


class Conversation(RuleBasedStateMachine):
    CACHES = (KVCache, KVCache)
    SPECULATIVE = False
    MAX_CACHE_BYTES: int | None = None

    def __init__(self) -> None:
        super().__init__()
        self.model = FailingModel(RecallModel(11, self.caches), calls=10**9)
        config = SpeculativeDecodingConfig(RecallModel(11, self.caches), num_draft_tokens=2)
        self.speculative = config if self.SPECULATIVE else None
        self.session = self.new([])

    def caches(self):
        return [make() for make in self.CACHES]

    def new(self, history, instructions=None) -> ChatSession:
        return ChatSession(
            self.model,
            TOKENIZER,
            instructions=instructions,
            params=GenConfig(max_tokens=5, prefill_step_size=7),
            history=history,
            speculative=self.speculative,
            max_cache_bytes=self.MAX_CACHE_BYTES,
        )

    def fresh(self) -> ChatSession:
        fresh = self.new(self.messages, self.session.instructions)
        fresh.thinking_budget = self.session.thinking_budget
        return fresh

    @property
    def messages(self) -> list[ChatMessage]:
        return self.session.history or self.session.pending_history

    @rule(text=texts, role=st.sampled_from(["user", "user", "tool"]))
    def turn(self, text, role):
        expected = self.fresh().respond(text, role=role)
        reply = self.session.respond(text, role=role)
        assert reply == expected
        assert self.messages[-2:] == [ChatMessage(role, text), ChatMessage.assistant(reply)]

    @rule(text=texts, count=st.integers(0, 5), end=st.sampled_from(["drop", "close", "cancel"]))
    def interrupted_turn(self, text, count, end):
        stream = self.session.stream_respond(text)
        streamed = "".join(next(stream).text for _ in range(count))
        if end != "drop":
            getattr(stream, end)()
        del stream
        if end == "cancel":
            self.session.cancel()
        assert self.messages[-1].content.startswith(streamed)

    @rule(text=texts, calls=st.integers(0, 6))
    def failing_turn(self, text, calls):
        self.model._calls = calls
        try:
            self.session.respond(text)
        except ModelBroke:
            pass
        finally:
            self.model._calls = 10**9
        assert self.messages[-2] == ChatMessage.user(text)

    @precondition(lambda self: any(m.role == "user" for m in self.messages))
    @rule()
    def answer_anew(self):
        before, expected = self.messages, self.fresh().regenerate()
        assert self.session.regenerate() == expected
        assert self.messages[-2].role != "assistant" and len(self.messages) <= len(before) + 1

    @precondition(lambda self: self.messages)
    @rule(data=st.data(), text=texts)
    def edit(self, data, text):
        index = data.draw(st.integers(0, len(self.messages) - 1))
        self.session.edit(index, text)
        assert self.messages[index].content == text

    @precondition(lambda self: any(m.role == "user" for m in self.messages))
    @rule()
    def undo(self):
        before = self.messages
        taken = self.session.undo()
        assert [*self.messages, *taken] == before

    @rule(text=st.none() | texts)
    def instruct(self, text):
        self.session.instructions = text

    @rule(budget=st.none() | st.integers(0, 2))
    def think(self, budget):
        self.session.thinking_budget = budget

    @rule(text=texts)
    def turn_in_a_loop(self, text):
        expected = self.fresh().respond(text)
        assert asyncio.run(self.session.arespond(text)) == expected
        assert self.messages[-2:] == [ChatMessage.user(text), ChatMessage.assistant(expected)]

    @rule(text=texts)
    def fork(self, text):
        before = self.messages
        twin = self.session.fork()
        twin.respond(text)
        assert self.messages == before
        self.session = twin.fork() if len(text) % 2 else self.session

    @rule()
    def save_and_load(self):
        before = self.session.history, self.session.pending_history
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "talk.safetensors"
            self.session.save(path)
            self.session = ChatSession.load(
                path, self.model, TOKENIZER, speculative=self.speculative
            )
        assert (self.session.history, self.session.pending_history) == before

    @rule(messages=st.lists(texts, max_size=3))
    def clear(self, messages):
        self.session.clear()
        assert self.messages == [] and not self.session.has_cache
        self.session = self.new(map(ChatMessage.user, messages), self.session.instructions)

    @invariant()
    def goes_on_as_a_fresh_session(self):
        assert self.session.fork().respond("the fox") == self.fresh().respond("the fox")


class Rotating(Conversation):
    CACHES = (lambda: RotatingKVCache(12, keep=2), lambda: RotatingKVCache(9))


class Thrifty(Rotating):
    """Has room for its rings, and little for moments to come back to."""

    MAX_CACHE_BYTES = 32 * 2**10


class Mixed(Conversation):
    CACHES = (KVCache, lambda: RotatingKVCache(10), QuantizedKVCache)


class Speculating(Rotating):
    SPECULATIVE = True


@pytest.mark.parametrize("machine", [Conversation, Rotating, Thrifty, Mixed, Speculating])
def test_a_session_goes_on_as_a_fresh_one_over_the_same_messages(machine):
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=8,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
