"""Replies in an event loop."""

from __future__ import annotations

import asyncio
import gc
import threading
from threading import Event

import pytest
from support.chat import chat, contents, offset
from support.models import smollm2
from support.tool_talk import call, once, talk

from mlxrs.errors import ChatSessionError, ChatTemplateError, StreamOpenError, ToolRoundsError
from mlxrs.lm.cache import RotatingKVCache
from mlxrs.lm.draft_model import SpeculativeDecodingConfig
from mlxrs.lm.params import GenConfig
from mlxrs.lm.session import ChatSession
from mlxrs.lm.toolbox import Toolbox
from mlxrs.testing import FailingModel, FakeModel, ModelBroke, RecallModel


class Held(RecallModel):
    """Waits within a call until it is let go, and notes the thread it is called in."""

    def __init__(self, call: int):
        super().__init__(11)
        self.at, self.inside, self.go = call, Event(), Event()
        self.threads: set[int] = set()

    def answer(self, tokens, cache):
        self.threads.add(threading.get_ident())
        if len(self.windows) == self.at:
            self.inside.set()
            assert self.go.wait(5)
        return super().answer(tokens, cache)


async def reached(event: Event) -> None:
    while not event.is_set():
        await asyncio.sleep(0.001)


def test_an_async_stream_equals_a_stream():
    async def talk(session):
        return [
            [(response.token, response.text) async for response in session.astream_respond(turn)]
            for turn in ("hello world", "the fox")
        ]

    session, anew = (chat(6, RecallModel(11)) for _ in range(2))

    assert asyncio.run(talk(session)) == [
        [(response.token, response.text) for response in anew.stream_respond(turn)]
        for turn in ("hello world", "the fox")
    ]
    assert contents(session) == contents(anew) and offset(session) == offset(anew)


def test_a_reply_in_a_loop_equals_one_without():
    session, anew = (chat(6, RecallModel(11)) for _ in range(2))

    reply = asyncio.run(session.arespond("hello"))

    assert reply == anew.respond("hello") and reply.generation_tokens == 6 and reply.ttft > 0
    again = asyncio.run(session.aregenerate())
    assert again == reply and again.cached_tokens == again.prompt_tokens - 1
    # The loop's thread and others go on from where a worker left off.
    assert session.respond("the fox") == anew.respond("the fox")


def test_the_loop_goes_on_while_the_model_computes():
    model = Held(call=3)
    session = chat(6, model)

    async def talk():
        reply = asyncio.create_task(session.arespond("hello"))
        await reached(model.inside)
        with pytest.raises(StreamOpenError):
            session.astream_respond("world")
        model.go.set()
        return await reply

    assert asyncio.run(talk()).generation_tokens == 6
    assert threading.get_ident() not in model.threads


@pytest.mark.parametrize("call", [1, 4])
@pytest.mark.parametrize("streaming", [True, False])
def test_a_cancelled_task_ends_its_turn_once(call, streaming):
    model = Held(call)
    session = chat(50, model)

    async def stream():
        async for _ in session.astream_respond("hello"):
            pass

    async def talk():
        task = asyncio.create_task(stream() if streaming else session.arespond("hello"))
        await reached(model.inside)
        task.cancel()
        await asyncio.sleep(0)
        assert len(session.history) == 1 and not task.done()
        task.cancel()
        model.go.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        return contents(session)

    said = asyncio.run(talk())

    assert said == contents(session) and [role for role, _ in said] == ["user", "assistant"]
    anew = chat(50, RecallModel(11), history=session.history)
    assert session.respond("world") == anew.respond("world")


def test_a_timeout_ends_a_turn():
    model = Held(call=3)
    session = chat(50, model)

    async def talk():
        async with asyncio.timeout(0.05):
            loop = asyncio.get_running_loop()
            loop.call_later(0.1, model.go.set)
            await session.arespond("hello")

    with pytest.raises(TimeoutError):
        asyncio.run(talk())

    assert len(session.history) == 2


@pytest.mark.parametrize("end", ["break", "aclose", "async with", "cancel", "never begun"])
def test_however_an_async_stream_ends_its_text_is_kept_once(end):
    session = chat(8, RecallModel(11))

    async def talk():
        stream = session.astream_respond("hello")
        texts = []
        if end == "never begun":
            return ""
        if end == "async with":
            async with stream:
                return (await anext(stream)).text
        async for response in stream:
            texts.append(response.text)
            if end == "cancel":
                session.cancel()
            if end == "aclose":
                await stream.aclose()
            if end == "break":
                break
        del stream
        return "".join(texts)

    said = asyncio.run(talk())
    gc.collect()

    assert [role for role, _ in contents(session)] == ["user", "assistant"]
    assert session.history[1].text.startswith(said) and (said or end == "never begun")
    anew = chat(8, RecallModel(11), history=session.history)
    assert session.respond("world") == anew.respond("world")


def test_an_error_of_the_model_comes_out_as_it_is():
    session = chat(50, FailingModel(RecallModel(11), calls=4))

    with pytest.raises(ModelBroke):
        asyncio.run(session.arespond("hello"))

    assert len(session.history) == 2


def test_errors_of_the_prompt_are_raised_at_the_call():
    from support.word_tokenizers import tokenizer_without_template

    session = chat(3, FakeModel(3), tokenizer_without_template())

    with pytest.raises(ChatTemplateError):
        session.astream_respond("hello")

    assert session.history == []


