"""The generation loop on models whose every call is known."""

from threading import Event

import numpy as np
import pytest
from support.assert_close import assert_close

import mlxc as mx
from mlxrs.errors import ContextLengthError
from mlxrs.lm.cache import KVCache
from mlxrs.lm.params import GenConfig
from mlxrs.lm.response import FinishReason
from mlxrs.lm.steps import generate_step
from mlxrs.testing import FailingModel, FakeModel, ModelBroke, one_hot

PROMPT = [1, 2, 3, 4, 5, 6, 7]


class Counter(FakeModel):
    """Says the token after the one it was shown last: 7 is followed by 8, 9, …"""

    def scores(self, tokens):
        return one_hot(self.vocab_size, tokens + 1)


class SnapshotCache(KVCache):
    """A cache that comes back by a snapshot only."""

    def is_trimmable(self):
        return False

    def trim(self, count):
        raise AssertionError("trimmed")


def run(model, prompt=PROMPT, *, cache=None, eos=(), **settings):
    return list(
        generate_step(model, prompt, params=GenConfig(**settings), cache=cache, eos=frozenset(eos))
    )


def test_each_token_is_the_models_answer_to_the_one_before():
    steps = run(Counter(50), max_tokens=4)

    assert [step.token for step in steps] == [8, 9, 10, 11]
    assert [step.finish_reason for step in steps] == [None, None, None, FinishReason.LENGTH]


@pytest.mark.parametrize(
    "prompt, size, windows",
    [(6, 2, [2, 2, 1, 1]), (7, 3, [3, 3, 1]), (7, 2048, [6, 1]), (1, 2, [1]), (3, 1, [1, 1, 1])],
)
def test_the_prompt_is_read_in_chunks_and_its_last_token_alone(prompt, size, windows):
    model = FakeModel(50)

    run(model, PROMPT[:prompt], max_tokens=1, prefill_step_size=size)

    assert [len(window) for window in model.windows] == windows
    assert sum(model.windows, []) == PROMPT[:prompt]


def test_each_chunk_is_evaluated_before_the_next_is_read():
    model, seen = FakeModel(50), []

    class Watched(KVCache):
        @property
        def state(self):
            seen.append(len(model.windows))
            return super().state

    run(model, cache=[Watched()], max_tokens=1, prefill_step_size=2)

    assert seen == [1, 2, 3]


def test_settings_changed_after_the_call_do_not_count():
    model, params = FakeModel(50), GenConfig(max_tokens=1, prefill_step_size=3)
    steps = generate_step(model, PROMPT, params=params)

    params.prefill_step_size = 1

    assert len(list(steps)) == 1
    assert [len(window) for window in model.windows] == [3, 3, 1]


@pytest.mark.parametrize("form", [list, tuple, mx.array])
def test_a_prompt_may_be_a_sequence_or_an_array(form):
    assert [step.token for step in run(Counter(50), form(PROMPT), max_tokens=2)] == [8, 9]


def test_the_caches_end_with_all_tokens_but_the_last():
    cache = FakeModel(50).make_cache()

    run(Counter(50), max_tokens=5, cache=cache)

    assert [layer.offset for layer in cache] == [len(PROMPT) + 4] * 2


def test_the_next_call_runs_before_a_token_is_handed_out():
    model = Counter(50)
    steps = generate_step(model, PROMPT, params=GenConfig(max_tokens=3))

    calls = []
    for _ in steps:
        calls.append(len(model.windows))

    # One prefill and one call a token; the one for the next token is always under way.
    assert calls == [3, 4, 4]


def test_an_ending_token_is_handed_out_and_its_look_ahead_undone():
    model = Counter(50)
    cache = model.make_cache()

    steps = run(model, max_tokens=9, cache=cache, eos=[10])

    assert [step.token for step in steps] == [8, 9, 10]
    assert [step.finish_reason for step in steps] == [None, None, FinishReason.EOS]
    assert [layer.offset for layer in cache] == [len(PROMPT) + 2] * 2


def test_the_look_ahead_is_undone_before_the_last_step_is_seen():
    model = Counter(50)
    cache = model.make_cache()
    steps = generate_step(model, PROMPT, params=GenConfig(), cache=cache, eos=frozenset([8]))

    next(steps)

    assert cache[0].offset == len(PROMPT)


