"""The models for tests, tested."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlxc as mx
from mlxrs.lm.cache import (
    BatchKVCache,
    KVCache,
    QuantizedKVCache,
    RotatingKVCache,
    RotatingQuantizedKVCache,
)
from mlxrs.lm.params import GenConfig
from mlxrs.lm.steps import generate_step
from mlxrs.testing import (
    FailingModel,
    FakeModel,
    ModelBroke,
    RecallModel,
    ScriptedModel,
    one_hot,
)

PROMPT = [5, 17, 3, 900, 42, 8, 8, 1, 77, 250, 6, 31]


def reply(model, prompt=PROMPT, chunk=2048, cache=None, count=8):
    params = GenConfig(max_tokens=count, prefill_step_size=chunk)
    return [step.token for step in generate_step(model, prompt, params=params, cache=cache)]


def test_a_fake_model_says_its_last_token_or_what_it_is_told():
    assert reply(FakeModel(11), count=3) == [10, 10, 10]
    assert reply(FakeModel(11, logits=one_hot(11, 4)), count=2) == [4, 4]
    with pytest.raises(ValueError, match="one number for each of 11 tokens"):
        FakeModel(11, logits=[1.0, 2.0])


def test_a_fake_model_writes_to_every_layer_and_records_its_calls():
    model = FakeModel(1000, 3)
    cache = model.make_cache()

    model(mx.array([[1, 2], [3, 4]]), cache)
    model(mx.array([[5], [6]]), cache)

    assert [layer.offset for layer in cache] == [3, 3, 3]
    assert model.calls == [[[1, 2], [3, 4]], [[5], [6]]]
    assert model.windows == [[1, 2], [5]] and model.fed == 3


def test_models_refuse_embeddings():
    with pytest.raises(ValueError, match="takes token ids, not input_embeddings"):
        FakeModel(11)(mx.array([[1]]), input_embeddings=mx.zeros((1, 1, 4)))


@pytest.mark.parametrize("chunk", [1, 5, 2048])
def test_a_scripted_model_says_its_reply_however_the_prompt_is_read(chunk):
    model = ScriptedModel(50, [7, 9, 8], prompt_length=len(PROMPT))

    assert reply(model, chunk=chunk, count=5) == [7, 9, 8, 8, 8]
    with pytest.raises(ValueError, match="reply must be"):
        ScriptedModel(50, [50], 1)


def test_a_failing_model_breaks_after_its_calls():
    model = FailingModel(FakeModel(11), 1)
    model(mx.array([[1]]), model.make_cache())

    with pytest.raises(ModelBroke, match="out of calls"):
        model(mx.array([[1]]), model.make_cache())


KINDS = {
    "full": lambda: [KVCache(), KVCache()],
    "quantized": lambda: [QuantizedKVCache(64, 2), QuantizedKVCache(32, 8, start=3)],
    "rotating": lambda: [RotatingKVCache(6, 2), KVCache()],
    "rotating quantized": lambda: [RotatingQuantizedKVCache(6, 2, 64, 4), KVCache()],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("window", [None, 4])
def test_the_reply_does_not_depend_on_chunks(kind, window):
    model = RecallModel(1000, KINDS[kind], window_size=window)

    replies = [reply(model, chunk=chunk) for chunk in (2048, 1, 2, 5, 7)]

    assert all(other == replies[0] for other in replies) and len(set(replies[0])) > 4


def test_packing_loses_nothing():
    assert reply(RecallModel(1000, KINDS["full"])) == reply(RecallModel(1000, KINDS["quantized"]))
    assert reply(RecallModel(1000, KINDS["rotating"])) == reply(
        RecallModel(1000, KINDS["rotating quantized"])
    )


def test_rows_with_padding_get_the_replies_they_get_alone():
    model = RecallModel(1000)
    batch = [BatchKVCache([0, 4]), BatchKVCache([0, 4])]

    logits = model(mx.array([PROMPT, [0] * 4 + PROMPT[:8]]), batch)

    tokens = logits[:, -1].argmax(-1).tolist()
    assert tokens == [reply(model, PROMPT, count=1)[0], reply(model, PROMPT[:8], count=1)[0]]


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, len(PROMPT) - 1), token=st.integers(0, 999))
def test_every_token_matters(place, token):
    model, changed = RecallModel(2**20), list(PROMPT)
    changed[place] = token

    assert (reply(model, changed, count=2) == reply(model, count=2)) == (changed == PROMPT)


@pytest.mark.parametrize("layer", [0, 1])
def test_every_layer_position_and_value_matters(layer):
    model = RecallModel(2**20)

    def next_token(spoil):
        cache = model.make_cache()
        model(mx.array([PROMPT]), cache)
        cache[layer] = spoil(cache[layer])
        return model(mx.array([[4]]), cache)[0, -1].argmax().item()

    def swapped(cache):
        keys, values = cache.state
        order = mx.array([1, 0, *range(2, len(PROMPT))])
        return KVCache.from_state([keys, values[:, :, order]])

    def shorter(cache):
        cache.trim(1)
        return cache

    right = next_token(lambda cache: cache)
    assert right == next_token(lambda cache: cache.copy())
    assert right != next_token(swapped) and right != next_token(shorter)
