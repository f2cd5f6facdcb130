"""What a row says in a batch is what it says alone."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.recurrent import RecurrentModel
from support.word_tokenizers import word_tokenizer

from mlxrs.lm.batch import BatchGenerator
from mlxrs.lm.cache import (
    ArraysCache,
    CacheList,
    KVCache,
    QuantizedKVCache,
    RotatingKVCache,
    RotatingQuantizedKVCache,
)
from mlxrs.lm.generate import stream_generate
from mlxrs.lm.params import GenConfig
from mlxrs.testing import RecallModel

V = 11
TOKENIZER = word_tokenizer()
MODELS = {
    "full": lambda: RecallModel(V),
    "window": lambda: RecallModel(V, window_size=4),
    "rotating": lambda: RecallModel(V, lambda: [RotatingKVCache(6)]),
    "full and rotating": lambda: RecallModel(V, lambda: [KVCache(), RotatingKVCache(5)]),
    "rotating with kept tokens": lambda: RecallModel(V, lambda: [RotatingKVCache(6, keep=2)]),
    "quantized": lambda: RecallModel(V, lambda: [QuantizedKVCache(bits=4)]),
    "quantized later": lambda: RecallModel(V, lambda: [QuantizedKVCache(bits=4, start=6)]),
    "rotating quantized": lambda: RecallModel(V, lambda: [RotatingQuantizedKVCache(6)]),
    "arrays": lambda: RecurrentModel(V),
    "lists": lambda: RecurrentModel(V, lambda: [CacheList(ArraysCache(1), ArraysCache(1))]),
}


@dataclass
class Plan:
    """A row, and the calls of `next` before it comes and before it is taken away."""

    prompt: list[int]
    params: GenConfig
    comes: int
    goes: int | None


PARAMS = st.builds(
    GenConfig,
    max_tokens=st.integers(0, 9),
    temp=st.sampled_from([0.0, 0.0, 1.0]),
    top_k=st.sampled_from([0, 3]),
    xtc_probability=st.sampled_from([0.0, 0.0, 0.5]),
    repetition_penalty=st.sampled_from([None, None, 1.5]),
    stop_strings=st.lists(st.sampled_from(["quick", "x <", "the f", "</think>"]), max_size=2),
    eos=st.lists(st.integers(3, V - 1), max_size=1),
    seed=st.integers(0, 2**64 - 1),
    collect_logprobs=st.booleans(),
)
PLANS = st.builds(
    Plan,
    st.lists(st.integers(3, V - 1), min_size=1, max_size=14),
    PARAMS,
    st.integers(0, 6),
    st.none() | st.integers(0, 12),
)


def heard(responses):
    """What is the same whenever and beside whom it was said."""
    return [(r.token, r.text, r.finish_reason, r.stop_string, r.logprob) for r in responses]


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=10, deadline=None)
@given(
    plans=st.lists(PLANS, min_size=1, max_size=6),
    step=st.integers(1, 6),
    reading=st.integers(1, 4),
    running=st.integers(1, 5),
)
def test_rows_that_come_and_go_say_what_they_say_alone(name, plans, step, reading, running):
    batch = BatchGenerator(
        MODELS[name](),
        TOKENIZER,
        prefill_step_size=step,
        prefill_batch_size=reading,
        completion_batch_size=running,
    )
    ids, said, taken, call = {}, {}, set(), 0
    while len(ids) < len(plans) or len(batch):
        now = [n for n, plan in enumerate(plans) if plan.comes == call]
        chosen = [plans[n] for n in now]
        got = batch.insert([plan.prompt for plan in chosen], [plan.params for plan in chosen])
        ids |= dict(zip(now, got, strict=True))
        for n, row in ids.items():
            said.setdefault(row, [])
            if plans[n].goes is not None and plans[n].comes + plans[n].goes == call:
                batch.remove([row])
                taken.add(row)
        for row, response in batch.next():
            said[row].append(response)
        call += 1

    for n, plan in enumerate(plans):
        model = MODELS[name]()
        alone = heard(stream_generate(model, TOKENIZER, plan.prompt, params=plan.params))
        together = heard(said[ids[n]])
        assert together == (alone[: len(together)] if ids[n] in taken else alone)
