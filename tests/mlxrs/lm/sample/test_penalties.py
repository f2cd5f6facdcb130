import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.assert_close import assert_close

import mlxc as mx
from mlxrs.lm.sample import (
    apply_dry_penalty,
    apply_frequency_penalty,
    apply_logit_bias,
    apply_presence_penalty,
    apply_repetition_penalty,
)

LOGITS = mx.array([2.0, -4.0, 1.0, -1.0])
NONE = mx.zeros((0,), mx.uint32)


def ids(*tokens: int) -> mx.array:
    return mx.array(tokens, dtype=mx.uint32)


def test_repetition_divides_positive_and_multiplies_negative_logits_once():
    assert apply_repetition_penalty(LOGITS, ids(0, 1, 1), 2.0).tolist() == [1, -8, 1, -1]


def test_presence_subtracts_once_and_frequency_each_time():
    assert apply_presence_penalty(LOGITS, ids(1, 1, 2), 0.5).tolist() == [2, -4.5, 0.5, -1]
    assert apply_frequency_penalty(LOGITS, ids(1, 1, 2), 0.5).tolist() == [2, -5, 0.5, -1]


def test_a_bias_is_added_and_values_for_one_token_add_up():
    assert apply_logit_bias(LOGITS, [0, 2, 2], [1.0, 0.5, 0.5]).tolist() == [3, -4, 2, -1]


def test_a_bias_of_minus_infinity_forbids():
    assert apply_logit_bias(LOGITS, [0], [-math.inf]).tolist() == [-math.inf, -4, 1, -1]


def test_a_bias_needs_a_value_for_each_id():
    with pytest.raises(ValueError, match="got 2 ids and 1 values"):
        apply_logit_bias(LOGITS, [0, 1], [1.0])


def naive_dry(history, vocab, multiplier, base, allowed, breakers=()):
    penalty = [0.0] * vocab
    for end in range(len(history) - 1):
        n = 0
        while (
            n <= end
            and history[end - n] == history[-1 - n]
            and history[-1 - n] not in breakers
            and n < 64
        ):
            n += 1
        if n >= allowed:
            token = history[end + 1]
            penalty[token] = max(penalty[token], min(multiplier * base ** (n - allowed), 1e4))
    return penalty


@given(
    st.lists(st.integers(0, 3), min_size=0, max_size=90),
    st.integers(1, 4),
    st.sampled_from([(), (2,), (0, 3)]),
)
@settings(max_examples=60, deadline=None)
def test_dry_lowers_what_would_go_on_with_a_repetition(history, allowed, breakers):
    wanted = -np.array(naive_dry(history, 4, 0.8, 1.75, allowed, breakers))

    found = apply_dry_penalty(
        mx.zeros((4,)), mx.array(history, dtype=mx.uint32), 0.8, 1.75, allowed, ids(*breakers)
    )

    assert_close(found, wanted)


@pytest.mark.parametrize("dtype", [mx.float32, mx.float16, mx.bfloat16])
@pytest.mark.parametrize(
    "apply",
    [
        lambda x, t: apply_repetition_penalty(x, t, 1e30),
        lambda x, t: apply_presence_penalty(x, t, 6e4),
        lambda x, t: apply_frequency_penalty(x, t, 6e4),
        lambda x, t: apply_dry_penalty(x, t, 1e30, 100.0, 1),
    ],
)
def test_a_huge_penalty_makes_no_nan_and_keeps_the_dtype(dtype, apply):
    rows = mx.array([[2.0, -4.0, 1.0, -1.0], [0.0, 1.0, 2.0, -3.0]]).astype(dtype)

    lowered = apply(rows, ids(1, 2, 1, 2))

    assert lowered.dtype == dtype and lowered.shape == (2, 4)
    assert not mx.any(mx.isnan(lowered)).item()
    assert mx.array_equal(lowered[:, 3], rows[:, 3])


@pytest.mark.parametrize(
    "apply",
    [apply_repetition_penalty, apply_presence_penalty, apply_frequency_penalty, apply_dry_penalty],
)
def test_an_empty_history_changes_nothing(apply):
    assert mx.array_equal(apply(LOGITS, NONE, 2.0), LOGITS)


@pytest.mark.parametrize(
    "apply, penalty",
    [
        (apply_repetition_penalty, -1.0),
        (apply_repetition_penalty, math.nan),
        (apply_presence_penalty, math.inf),
        (apply_frequency_penalty, math.nan),
        (apply_dry_penalty, -1.0),
    ],
)
def test_a_penalty_out_of_range_is_refused(apply, penalty):
    with pytest.raises(ValueError, match="must be a finite number"):
        apply(LOGITS, ids(1), penalty)
