"""Generation on a thread of its own, seen from an event loop."""

import asyncio
import threading

import pytest
from support.word_tokenizers import word_tokenizer

from mlxrs.lm.aio import stream_generate_async
from mlxrs.lm.params import GenConfig
from mlxrs.testing import FailingModel, FakeModel, ModelBroke, one_hot


class WaitingModel(FakeModel):
    """Waits in each call until it is let go."""

    def __init__(self):
        super().__init__(11, logits=one_hot(11, 3))
        self.called, self.go = threading.Event(), threading.Event()
        self.times = 0

    def __call__(self, tokens, cache=None):
        self.times += 1
        self.called.set()
        assert self.go.wait(timeout=60)
        return super().__call__(tokens, cache)


async def collect(model, prompt="fox", **settings):
    stream = stream_generate_async(model, word_tokenizer(), prompt, params=GenConfig(**settings))
    return [response async for response in stream]


def test_responses_are_those_of_the_plain_stream():
    responses = asyncio.run(collect(FakeModel(11, logits=one_hot(11, 3)), max_tokens=3))

    assert "".join(response.text for response in responses) == "hello hello hello"
    assert responses[-1].finish_reason == "length"


def test_the_loop_runs_while_the_model_computes():
    model = WaitingModel()

    async def main():
        task = asyncio.create_task(collect(model, max_tokens=1))
        while not model.called.is_set():
            await asyncio.sleep(0)
        model.go.set()
        return await task

    assert len(asyncio.run(main())) == 1


def test_several_streams_run_side_by_side():
    async def main():
        return await asyncio.gather(
            *(collect(FakeModel(11, logits=one_hot(11, 3 + i)), max_tokens=4) for i in range(4))
        )

    replies = asyncio.run(main())

    assert [reply[0].text for reply in replies] == ["hello", "world", "the", "quick"]


def test_an_error_of_the_model_comes_out():
    with pytest.raises(ModelBroke):
        asyncio.run(collect(FailingModel(FakeModel(11), 1)))


def test_an_empty_prompt_is_refused():
    with pytest.raises(ValueError, match="prompt must be"):
        asyncio.run(collect(FakeModel(11), []))


def test_cancelling_the_task_ends_the_generation():
    model = WaitingModel()

    async def main():
        task = asyncio.create_task(collect(model, max_tokens=1000))
        while not model.called.is_set():
            await asyncio.sleep(0)
        task.cancel()
        model.go.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())

    assert model.times <= 3


def test_leaving_the_loop_early_undoes_the_look_ahead():
    model = FakeModel(11, logits=one_hot(11, 3))
    cache = model.make_cache()

    async def main():
        stream = stream_generate_async(model, word_tokenizer(), "fox", cache=cache)
        async for response in stream:
            if response.generation_tokens == 2:
                break
        await stream.aclose()

    asyncio.run(main())

    assert [layer.offset for layer in cache] == [2, 2]


def test_log_probabilities_are_there_for_the_loop():
    model = FakeModel(11, logits=one_hot(11, 3))

    (response,) = asyncio.run(collect(model, max_tokens=1, collect_logprobs=True))

    assert response.logprob == pytest.approx(response.logprobs.tolist()[3])
