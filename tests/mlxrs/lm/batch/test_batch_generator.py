import gc
import weakref

import pytest
from support.recurrent import RecurrentModel
from support.word_tokenizers import word_tokenizer

import mlxc as mx
from mlxrs.errors import ContextLengthError
from mlxrs.lm.batch import BatchGenerator
from mlxrs.lm.cache import QuantizedKVCache, RotatingKVCache
from mlxrs.lm.generate import generate, stream_generate
from mlxrs.lm.params import GenConfig
from mlxrs.lm.response import FinishReason
from mlxrs.testing import FailingModel, FakeModel, ModelBroke, RecallModel, one_hot

V = 11
TOKENIZER = word_tokenizer()
PROMPTS = [[3, 4, 5], [6], [7, 8, 3, 4, 5, 6, 7], [5, 5]]


def alone(prompt, params=None, model=None, cache=None):
    model = model or RecallModel(V)
    return list(stream_generate(model, TOKENIZER, prompt, params=params, cache=cache))


def tokens_of(events, row):
    return [event.token for id, event in events if id == row]


class Only:
    """A constraint: the tokens in their order, then the ending one."""

    def __init__(self, tokens, fails_at=None):
        self.tokens, self.place, self.fails_at = tokens, 0, fails_at

    def mask(self):
        if self.place == self.fails_at:
            raise RuntimeError("no grammar")
        wanted = self.tokens[self.place] if self.place < len(self.tokens) else 2
        return mx.arange(V) == wanted

    def accept(self, token):
        assert token == self.tokens[self.place]
        self.place += 1

    def rollback(self, count):
        self.place -= count


def test_a_row_that_ends_is_no_longer_computed():
    model = RecallModel(V)
    params = [GenConfig(max_tokens=count) for count in (2, 5, 1, 3)]

    with BatchGenerator(model, TOKENIZER) as batch:
        batch.insert([[3], [4], [5], [6]], params)
        list(batch)

    assert [len(rows) for rows in model.calls] == [4, 3, 2, 1, 1]


def test_a_row_that_ends_by_a_token_is_computed_once_in_vain_at_most():
    model = FakeModel(V, logits=one_hot(V, 2))

    with BatchGenerator(model, TOKENIZER) as batch:
        batch.insert([[3], [4]], [GenConfig(), GenConfig(max_tokens=1)])
        events = list(batch)

    assert [event.finish_reason for _, event in events] == [FinishReason.EOS] * 2
    assert [len(rows) for rows in model.calls] == [2, 1]


def test_a_running_row_waits_for_one_chunk_of_a_prompt_at_most():
    model = FakeModel(V)
    batch = BatchGenerator(model, TOKENIZER, prefill_step_size=4, prefill_batch_size=2)
    first, *_ = batch.insert([[3, 4]], GenConfig(max_tokens=20))
    while not batch.next():
        pass
    batch.insert([[5] * 40, [6] * 30, [7] * 30])

    for _ in range(5):
        before = len(model.calls)
        assert first in dict(batch.next())
        shapes = [(len(rows), len(rows[0])) for rows in model.calls[before:]]
        assert shapes == [(1, 1), (2, 4)]


def test_no_more_rows_run_than_the_completion_batch_size():
    model = RecallModel(V)
    params = GenConfig(max_tokens=4)

    with BatchGenerator(model, TOKENIZER, completion_batch_size=2) as batch:
        ids = batch.insert(PROMPTS, params)
        events = list(batch)

    assert max(len(rows) for rows in model.calls) <= 2
    for row, prompt in zip(ids, PROMPTS, strict=True):
        assert tokens_of(events, row) == [r.token for r in alone(prompt, params)]


def test_what_prompts_have_in_common_is_read_once():
    model = RecallModel(V)
    common = [3, 4, 5, 6, 7, 8] * 10
    prompts = [[*common, 3, 3], [*common, 4], [8, 8, 8], [*common, 3, 3], common]
    params = GenConfig(max_tokens=6)

    with BatchGenerator(model, TOKENIZER) as batch:
        ids = batch.insert(prompts, params)
        events = list(batch)

    read = [row for rows in model.calls for row in rows if len(row) > 1]
    assert sum(row[:30] == common[:30] for row in read) == 1
    for row, prompt in zip(ids, prompts, strict=True):
        assert tokens_of(events, row) == [r.token for r in alone(prompt, params)]


