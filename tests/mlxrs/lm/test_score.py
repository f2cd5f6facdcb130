"""Scores of continuations."""

from __future__ import annotations

import numpy as np
import pytest
from support.models import smollm2_gguf
from support.tiny_configs import LLAMA
from support.word_tokenizers import word_tokenizer

import mlxc as mx
from mlxrs.errors import ContextLengthError
from mlxrs.lm.cache import cached_tokens
from mlxrs.lm.load import load
from mlxrs.lm.models import get_model_class
from mlxrs.lm.params import GenConfig
from mlxrs.lm.score import score
from mlxrs.lm.steps import generate_step
from mlxrs.testing import FakeModel


def tiny_llama():
    mx.random.seed(0)
    model_class, args_class = get_model_class("llama")
    return model_class(args_class.from_dict(LLAMA))


def naive(model, prompt, continuation):
    logits = np.array(model(mx.array([prompt + continuation]))[0], dtype=np.float64)
    logprobs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    places = range(len(prompt) - 1, len(prompt) + len(continuation) - 1)
    return [logprobs[place, token] for place, token in zip(places, continuation, strict=True)]


@pytest.mark.parametrize("step", [1, 2, 256])
@pytest.mark.parametrize("length", [1, 4])
def test_logprobs_are_those_of_a_naive_computation(step, length):
    model = tiny_llama()

    found = score(model, word_tokenizer(), [5], [7, 8, 9, 2, 1][:length], step_size=step)

    assert found.tokens == (7, 8, 9, 2, 1)[:length]
    expected = naive(model, [5], list(found.tokens))
    np.testing.assert_allclose(found.logprobs, expected, rtol=1e-4)
    np.testing.assert_allclose(found.total, sum(expected), rtol=1e-4)
    np.testing.assert_allclose(found.mean, np.mean(expected), rtol=1e-4)


def test_scores_are_the_logprobs_of_generation():
    model = tiny_llama()
    params = GenConfig(max_tokens=6, collect_logprobs=True)
    steps = list(generate_step(model, [3, 4], params=params))

    found = score(model, word_tokenizer(), [3, 4], [step.token for step in steps])

    np.testing.assert_allclose(found.logprobs, [step.logprob for step in steps], rtol=1e-4)
    assert found.greedy
    other = [*found.tokens[:-1], (found.tokens[-1] + 1) % 50]
    assert not score(model, word_tokenizer(), [3, 4], other).greedy


def test_two_texts_are_encoded_together():
    tokenizer = word_tokenizer()
    found = score(FakeModel(20), tokenizer, "hello world", " the quick")

    assert list(found.tokens) == tokenizer.encode("hello world the quick")[-2:]
    assert len(found.logprobs) == 2


def test_a_cache_in_front_of_the_prompt_counts_and_stays():
    model = tiny_llama()
    cache = model.make_cache()
    model(mx.array([[5, 6, 7]]), cache)

    found = score(model, word_tokenizer(), [8], [9, 2], cache=cache)

    np.testing.assert_allclose(found.logprobs, naive(model, [5, 6, 7, 8], [9, 2]), rtol=1e-4)
    assert cached_tokens(cache) == 3


def test_progress_counts_tokens():
    told = []

    score(
        FakeModel(20),
        word_tokenizer(),
        [1, 2, 3, 4],
        [5, 6, 7],
        step_size=2,
        progress=lambda *counts: told.append(counts),
    )

    assert told == [(0, 6), (2, 6), (3, 6), (5, 6), (6, 6)]


@pytest.mark.parametrize("prompt, continuation", [([], [1]), ([1], []), ("hello", "")])
def test_nothing_to_score_is_refused(prompt, continuation):
    with pytest.raises(ValueError, match="must be of at least one token each"):
        score(FakeModel(20), word_tokenizer(), prompt, continuation)


def test_more_than_the_context_is_refused():
    model = FakeModel(20, context_length=4)

    assert len(score(model, word_tokenizer(), [1, 2], [3, 4, 5]).logprobs) == 3
    with pytest.raises(ContextLengthError):
        score(model, word_tokenizer(), [1, 2], [3, 4, 5, 6])


def test_smollm2_knows_the_capital_of_france():
    model, tokenizer = load(str(smollm2_gguf()))
    cities = [" Paris", " Rome", " Tokyo"]

    totals = [score(model, tokenizer, "The capital of France is", city).total for city in cities]

    assert totals[0] == max(totals)