@pytest.mark.parametrize("read", [1, 2, 3])
def test_closing_undoes_the_look_ahead(read):
    model = Counter(50)
    cache = model.make_cache()
    steps = generate_step(model, PROMPT, params=GenConfig(), cache=cache)
    for _ in range(read):
        next(steps)

    steps.close()

    assert [layer.offset for layer in cache] == [len(PROMPT) + read - 1] * 2


def test_a_cache_that_cannot_be_trimmed_comes_back_by_a_snapshot():
    model = Counter(50)
    cache = [SnapshotCache(), SnapshotCache()]
    steps = generate_step(model, PROMPT, params=GenConfig(), cache=cache, eos=frozenset([9]))

    next(steps)
    assert cache[0].offset == len(PROMPT) + 1
    assert [step.token for step in steps] == [9]
    assert cache[0].offset == len(PROMPT) + 1


def test_an_error_comes_after_every_token_from_before():
    model = FailingModel(Counter(50), calls=4)
    cache = model.make_cache()
    steps = generate_step(model, PROMPT, params=GenConfig(), cache=cache)

    tokens = []
    with pytest.raises(ModelBroke):
        for step in steps:
            tokens.append(step.token)

    assert tokens == [8, 9, 10]
    assert [layer.offset for layer in cache] == [len(PROMPT) + 2] * 2


def test_an_error_behind_an_ending_token_is_never_seen():
    steps = run(FailingModel(Counter(50), calls=2), max_tokens=9, eos=[8])

    assert [step.token for step in steps] == [8]


def test_an_error_between_the_layers_leaves_them_in_step():
    class HalfBroken(Counter):
        def __call__(self, tokens, cache=None):
            if len(self.windows) == 3:
                cache[0].update_and_fetch(mx.zeros((1, 1, 1, 128)), mx.zeros((1, 1, 1, 128)))
                raise ModelBroke
            return super().__call__(tokens, cache)

    model = HalfBroken(50)
    cache = model.make_cache()

    with pytest.raises(ModelBroke):
        run(model, cache=cache)

    assert [layer.offset for layer in cache] == [len(PROMPT) + 1] * 2


def test_an_error_while_the_prompt_is_read_keeps_the_chunks_before():
    model = FailingModel(FakeModel(50), calls=2)
    cache = model.make_cache()

    with pytest.raises(ModelBroke):
        run(model, cache=cache, prefill_step_size=2)

    assert [layer.offset for layer in cache] == [4, 4]


def test_no_tokens_wanted_means_no_call():
    model = FakeModel(50)

    assert run(model, max_tokens=0) == []
    assert model.windows == []


@pytest.mark.parametrize("prompt", [[], mx.array([[1, 2]])])
def test_a_prompt_that_is_no_row_of_ids_is_refused_at_the_call(prompt):
    with pytest.raises(ValueError, match="prompt must be one row of at least one token id"):
        generate_step(FakeModel(50), prompt, params=GenConfig())


def test_invalid_settings_are_refused_at_the_call():
    with pytest.raises(ValueError, match="temp must be"):
        generate_step(FakeModel(50), PROMPT, params=GenConfig(temp=-1.0))


def test_a_prompt_beyond_the_context_is_refused_with_the_numbers():
    model = FakeModel(50, context_length=10)
    cache = model.make_cache()
    run(model, [1, 2, 3], max_tokens=2, cache=cache)

    with pytest.raises(ContextLengthError, match="7 tokens behind 4 cached ones.*holds 10"):
        generate_step(model, PROMPT, params=GenConfig(), cache=cache)


@pytest.mark.parametrize("context, tokens", [(7, 1), (8, 2), (300, 256)])
def test_generation_ends_by_length_where_the_context_is_full(context, tokens):
    steps = run(FakeModel(50, context_length=context))

    assert len(steps) == tokens
    assert steps[-1].finish_reason is FinishReason.LENGTH


def test_logprobs_are_those_of_the_token_handed_out():
    step = run(FakeModel(5, logits=one_hot(5, 3)), max_tokens=1)[0]

    scores = np.array([0, 0, 0, 1.0, 0])
    assert_close(step.logprobs, scores - np.log(np.exp(scores).sum()))


def test_seeded_generation_repeats():
    flat = FakeModel(500, logits=mx.zeros((500,)))
    first, second = ([s.token for s in run(flat, temp=1.0, seed=4)] for _ in range(2))

    assert first == second and len(set(first)) > 100