@pytest.mark.parametrize(
    "model",
    [
        RecallModel(V),
        RecallModel(V, lambda: [RotatingKVCache(5)]),
        RecallModel(V, lambda: [QuantizedKVCache(bits=4)]),
        RecurrentModel(V),
    ],
)
def test_the_caches_of_a_row_can_be_handed_back_and_inserted_again(model):
    params = GenConfig(max_tokens=6)
    with BatchGenerator(model, TOKENIZER) as batch:
        ids = batch.insert(PROMPTS, params, keep_caches=True)
        events = list(batch)
        handed = [batch.extract(row) for row in ids]
        with pytest.raises(KeyError, match="keep_caches"):
            batch.extract(ids[0])

        more = [[4, 3], [5], [3, 3, 3], [6, 7]]
        again = batch.insert(more, params, caches=[caches for caches, _ in handed])
        later = list(batch)

    for row, prompt, (caches, held), new, name in zip(
        ids, PROMPTS, handed, more, again, strict=True
    ):
        everything = prompt + tokens_of(events, row)
        assert held == everything[: len(held)] and len(held) >= len(everything) - 1
        expected = [r.token for r in alone(held + new, params, model)]
        assert tokens_of(later, name) == expected
        # What was inserted has stayed as it was.
        assert [r.token for r in alone(new, params, model, caches)] == expected


def test_the_caches_of_a_running_row_can_be_copied_out():
    model, params = RecallModel(V), GenConfig(max_tokens=9)
    batch = BatchGenerator(model, TOKENIZER)
    ids = batch.insert(PROMPTS, params)
    events = [event for _ in range(4) for event in batch.next()]

    caches, held = batch.extract(ids[2])
    rest = list(batch)

    assert held == PROMPTS[2] + tokens_of(events, ids[2])
    new = [r.token for r in alone([4], params, model, caches)]
    assert new == [r.token for r in alone([*held, 4], params, model)]
    whole = tokens_of(events + rest, ids[2])
    assert whole == [r.token for r in alone(PROMPTS[2], params)]


def test_the_caches_of_removed_rows_can_be_kept():
    batch = BatchGenerator(RecallModel(V), TOKENIZER)
    ids = batch.insert([[3, 4, 5], [6, 7]], keep_caches=True)
    events = [event for _ in range(3) for event in batch.next()]

    batch.remove(ids)

    assert len(batch) == 0 and batch.next() == []
    assert batch.extract(ids[0])[1] == [3, 4, 5] + tokens_of(events, ids[0])


def test_rows_have_processors_and_samplers_of_their_own():
    def forbid(token):
        return lambda tokens, logits: mx.where(mx.arange(V) == token, -mx.inf, logits)

    model = FakeModel(V, logits=[1.0, 2, 0, 3, 4, 5, 6, 7, 8, 9, 10])
    params = [
        GenConfig(max_tokens=2, logits_processors=[forbid(10)]),
        GenConfig(max_tokens=2, logits_processors=[forbid(10), forbid(9)]),
        GenConfig(max_tokens=2, sampler=lambda logprobs: mx.array([5])),
        GenConfig(max_tokens=2, logit_bias={3: 100.0}),
        GenConfig(max_tokens=2, top_logprobs=2),
    ]
    with BatchGenerator(model, TOKENIZER) as batch:
        ids = batch.insert([[3]] * 5, params)
        events = list(batch)

    assert [tokens_of(events, row) for row in ids] == [[9] * 2, [8] * 2, [5] * 2, [3] * 2, [10] * 2]
    assert [token for token, _ in events[-1][1].top_logprobs] == [10, 9]


def test_rows_of_like_settings_draw_by_their_own_seeds():
    prompts = [[3, 4]] * 6
    params = [GenConfig(max_tokens=8, temp=1.0, top_p=0.9, seed=seed) for seed in range(6)]
    model = FakeModel(V, logits=[0.0] * 2 + [-9.0] + [0.5, 1, 0.2, 0.1, 0.7, 0.9, 0.3, 0.4])

    with BatchGenerator(model, TOKENIZER) as batch:
        ids = batch.insert(prompts, params)
        events = list(batch)

    said = [tokens_of(events, row) for row in ids]
    assert said == [[r.token for r in alone([3, 4], p, model)] for p in params]
    assert len({tuple(row) for row in said}) > 1


