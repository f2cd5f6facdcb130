"""Speculation on models whose every call is known: it changes how fast text comes, not the text."""

from __future__ import annotations

from threading import Event

import numpy as np
import pytest

import mlxc as mx
from mlxrs.errors import ContextLengthError
from mlxrs.lm.cache import (
    ArraysCache,
    ChunkedKVCache,
    KVCache,
    QuantizedKVCache,
    RotatingKVCache,
    RotatingQuantizedKVCache,
    cached_tokens,
)
from mlxrs.lm.draft_model import SpeculativeDecodingConfig
from mlxrs.lm.params import GenConfig
from mlxrs.lm.prompt_lookup import PromptLookupConfig
from mlxrs.lm.response import FinishReason, SpeculationStats
from mlxrs.lm.speculative import speculative_step
from mlxrs.lm.steps import generate_step
from mlxrs.testing import FailingModel, FakeModel, ModelBroke, RecallModel, one_hot

PROMPT = [1, 2, 3, 4, 5, 6, 7]
VOCAB = 50


class Counter(FakeModel):
    """Says the token after the one it was shown last: 7 is followed by 8, 9, …"""

    def scores(self, tokens):
        return one_hot(self.vocab_size, (tokens + 1) % self.vocab_size)


class Table(FakeModel):
    """Scores the next token by the last one alone, with random logits."""

    def __init__(self, vocab_size, *, seed, noise=0.0):
        super().__init__(vocab_size)
        rng = np.random.default_rng(seed)
        table = rng.normal(size=(vocab_size, vocab_size)) * 1.5
        table += noise * np.random.default_rng(seed + 1).normal(size=table.shape)
        self.table = mx.array(table.astype(np.float32))

    def scores(self, tokens):
        return self.table[tokens]


class Recurrent(FakeModel):
    """Answers by a state that mixes all tokens and cannot be taken back."""

    def make_cache(self):
        return [ArraysCache(1), KVCache()]

    def answer(self, tokens, cache):
        state = cache[0][0]
        state = mx.zeros((tokens.shape[0],), dtype=mx.uint32) if state is None else state
        said = []
        for place in range(tokens.shape[1]):
            state = (state + tokens[:, place].astype(mx.uint32)) * 0x9E3779B1 + 1
            said.append((state >> 9) % self.vocab_size)
        cache[0][0] = state
        cache[0].advance(tokens.shape[1])
        super().answer(tokens, cache[1:])
        return one_hot(self.vocab_size, mx.stack(said, axis=1))


class Wrong:
    """Passes a model on, but gives the token after the right one at every third position."""

    def __init__(self, model, every=3):
        self.model, self.every = model, every

    @property
    def context_length(self):
        return self.model.context_length

    def make_cache(self):
        return self.model.make_cache()

    def __call__(self, tokens, cache=None):
        start = cached_tokens(cache)
        logits = self.model(tokens, cache)
        wrong = (mx.arange(start, start + tokens.shape[1]) % self.every == 0)[None, :, None]
        return mx.where(wrong, mx.roll(logits, 1, axis=-1), logits)


def plain(model, prompt=PROMPT, *, eos=(), **settings):
    return [s.token for s in generate_step(model, prompt, params=GenConfig(**settings), eos=eos)]


def run(model, speculative, prompt=PROMPT, *, cache=None, eos=(), constraint=None, **settings):
    return list(
        speculative_step(
            model,
            prompt,
            params=GenConfig(**settings),
            speculative=speculative,
            cache=cache,
            eos=eos,
            constraint=constraint,
        )
    )


def tokens(steps):
    return [step.token for step in steps]