def test_processors_look_back_on_the_reply_and_the_last_token_of_the_prompt():
    seen = []

    def record(tokens, logits):
        seen.append(tokens)
        return logits

    run(Counter(50), max_tokens=3, logits_processors=[record])

    assert [tokens.tolist() for tokens in seen] == [[7], [7, 8], [7, 8, 9]]


def test_processors_decide_before_the_sampler():
    steps = run(FakeModel(50, logits=one_hot(50, 3)), max_tokens=3, logit_bias={3: -100.0, 5: 1.0})

    assert [step.token for step in steps] == [5, 5, 5]


def test_penalties_change_what_is_said():
    steps = run(FakeModel(4, logits=one_hot(4, 3)), [0, 3], max_tokens=3, presence_penalty=2.0)

    assert [step.token for step in steps] == [0, 1, 2]


def test_logprobs_are_of_the_distribution_the_token_came_from():
    steps = run(
        FakeModel(5, logits=one_hot(5, 2)), max_tokens=2, collect_logprobs=True, top_logprobs=2
    )

    for step in steps:
        expected = np.log(np.exp([0, 0, 1, 0, 0]) / np.exp([0, 0, 1, 0, 0]).sum())
        assert_close(step.logprobs, expected)
        np.testing.assert_allclose(step.logprob, expected[2], rtol=1e-5)
        assert step.top_logprobs[0] == (2, step.logprob)
        assert len(step.top_logprobs) == 2


def test_logprobs_are_not_computed_unless_asked_for():
    (step,) = run(FakeModel(5, logits=one_hot(5, 2)), max_tokens=1)

    assert (step.logprob, step.top_logprobs) == (None, ())


def test_more_top_logprobs_than_tokens_are_refused():
    with pytest.raises(ValueError, match="top_logprobs must be at most 5"):
        run(FakeModel(5, logits=one_hot(5, 2)), max_tokens=1, top_logprobs=6)


def test_ids_of_the_settings_end_it_too():
    steps = run(Counter(50), max_tokens=9, eos=[9])
    params = GenConfig(max_tokens=9, eos=[10])
    both = list(generate_step(Counter(50), PROMPT, params=params, eos={12}))

    assert [step.token for step in steps] == [8, 9]
    assert [step.token for step in both] == [8, 9, 10]


def test_progress_tells_what_was_read_of_the_prompt():
    told = []
    params = GenConfig(max_tokens=2, prefill_step_size=3)

    list(
        generate_step(
            FakeModel(50), PROMPT, params=params, progress=lambda *counts: told.append(counts)
        )
    )

    assert told == [(0, 7), (3, 7), (6, 7), (7, 7)]


def test_a_set_event_ends_the_prompt_within_a_chunk():
    model, cancel = FakeModel(50), Event()
    cache = model.make_cache()
    params = GenConfig(prefill_step_size=2)
    stop_after = lambda read, total: cancel.set() if read == 4 else None  # noqa: E731

    steps = list(
        generate_step(model, PROMPT, params=params, cache=cache, progress=stop_after, cancel=cancel)
    )

    assert steps == []
    assert [layer.offset for layer in cache] == [4, 4]


def test_a_set_event_ends_the_reply_within_a_token():
    model, cancel = Counter(50), Event()
    cache = model.make_cache()
    found = []

    for step in generate_step(model, PROMPT, params=GenConfig(), cache=cache, cancel=cancel):
        found.append(step.token)
        if step.token == 9:
            cancel.set()

    assert found == [8, 9]
    assert cache[0].offset == len(PROMPT) + 1


class OnlyEven:
    """Lets even tokens pass, and keeps what was said."""

    def __init__(self, vocab_size):
        self.said = []
        self._even = mx.arange(vocab_size) % 2 == 0

    def mask(self):
        return self._even

    def accept(self, token):
        self.said.append(token)

    def rollback(self, count):
        del self.said[-count:]


def test_a_constraint_forbids_tokens_and_hears_of_each_that_goes_on():
    constraint = OnlyEven(10)
    model = FakeModel(10, logits=one_hot(10, 3))
    cache = model.make_cache()

    steps = list(
        generate_step(
            model,
            PROMPT,
            params=GenConfig(max_tokens=3),
            cache=cache,
            eos={4},
            constraint=constraint,
        )
    )

    assert [step.token for step in steps] == [0, 0, 0]
    assert constraint.said == [0, 0]
    assert cache[0].offset == len(PROMPT) + 2