def test_a_constraint_holds_for_its_row_alone():
    model, params = RecallModel(V), GenConfig(max_tokens=6)
    with BatchGenerator(model, TOKENIZER) as batch:
        ids = batch.insert(
            PROMPTS, params, constraints=[None, Only([5, 6, 7]), None, Only([8, 3, 4, 5, 6, 7, 8])]
        )
        events = list(batch)

    assert tokens_of(events, ids[1]) == [5, 6, 7, 2]
    assert tokens_of(events, ids[3]) == [8, 3, 4, 5, 6, 7]
    for place in (0, 2):
        assert tokens_of(events, ids[place]) == [r.token for r in alone(PROMPTS[place], params)]


class Broken(Exception):
    pass


@pytest.mark.parametrize("others_wait", [False, True])
def test_an_error_in_a_processor_ends_its_row_alone(others_wait):
    def break_late(tokens, logits):
        if len(tokens) == 3:
            raise Broken
        return logits

    params = GenConfig(max_tokens=6, eos=[1])
    broken = GenConfig(max_tokens=6, eos=[1], logits_processors=[break_late])
    rules = [None, None, Only([5, 6, 7, 8, 3, 4]) if others_wait else None, None]
    with BatchGenerator(RecallModel(V), TOKENIZER) as batch:
        ids = batch.insert(PROMPTS, [broken, params, params, params], constraints=rules)
        events = list(batch)

    *said, error = [event for row, event in events if row == ids[0]]
    assert isinstance(error, Broken)
    assert [r.token for r in said] == [r.token for r in alone(PROMPTS[0], params)][:2]
    assert [r.finish_reason for r in said] == [None, None]
    for place in (1, 3):
        assert tokens_of(events, ids[place]) == [r.token for r in alone(PROMPTS[place], params)]


def test_an_error_in_a_constraint_ends_its_row_alone():
    with BatchGenerator(RecallModel(V), TOKENIZER) as batch:
        first, second = batch.insert(
            [[3], [4]], GenConfig(max_tokens=4), constraints=[Only([5, 6, 7, 8], fails_at=2), None]
        )
        events = list(batch)

    *said, error = [event for row, event in events if row == first]
    assert [r.token for r in said] == [5, 6] and str(error) == "no grammar"
    assert tokens_of(events, second) == [r.token for r in alone([4], GenConfig(max_tokens=4))]


def test_settings_that_do_not_fit_the_vocabulary_end_the_rows_that_have_them():
    params = [GenConfig(max_tokens=2, temp=1.0, top_k=99)] * 2 + [GenConfig(max_tokens=2)]
    with BatchGenerator(RecallModel(V), TOKENIZER) as batch:
        ids = batch.insert([[3], [4], [5]], params)
        events = list(batch)

    assert [type(event) for row, event in events if row in ids[:2]] == [ValueError] * 2
    assert len(tokens_of(events, ids[2])) == 2


@pytest.mark.parametrize("calls", range(7))
def test_an_error_of_the_model_comes_after_all_that_was_ready(calls):
    params = GenConfig(max_tokens=9, eos=[])
    batch = BatchGenerator(FailingModel(FakeModel(V), calls), TOKENIZER, prefill_step_size=2)
    ids = batch.insert([[3, 4, 5, 6, 7], [5, 6, 7, 8, 3]], params)
    events = []

    with pytest.raises(ModelBroke):
        for event in batch:
            events.append(event)

    # Two chunks of the prompts, then a token a call.
    assert [len(tokens_of(events, row)) for row in ids] == [max(0, calls - 2)] * 2
    assert len(batch) == 0
    with pytest.raises(ValueError, match="closed"):
        batch.insert([[3]])


def test_closing_lets_go_of_everything():
    model = RecallModel(V)
    batch = BatchGenerator(model, TOKENIZER)
    batch.insert(PROMPTS, keep_caches=True)
    batch.next()
    caches = weakref.ref(batch._batches[0].caches.layers[0])

    batch.close()
    batch.close()
    gc.collect()

    assert caches() is None and len(batch) == 0
    assert list(batch) == [] and batch.next() == []


def test_rows_can_be_inserted_while_others_are_iterated():
    batch, params = BatchGenerator(RecallModel(V), TOKENIZER), GenConfig(max_tokens=5)
    first, later, events = batch.insert([[3, 4]], params)[0], None, []
    for event in batch:
        events.append(event)
        if later is None:
            later = batch.insert([[5, 6, 7]], params)[0]

    assert tokens_of(events, first) == [r.token for r in alone([3, 4], params)]
    assert tokens_of(events, later) == [r.token for r in alone([5, 6, 7], params)]


