import numpy as np
import pytest

import mlxc as mx
from mlxrs.lm.params import GenConfig
from mlxrs.lm.sample import categorical, greedy, make_sampler


def draws(params: GenConfig, logits: mx.array, count: int) -> list[int]:
    sampler = make_sampler(params)
    return [int(sampler(logits).item()) for _ in range(count)]


def test_greedy_takes_the_likeliest_of_each_row():
    assert greedy(mx.array([[0.0, 2.0, 1.0], [3.0, 2.0, 1.0]])).tolist() == [1, 0]


def test_temperature_zero_is_greedy():
    assert draws(GenConfig(temp=0.0), mx.array([[0.0, 0.1, 0.0]]), 5) == [1] * 5


def test_draws_follow_the_softmax_at_the_temperature():
    scores, temp = np.array([1.0, 2.0, 0.0, -1.0]), 2.0
    expected = np.exp(scores / temp) / np.exp(scores / temp).sum()

    tokens = categorical(mx.broadcast_to(mx.array(scores), (20000, 4)), temp, mx.random.key(0))

    frequencies = np.bincount(np.array(tokens), minlength=4) / 20000
    # Four standard deviations of a frequency near one half.
    np.testing.assert_allclose(frequencies, expected, atol=4 * 0.5 / 20000**0.5)


def test_equal_seeds_draw_equal_tokens_and_others_do_not():
    logits = mx.zeros((1, 1000))

    first = draws(GenConfig(temp=1.0, seed=7), logits, 8)

    assert draws(GenConfig(temp=1.0, seed=7), logits, 8) == first
    assert draws(GenConfig(temp=1.0, seed=8), logits, 8) != first
    assert len(set(first)) > 1


def test_without_a_seed_every_request_draws_differently():
    logits = mx.zeros((1, 1000))

    assert draws(GenConfig(temp=1.0), logits, 8) != draws(GenConfig(temp=1.0), logits, 8)


def test_draws_leave_the_global_random_state_alone():
    mx.random.seed(3)
    expected = mx.random.uniform(shape=(4,)).tolist()
    mx.random.seed(3)

    draws(GenConfig(temp=1.0), mx.zeros((1, 10)), 3)

    assert mx.random.uniform(shape=(4,)).tolist() == expected


@pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16, mx.float32])
@pytest.mark.parametrize("temp", [1e-300, 1e-38, 1e-3, 1.0])
def test_large_logits_of_any_precision_stay_finite(dtype, temp):
    logits = mx.array([[60000.0, 50000.0, -60000.0, -float("inf")]], dtype=dtype)

    assert draws(GenConfig(temp=temp, seed=0), logits, 4) == [0] * 4


def test_a_forbidden_token_is_never_drawn():
    logits = mx.array([[0.0, -float("inf"), 0.0]])

    assert set(draws(GenConfig(temp=100.0, seed=0), logits, 64)) == {0, 2}