MODELS = {
    "full": lambda: RecallModel(VOCAB),
    "rotating": lambda: RecallModel(VOCAB, lambda: [RotatingKVCache(12, keep=2)]),
    "mixed windows": lambda: RecallModel(VOCAB, lambda: [RotatingKVCache(9), KVCache()]),
    "quantized": lambda: RecallModel(VOCAB, lambda: [QuantizedKVCache(64, 8), KVCache()]),
    "rotating quantized": lambda: RecallModel(
        VOCAB, lambda: [RotatingQuantizedKVCache(12, keep=2), KVCache()]
    ),
    "chunked": lambda: RecallModel(VOCAB, lambda: [ChunkedKVCache(64), KVCache()]),
    "recurrent": lambda: Recurrent(VOCAB),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("num", [1, 4])
@pytest.mark.parametrize("guesser", ["itself", "often wrong", "always wrong", "lookup"])
def test_greedy_text_is_that_of_plain_generation_for_every_kind_of_cache(name, num, guesser):
    make = MODELS[name]
    draft_cache = make().make_cache()
    drafts = {"itself": make(), "often wrong": Wrong(make()), "always wrong": Wrong(make(), 1)}
    if guesser == "lookup":
        speculative = PromptLookupConfig(num, min_ngram_size=1)
    else:
        speculative = SpeculativeDecodingConfig(drafts[guesser], num, draft_cache=draft_cache)
    model = make()
    cache = model.make_cache()

    steps = run(model, speculative, cache=cache, max_tokens=24)

    assert tokens(steps) == plain(make(), max_tokens=24)
    assert steps[-1].finish_reason is FinishReason.LENGTH
    assert cached_tokens(cache) == len(PROMPT) + 23
    if guesser != "lookup":
        assert cached_tokens(draft_cache) == len(PROMPT) + 23


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("read", [1, 2, 4, 7])
def test_what_was_read_ahead_is_undone_when_it_is_closed(name, read):
    make = MODELS[name]
    model, draft = make(), Wrong(make(), 4)
    cache, draft_cache = model.make_cache(), draft.make_cache()
    speculative = SpeculativeDecodingConfig(draft, 5, draft_cache=draft_cache)
    steps = speculative_step(
        model, PROMPT, params=GenConfig(), speculative=speculative, cache=cache
    )
    said = [next(steps).token for _ in range(read)]
    steps.close()

    assert cached_tokens(cache) == cached_tokens(draft_cache) == len(PROMPT) + read - 1
    more = list(generate_step(model, said[-1:], params=GenConfig(max_tokens=4), cache=cache))
    again = list(
        generate_step(make(), said[-1:], params=GenConfig(max_tokens=4), cache=draft_cache)
    )
    assert said + tokens(more) == said + tokens(again) == plain(make(), max_tokens=read + 4)


SAMPLING = {
    "temp": {"temp": 1.0},
    "low temp": {"temp": 0.3},
    "top_p": {"temp": 1.0, "top_p": 0.8},
    "min_p and top_k": {"temp": 1.0, "min_p": 0.05, "top_k": 10},
    "typical_p": {"temp": 1.0, "typical_p": 0.7},
    "xtc": {"temp": 1.0, "xtc_probability": 0.5, "xtc_threshold": 0.1},
    "mirostat": {"temp": 1.0, "mirostat_tau": 3.0},
    "penalties": {"temp": 0.7, "repetition_penalty": 1.5, "presence_penalty": 0.5},
    "greedy with penalties": {"repetition_penalty": 2.0, "frequency_penalty": 0.5},
    "dry": {"dry_multiplier": 1.0, "temp": 0.5},
}


@pytest.mark.parametrize("settings", SAMPLING.values(), ids=SAMPLING)
def test_drawn_text_is_that_of_plain_generation_with_the_same_seed(settings):
    settings = {**settings, "seed": 11, "max_tokens": 40}
    model = Table(VOCAB, seed=1)
    expected = plain(model, **settings)

    for speculative in (
        SpeculativeDecodingConfig(Table(VOCAB, seed=1, noise=0.3), 4),
        PromptLookupConfig(4, min_ngram_size=1),
    ):
        steps = run(model, speculative, **settings)

        assert tokens(steps) == expected
        assert steps[-1].speculation.proposed > 0


def test_no_guesses_wanted_is_plain_generation():
    model, draft = Counter(VOCAB), FailingModel(Counter(VOCAB), calls=0)

    steps = run(model, SpeculativeDecodingConfig(draft, 0), max_tokens=4)

    assert tokens(steps) == [8, 9, 10, 11]
    assert steps[-1].speculation is None


def test_a_model_that_guesses_for_itself_is_always_right():
    steps = run(Counter(VOCAB), SpeculativeDecodingConfig(Counter(VOCAB), 2), max_tokens=9)

    assert tokens(steps) == list(range(8, 17))
    assert [step.from_draft for step in steps] == [True, True, False] * 3
    assert steps[-1].speculation == SpeculationStats(6, 6)
    assert steps[-1].speculation.accept_rate == 1.0


def test_guesses_that_are_always_wrong_are_all_rejected():
    draft = FakeModel(VOCAB, logits=one_hot(VOCAB, 0))

    steps = run(Counter(VOCAB), SpeculativeDecodingConfig(draft, 3), max_tokens=5)

    assert tokens(steps) == [8, 9, 10, 11, 12]
    # Near the end fewer tokens are wanted, and so fewer are guessed.
    assert [step.speculation.proposed for step in steps] == [3, 6, 8, 9, 9]
    assert steps[-1].speculation.accepted == 0
    assert not any(step.from_draft for step in steps)


def test_all_guesses_are_judged_in_one_call():
    model = Counter(VOCAB)

    run(model, SpeculativeDecodingConfig(Counter(VOCAB), 3), max_tokens=8)

    assert model.windows == [[1, 2, 3, 4, 5, 6], [7, 8, 9, 10], [11, 12, 13, 14]]


def test_an_accepted_ending_token_ends_it_and_later_guesses_do_not_count():
    model = Counter(VOCAB)
    cache, draft_cache = model.make_cache(), model.make_cache()
    speculative = SpeculativeDecodingConfig(Counter(VOCAB), 5, draft_cache=draft_cache)

    steps = run(model, speculative, cache=cache, eos=[9], max_tokens=20)

    assert tokens(steps) == [8, 9]
    assert steps[-1].finish_reason is FinishReason.EOS
    assert steps[-1].speculation == SpeculationStats(2, 2)
    assert cached_tokens(cache) == cached_tokens(draft_cache) == len(PROMPT) + 1


def test_what_was_read_ahead_is_undone_before_the_last_step_is_seen():
    model = Counter(VOCAB)
    cache = model.make_cache()
    steps = speculative_step(
        model,
        PROMPT,
        params=GenConfig(),
        speculative=SpeculativeDecodingConfig(Counter(VOCAB), 5),
        cache=cache,
        eos=[8],
    )

    next(steps)

    assert cached_tokens(cache) == len(PROMPT)


@pytest.mark.parametrize("context, said", [(7, 1), (8, 2), (12, 6)])
def test_the_context_of_the_model_is_never_exceeded(context, said):
    model = Counter(VOCAB, context_length=context)
    fed = []

    class Watched(KVCache):
        def update_and_fetch(self, keys, values):
            found = super().update_and_fetch(keys, values)
            fed.append(self.offset)
            return found

    steps = run(model, SpeculativeDecodingConfig(Counter(VOCAB), 4), cache=[Watched(), Watched()])

    assert tokens(steps) == list(range(8, 8 + said))
    assert max(fed) == context


def test_a_prompt_beyond_the_context_is_refused_at_the_call():
    with pytest.raises(ContextLengthError):
        speculative_step(
            Counter(VOCAB, context_length=6),
            PROMPT,
            params=GenConfig(),
            speculative=PromptLookupConfig(),
        )


@pytest.mark.parametrize("context", [3, 7, 9, 12])
def test_a_draft_model_of_a_shorter_context_stops_guessing(context):
    draft = Counter(VOCAB, context_length=context)
    draft_cache = draft.make_cache()

    steps = run(
        Counter(VOCAB), SpeculativeDecodingConfig(draft, 3, draft_cache=draft_cache), max_tokens=10
    )

    assert tokens(steps) == list(range(8, 18))
    assert cached_tokens(draft_cache) <= context


def test_a_draft_model_may_know_fewer_tokens():
    small, big = Table(40, seed=2), Table(VOCAB, seed=2)

    for acceptance in ("exact", "ratio"):
        speculative = SpeculativeDecodingConfig(small, 3, acceptance)
        assert len(run(big, speculative, temp=1.0, seed=3, max_tokens=30)) == 30


def test_a_draft_model_of_more_tokens_is_refused():
    cache = Table(VOCAB, seed=1).make_cache()

    with pytest.raises(ValueError, match="no more tokens than the model, got 60 and 50"):
        run(Table(VOCAB, seed=1), SpeculativeDecodingConfig(Table(60, seed=1), 3), cache=cache)

    assert cached_tokens(cache) == len(PROMPT) - 1


def test_an_error_of_the_draft_model_comes_after_the_tokens_from_before():
    model, draft = Counter(VOCAB), FailingModel(Counter(VOCAB), calls=7)
    cache, draft_cache = model.make_cache(), draft.make_cache()
    steps = speculative_step(
        model,
        PROMPT,
        params=GenConfig(),
        speculative=SpeculativeDecodingConfig(draft, draft_cache=draft_cache),
        cache=cache,
    )

    said = []
    with pytest.raises(ModelBroke):
        for step in steps:
            said.append(step.token)

    # The prompt and five guesses take six calls; the seventh is of the next round.
    assert said == [8, 9, 10, 11, 12, 13]
    assert cached_tokens(cache) == len(PROMPT) + 5
    assert cached_tokens(draft_cache) == len(PROMPT) + 4


def test_an_error_of_the_model_comes_after_the_tokens_from_before():
    model, draft = FailingModel(Counter(VOCAB), calls=3), Counter(VOCAB)
    cache, draft_cache = model.make_cache(), draft.make_cache()
    steps = speculative_step(
        model,
        PROMPT,
        params=GenConfig(),
        speculative=SpeculativeDecodingConfig(draft, 2, draft_cache=draft_cache),
        cache=cache,
    )

    said = []
    with pytest.raises(ModelBroke):
        for step in steps:
            said.append(step.token)

    assert said == [8, 9, 10, 11, 12, 13]
    assert cached_tokens(cache) == cached_tokens(draft_cache) == len(PROMPT) + 5


def test_no_tokens_wanted_means_no_call():
    model, draft = FakeModel(VOCAB), FakeModel(VOCAB)

    assert run(model, SpeculativeDecodingConfig(draft), max_tokens=0) == []
    assert model.windows == draft.windows == []


@pytest.mark.parametrize("when", [0, 3, 6])
def test_a_set_event_ends_the_prompt_within_a_chunk(when):
    model, cancel = Counter(VOCAB), Event()
    steps = speculative_step(
        model,
        PROMPT,
        params=GenConfig(prefill_step_size=3),
        speculative=SpeculativeDecodingConfig(Counter(VOCAB)),
        progress=lambda read, total: cancel.set() if read == when else None,
        cancel=cancel,
    )

    assert list(steps) == []
    assert model.fed == when


def test_a_set_event_ends_the_reply_within_a_token():
    model, cancel = Counter(VOCAB), Event()
    cache, found = model.make_cache(), []

    for step in speculative_step(
        model,
        PROMPT,
        params=GenConfig(),
        speculative=SpeculativeDecodingConfig(Counter(VOCAB)),
        cache=cache,
        cancel=cancel,
    ):
        found.append(step.token)
        if step.token == 9:
            cancel.set()

    assert found == [8, 9]
    assert cached_tokens(cache) == len(PROMPT) + 1


def test_progress_is_told_as_without_speculation():
    told = []
    for speculative in (None, PromptLookupConfig()):
        counts = []
        list(
            speculative_step(
                Counter(VOCAB),
                PROMPT,
                params=GenConfig(max_tokens=3, prefill_step_size=4),
                speculative=speculative,
                progress=lambda *count, counts=counts: counts.append(count),
            )
        )
        told.append(counts)

    assert told[0] == told[1] == [(0, 7), (4, 7), (6, 7), (7, 7)]


def test_logprobs_are_those_of_plain_generation():
    settings = dict(temp=1.0, seed=5, max_tokens=12, collect_logprobs=True, top_logprobs=3)
    model = Table(VOCAB, seed=1)
    expected = list(generate_step(model, PROMPT, params=GenConfig(**settings)))

    steps = run(model, SpeculativeDecodingConfig(Table(VOCAB, seed=1, noise=0.5), 4), **settings)

    assert [(s.token, s.logprob, s.top_logprobs) for s in steps] == [
        (s.token, s.logprob, s.top_logprobs) for s in expected
    ]


class Alternating:
    """Lets even and odd tokens pass in turn, and keeps what was said."""

    def __init__(self, vocab_size):
        self.said = []
        self._even = mx.arange(vocab_size) % 2 == 0

    def mask(self):
        return ~self._even if len(self.said) % 2 else self._even

    def accept(self, token):
        assert token % 2 == len(self.said) % 2, "a forbidden token"
        self.said.append(token)

    def rollback(self, count):
        assert 0 < count <= len(self.said)
        del self.said[-count:]


@pytest.mark.parametrize("noise", [0.0, 0.5, 5.0])
@pytest.mark.parametrize("temp", [0.0, 1.0])
def test_a_constraint_is_followed_by_guesses_and_hears_of_what_is_said_alone(noise, temp):
    settings = {"temp": temp, "seed": 2, "max_tokens": 25}
    model, ruled = Table(VOCAB, seed=1), Alternating(VOCAB)
    expected = [
        step.token
        for step in generate_step(
            model, PROMPT, params=GenConfig(**settings), constraint=Alternating(VOCAB)
        )
    ]

    speculative = SpeculativeDecodingConfig(Table(VOCAB, seed=1, noise=noise), 4)
    steps = run(model, speculative, constraint=ruled, **settings)

    assert tokens(steps) == expected
    assert ruled.said == expected[:-1]


@pytest.mark.parametrize("read", [1, 2, 3, 5])
def test_a_constraint_forgets_guesses_when_it_is_closed(read):
    constraint = Alternating(VOCAB)
    steps = speculative_step(
        Counter(VOCAB),
        [3],
        params=GenConfig(),
        speculative=SpeculativeDecodingConfig(Counter(VOCAB), 4),
        constraint=constraint,
    )
    said = [next(steps).token for _ in range(read)]
    steps.close()

    assert constraint.said == said == list(range(4, 4 + read))


def test_an_ending_token_among_the_guesses_is_not_shown_to_a_constraint():
    constraint = Alternating(VOCAB)

    steps = run(
        Counter(VOCAB),
        SpeculativeDecodingConfig(Counter(VOCAB), 4),
        prompt=[3],
        eos=[6],
        constraint=constraint,
    )

    assert tokens(steps) == [4, 5, 6]
    assert constraint.said == [4, 5]
    assert steps[-1].speculation == SpeculationStats(3, 3)


@pytest.mark.parametrize("value", [-1, 65, 2.0, True])
def test_a_number_of_guesses_out_of_range_is_refused(value):
    with pytest.raises(ValueError, match="num_draft_tokens must be an integer in 0 … 64"):
        SpeculativeDecodingConfig(Counter(VOCAB), value)


def test_an_unknown_acceptance_is_refused():
    with pytest.raises(ValueError, match="acceptance must be 'exact' or 'ratio'"):
        SpeculativeDecodingConfig(Counter(VOCAB), acceptance="maybe")