def test_nothing_is_heard_of_a_row_that_was_removed():
    batch = BatchGenerator(RecallModel(V), TOKENIZER)
    ids = batch.insert(PROMPTS, GenConfig(max_tokens=5, eos=[]))
    kept, _ = next(batch)
    batch.remove([row for row in ids if row != kept])

    assert {row for row, _ in batch} == {kept}


def test_rows_without_tokens_to_generate_end_at_once():
    batch = BatchGenerator(RecallModel(V), TOKENIZER)

    assert batch.insert([[3], [4]], GenConfig(max_tokens=0)) == [0, 1]
    assert len(batch) == 0 and list(batch) == []


def test_changes_of_settings_after_inserting_do_not_count():
    batch, params = BatchGenerator(RecallModel(V), TOKENIZER), GenConfig(max_tokens=4)
    batch.insert([[3, 4]], params)
    params.max_tokens = 1

    assert len(list(batch)) == len(alone([3, 4], GenConfig(max_tokens=4)))


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("the fox",), "must be a sequence of prompts"),
        (([[3], []],), "prompt 1 must be one row"),
        (([[[3]]],), "prompt 0 must be one row"),
        (([[3]], [GenConfig()] * 2), "params must be one for each of 1 prompts, got 2"),
        (([[3]], GenConfig(temp=-1.0)), "temp must be"),
    ],
)
def test_what_cannot_be_inserted_is_refused_as_a_whole(arguments, message):
    batch = BatchGenerator(RecallModel(V), TOKENIZER)

    with pytest.raises(ValueError, match=message):
        batch.insert(*arguments)
    assert len(batch) == 0
    assert batch.insert([[3]]) == [0]


def test_caches_of_another_model_are_refused():
    batch = BatchGenerator(RecallModel(V), TOKENIZER)

    with pytest.raises(ValueError, match="one cache a layer, 2, for each row, got 1"):
        batch.insert([[3], [4]], caches=[None, FakeModel(V, num_layers=1).make_cache()])
    assert len(batch) == 0


def test_a_prompt_beyond_the_context_is_refused_and_a_reply_ends_with_it():
    batch = BatchGenerator(RecallModel(V, context_length=4), TOKENIZER)
    with pytest.raises(ContextLengthError):
        batch.insert([[3], [3, 4, 5, 6, 7]])

    batch.insert([[3, 4, 5]], GenConfig(max_tokens=9))

    events = [event for _, event in batch]
    assert len(events) == 2 and events[-1].finish_reason is FinishReason.LENGTH


@pytest.mark.parametrize(
    "name", ["prefill_step_size", "prefill_batch_size", "completion_batch_size"]
)
def test_sizes_below_one_are_refused(name):
    with pytest.raises(ValueError, match=name):
        BatchGenerator(RecallModel(V), TOKENIZER, **{name: 0})


def test_figures_are_those_of_each_row():
    batch = BatchGenerator(RecallModel(V), TOKENIZER)
    ids = batch.insert(["the quick", "fox"], GenConfig(max_tokens=3, eos=[]))
    events = list(batch)

    for row, count in zip(ids, (2, 1), strict=True):
        responses = [event for id, event in events if id == row]
        assert [r.generation_tokens for r in responses] == list(range(1, len(responses) + 1))
        assert {r.prompt_tokens for r in responses} == {count}
        assert responses[0].prompt_tps > 0 and responses[0].generation_tps == 0


def test_a_text_prompt_is_encoded():
    batch = BatchGenerator(RecallModel(V), TOKENIZER)
    batch.insert(["the quick fox"], GenConfig(max_tokens=4))

    text = "".join(event.text for _, event in batch)

    assert text == generate(
        RecallModel(V), TOKENIZER, "the quick fox", params=GenConfig(max_tokens=4)
    )


def test_a_row_removed_while_it_waits_to_run_never_runs():
    model = FakeModel(V)
    batch = BatchGenerator(model, TOKENIZER, completion_batch_size=1)
    first, *others = batch.insert([[3, 4, 5]] * 4, GenConfig(max_tokens=3))
    events = batch.next() + batch.next()

    batch.remove(others[:2])
    events += list(batch)

    assert {row for row, _ in events} == {first, others[2]}
    assert sum(map(len, model.calls)) == 1 + 3 + 3