def test_many_replies_at_once_are_those_given_one_after_the_other():
    model = RecallModel(11)
    prompts = ["hello", "world", "the fox", "quick brown", "hello world"]

    async def talk():
        sessions = [chat(9, model) for _ in prompts]
        return await asyncio.gather(
            *(session.arespond(prompt) for session, prompt in zip(sessions, prompts, strict=True))
        )

    assert asyncio.run(talk()) == [chat(9, RecallModel(11)).respond(text) for text in prompts]


@pytest.mark.parametrize("speculating", [False, True])
def test_a_conversation_may_change_threads_at_any_time(speculating):
    """A ring cache leaves work that is not done when a turn ends."""

    def model():
        return RecallModel(11, lambda: [RotatingKVCache(12, keep=2), RotatingKVCache(9)])

    def session():
        guesses = SpeculativeDecodingConfig(model(), num_draft_tokens=2) if speculating else None
        return chat(7, model(), speculative=guesses)

    one, other = session(), session()

    async def talk():
        said = [await one.arespond("hello world the fox")]
        said.append(one.respond("quick"))
        async for _ in one.astream_respond("brown"):
            break
        one.undo()
        said.append(await one.arespond("fox"))
        said.append(one.regenerate())
        branch = one.fork()
        said.append(await branch.arespond("the"))
        return said

    said = asyncio.run(talk())

    expected = [other.respond("hello world the fox"), other.respond("quick")]
    expected += [other.respond("fox"), other.regenerate(), other.fork().respond("the")]
    assert said == expected


def test_logprobs_of_all_tokens_can_be_read_in_the_loop():
    session = chat(3, RecallModel(11))
    session.params.collect_logprobs = True

    async def talk():
        return [response.logprobs.tolist() async for response in session.astream_respond("hello")]

    assert [len(logprobs) for logprobs in asyncio.run(talk())] == [11] * 3


def test_tools_run_in_the_loop_or_beside_it():
    """Functions that are not `async` may take their time, so they run in other threads."""
    where = {}

    async def near(city: str) -> str:
        """Runs in the loop."""
        where["near"] = asyncio.get_running_loop(), threading.get_ident()
        await asyncio.sleep(0)
        return city

    def far(city: str) -> str:
        """Runs beside it."""
        where["far"] = threading.get_ident()
        return city

    async def approve(wanted) -> bool:
        return wanted.arguments["city"] != "Atlantis"

    said = "".join(call("near", city=city) for city in ("Oslo", "Atlantis")) + call("far", city="x")
    session = talk(once(said), Toolbox([near, far], approve=approve))
    session.params.max_tokens = 400

    async def ask():
        loop = asyncio.get_running_loop(), threading.get_ident()
        return loop, await session.arespond("?")

    loop, reply = asyncio.run(ask())

    assert reply == "Clear." and where["near"] == loop and where["far"] != loop[1]
    told = [message.text for message in session.history[2:5]]
    assert told == ["Oslo", "error: this call was not allowed", "x"]
    session.undo()
    assert session.respond("?") == "Clear."
    assert [message.text for message in session.history[2:5]] == told


def test_an_async_tool_runs_where_a_loop_runs_already():
    """As in notebooks, whose cells run in a loop."""

    async def where(city: str) -> str:
        """Tells where it is."""
        await asyncio.sleep(0)
        return city

    session = talk(once(call("where", city="Oslo")), [where])

    async def cell():
        return session.respond("?")

    assert asyncio.run(cell()) == "Clear." and session.history[2].text == "Oslo"


def test_an_async_stream_ends_with_the_call_and_goes_on_when_asked():
    async def where(city: str) -> str:
        """Tells where it is."""
        return city

    session = talk(once(call("where", city="Oslo")), [where])

    async def rounds():
        said = []
        stream = session.astream_respond("?")
        while stream is not None:
            said.append("".join([response.text async for response in stream]))
            stream = await session.astream_tools()
        return said

    assert asyncio.run(rounds()) == [call("where", city="Oslo"), "Clear."]


def test_a_model_that_calls_without_end_is_stopped_in_a_loop_too():
    def where(city: str) -> str:
        """Tells where it is."""
        return city

    session = talk(lambda context: call("where", city="Oslo"), Toolbox([where], max_rounds=2))

    with pytest.raises(ToolRoundsError):
        asyncio.run(session.arespond("?"))

    assert len(session.history) == 2 + 2 * 2


def test_a_conversation_that_changed_while_its_tools_ran_takes_no_results():
    async def slow(city: str) -> str:
        """Tells something, but something else first."""
        session.edit(0, "Never mind.")
        return city

    session = talk(once(call("slow", city="Oslo")), [slow])

    with pytest.raises(ChatSessionError, match="changed while its tools ran"):
        asyncio.run(session.arespond("?"))

    assert len(session.history) == 2


def test_a_real_model_answers_several_sessions_at_once():
    model, tokenizer = smollm2()
    prompts = ["What is a tensor?", "Name a river."]

    def session():
        return ChatSession(model, tokenizer, params=GenConfig(max_tokens=6))

    async def talk():
        return await asyncio.gather(*(session().arespond(prompt) for prompt in prompts))

    assert asyncio.run(talk()) == [session().respond(prompt) for prompt in prompts]
