"""What each filter leaves, against the definition written out over sorted lists."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlxc as mx
from mlxrs.lm.sample import apply_min_p, apply_top_k, apply_top_p, apply_typical_p, apply_xtc

KEY = mx.random.key(0)
# Distinct scores: which of two equal tokens stays is nobody's business.
scores = st.lists(st.integers(-80, 80).map(lambda i: i / 8), min_size=2, max_size=12, unique=True)


def log_softmax(values):
    values = np.array(values, dtype=np.float64)
    return values - np.log(np.exp(values).sum())


def kept(logits: mx.array) -> set[int]:
    return set(np.flatnonzero(np.isfinite(np.array(logits.astype(mx.float32)))).tolist())


@given(scores, st.floats(0.01, 1))
@settings(max_examples=40, deadline=None)
def test_top_p_keeps_the_fewest_likeliest_that_reach_p(values, p):
    logprobs = log_softmax(values)
    order, wanted, reached = np.argsort(-logprobs), set(), 0.0
    for token in order.tolist():
        if reached >= p - 1e-6 and wanted:
            break
        wanted.add(token)
        reached += math.exp(logprobs[token])
    borderline = any(abs(total - p) < 1e-5 for total in np.cumsum(np.exp(logprobs[order])).tolist())

    found = kept(apply_top_p(mx.array(logprobs.astype(np.float32)), p))

    assert found == wanted or borderline


def test_top_p_on_scores_that_do_not_sum_to_one():
    assert kept(apply_top_p(mx.array([-1.0, -3.0, -2.0, 0.0]), 0.7)) == {0, 3}


def test_top_p_of_one_keeps_all_and_a_tiny_one_the_likeliest():
    logprobs = mx.array(log_softmax([0.0, 3.0, 1.0]).astype(np.float32))

    assert kept(apply_top_p(logprobs, 1.0)) == {0, 1, 2}
    assert kept(apply_top_p(logprobs, 1e-12)) == {1}


@given(scores, st.floats(0, 1), st.integers(1, 2))
@settings(max_examples=40, deadline=None)
def test_min_p_forbids_what_is_below_its_part_of_the_best(values, min_p, keep):
    probs = np.exp(log_softmax(values))
    best = set(np.argsort(-probs)[:keep].tolist())
    clear = all(abs(p - min_p * probs.max()) > 1e-6 for p in probs)

    found = kept(apply_min_p(mx.array(values), min_p, keep))

    assert found == best | set(np.flatnonzero(probs >= min_p * probs.max()).tolist()) or not clear


def test_typical_p_keeps_the_tokens_nearest_to_the_entropy():
    probs = np.array([0.5, 0.3, 0.15, 0.05])
    entropy = -(probs * np.log(probs)).sum()
    nearest = np.argsort(np.abs(-np.log(probs) - entropy))

    found = kept(apply_typical_p(mx.array(np.log(probs).astype(np.float32)), 0.6))

    assert found == set(nearest[:2].tolist()) == {0, 1}
    assert kept(apply_typical_p(mx.array(np.log(probs).astype(np.float32)), 1e-9)) == {1}
    assert kept(apply_typical_p(mx.array(np.log(probs).astype(np.float32)), 1.0)) == {0, 1, 2, 3}


def test_xtc_forbids_the_likely_tokens_but_the_least_likely_of_them():
    logits = mx.array(np.log([0.5, 0.3, 0.15, 0.05]).astype(np.float32))

    assert kept(apply_xtc(logits, 1.0, 0.1, key=KEY)) == {2, 3}
    assert kept(apply_xtc(logits, 1.0, 0.1, [0], key=KEY)) == {0, 2, 3}
    assert kept(apply_xtc(logits, 0.0, 0.1, key=KEY)) == {0, 1, 2, 3}


def test_xtc_leaves_alone_what_has_no_likely_token():
    assert kept(apply_xtc(mx.zeros((8,)), 1.0, 0.2, key=KEY)) == set(range(8))


def test_xtc_strikes_as_often_as_it_should():
    logits = mx.array([1.0, 0.5])

    struck = sum(
        len(kept(apply_xtc(logits, 0.3, 0.1, key=mx.random.key(i)))) == 1 for i in range(1000)
    )

    assert abs(struck / 1000 - 0.3) < 4 * (0.3 * 0.7 / 1000) ** 0.5


@given(scores, st.data())
@settings(max_examples=40, deadline=None)
def test_top_k_keeps_the_k_largest(values, data):
    k = data.draw(st.integers(1, len(values) - 1))

    found = kept(apply_top_k(mx.array(values), k))

    assert found == set(np.argsort(-np.array(values))[:k].tolist())


@pytest.mark.parametrize("dtype", [mx.float32, mx.float16, mx.bfloat16])
@pytest.mark.parametrize(
    "apply",
    [
        lambda x: apply_top_p(x, 0.5),
        lambda x: apply_min_p(x, 0.5, 2),
        lambda x: apply_typical_p(x, 0.5),
        lambda x: apply_xtc(x, 1.0, 0.1, [1], key=KEY),
        lambda x: apply_top_k(x, 2),
    ],
)
def test_rows_are_filtered_apart_and_keep_their_dtype_and_order(dtype, apply):
    rows = mx.array([[0.0, 2.0, 1.0, -1.0], [5.0, -5.0, 4.5, 4.0]]).astype(dtype)
    rows = rows - mx.logsumexp(rows, axis=-1, keepdims=True)

    both = apply(rows)

    assert both.dtype == dtype and both.shape == (2, 4)
    for row, single in zip(both, rows, strict=True):
        assert mx.array_equal(row, apply(single))
        finite = mx.isfinite(row)
        assert mx.array_equal(mx.where(finite, row, 0), mx.where(finite, single, 0))


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda x: apply_top_p(x, 0), "top_p must be above 0"),
        (lambda x: apply_top_p(x, 1.5), "top_p must be above 0"),
        (lambda x: apply_top_p(x, math.nan), "top_p must be above 0"),
        (lambda x: apply_min_p(x, -0.1), "min_p must be in"),
        (lambda x: apply_min_p(x, math.nan), "min_p must be in"),
        (lambda x: apply_min_p(x, 0.5, 0), "min_tokens_to_keep must be in"),
        (lambda x: apply_min_p(x, 0.5, 5), "min_tokens_to_keep must be in"),
        (lambda x: apply_typical_p(x, 0), "typical_p must be above 0"),
        (lambda x: apply_xtc(x, 1.1, 0.1, key=KEY), "probability must be in"),
        (lambda x: apply_xtc(x, 0.5, 0.6, key=KEY), "threshold must be in"),
        (lambda x: apply_top_k(x, 0), "top_k must be in"),
        (lambda x: apply_top_k(x, -1), "top_k must be in"),
        (lambda x: apply_top_k(x, 4), "top_k must be in"),
    ],
)
def test_what_is_out_of_range_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call(mx.zeros((4,)))
