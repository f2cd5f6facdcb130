"""Sessions and threads: many sessions over one model, and one session seen from several threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Thread

import pytest
from support.at_once import elsewhere
from support.chat import chat, contents
from support.models import smollm2, smollm2_gguf

from mlxrs import ChatSession, GenConfig, load
from mlxrs.errors import StreamOpenError
from mlxrs.lm.cache import KVCache, QuantizedKVCache, RotatingKVCache
from mlxrs.lm.draft_model import SpeculativeDecodingConfig
from mlxrs.lm.prompt_lookup import PromptLookupConfig
from mlxrs.testing import FakeModel, RecallModel

PROMPTS = ["hello", "world the fox", "quick brown", "the hello"]
SAMPLED = {"temp": 0.9, "top_p": 0.9, "min_p": 0.01, "top_k": 9, "repetition_penalty": 1.2}
SAMPLED |= {"logit_bias": {4: 1.0}, "dry_multiplier": 0.5, "seed": 3}


def at_once(functions):
    """Call functions in as many threads, beginning together."""
    barrier = Barrier(len(functions))

    def begun(function):
        barrier.wait(10)
        return function()

    with ThreadPoolExecutor(len(functions)) as threads:
        return list(threads.map(begun, functions))


def talk(session: ChatSession, first: int) -> list[str]:
    """Have a conversation with a change of mind in it."""
    said = [session.respond(PROMPTS[(first + i) % len(PROMPTS)]) for i in range(3)]
    session.undo()
    return [*said, session.respond("fox"), session.regenerate()]


def caches():
    return [KVCache(), RotatingKVCache(12, keep=2), QuantizedKVCache()]


@pytest.mark.parametrize("settings", [{}, SAMPLED])
@pytest.mark.parametrize("guesses", [None, PromptLookupConfig(), "model"])
def test_sessions_over_one_model_say_in_threads_what_they_say_alone(settings, guesses):
    model = RecallModel(11, caches)
    speculative = guesses
    if guesses == "model":
        speculative = SpeculativeDecodingConfig(model, num_draft_tokens=3)

    def session():
        made = chat(8, model, speculative=speculative)
        made.params = GenConfig(max_tokens=8, **settings)
        return made

    together = at_once([lambda i=i: talk(session(), i) for i in range(3)])

    assert together == [talk(session(), i) for i in range(3)]


def test_a_real_model_says_in_threads_what_it_says_alone():
    model, tokenizer = smollm2()
    prompts = ["What is a tensor?", "Name a river.", "Say hello."]

    def said(prompt: str) -> list[str]:
        session = ChatSession(model, tokenizer, params=GenConfig(max_tokens=5))
        return [session.respond(prompt), session.respond("Again.")]

    together = at_once([lambda prompt=prompt: said(prompt) for prompt in prompts])

    assert together == list(map(said, prompts))


def test_a_session_answers_in_other_threads_than_the_one_that_loaded_it():
    params = GenConfig(max_tokens=5)
    session = elsewhere(lambda: ChatSession(*load(str(smollm2_gguf())), params=params))
    here = ChatSession(*smollm2(), params=params)

    said = [elsewhere(lambda: session.respond("Name a river.")), session.respond("Again.")]

    assert said == [here.respond("Name a river."), here.respond("Again.")]


def test_a_stream_may_be_read_in_another_thread_than_it_was_begun_in():
    session, anew = (chat(8, RecallModel(11, caches)) for _ in range(2))
    for settings in ({}, SAMPLED):
        session.params = anew.params = GenConfig(max_tokens=8, **settings)
        stream = session.stream_respond("hello world")

        [texts] = at_once([lambda stream=stream: [response.text for response in stream]])

        assert "".join(texts) == anew.respond("hello world")


@pytest.mark.parametrize("prefilling", [True, False])
def test_another_thread_cancels_a_reply(prefilling):
    inside, cancelled = Event(), Event()

    class Waiting(RecallModel):
        def answer(self, tokens, cache):
            if len(self.windows) == (2 if prefilling else 8):
                inside.set()
                assert cancelled.wait(10)
            return super().answer(tokens, cache)

    model = Waiting(11)
    session = chat(1000, model)
    session.params.prefill_step_size = 4
    replies = []
    reading = Thread(target=lambda: replies.append(session.respond("hello world the fox")))
    reading.start()
    assert inside.wait(10)

    session.cancel()
    cancelled.set()
    reading.join(10)

    [reply] = replies
    assert reply.finish_reason is None and reply.generation_tokens < 10
    assert contents(session)[1:] == [("assistant", reply)]
    anew = chat(6, RecallModel(11), history=session.history)
    session.params.max_tokens = 6
    assert session.respond("quick") == anew.respond("quick")


def test_of_threads_that_begin_a_turn_together_one_does():
    session = chat(30, FakeModel(11))
    refused = []

    def ask():
        try:
            return session.respond("hello")
        except StreamOpenError as error:
            refused.append(error)

    replies = [reply for reply in at_once([ask] * 4) if reply is not None]

    assert replies and len(replies) + len(refused) == 4
    assert [role for role, _ in contents(session)] == ["user", "assistant"] * len(replies)


def test_a_stream_closed_by_another_thread_commits_once():
    for _ in range(20):
        session = chat(1000, RecallModel(11))
        stream = session.stream_respond("hello")
        begun = Event()

        def read(stream=stream, begun=begun):
            said = []
            for response in stream:
                said.append(response.text)
                begun.set()
            return "".join(said)

        with ThreadPoolExecutor(1) as thread:
            reading = thread.submit(read)
            assert begun.wait(10)
            stream.close()
            said = reading.result()

        assert contents(session) == [("user", "hello"), ("assistant", said)]
        session.params.max_tokens = 4
        assert session.respond("fox") == chat(
            4, RecallModel(11), history=session.history[:2]
        ).respond("fox")
