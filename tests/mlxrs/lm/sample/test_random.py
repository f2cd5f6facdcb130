import numpy as np
import pytest

import mlxc as mx
from mlxrs.lm.sample import categorical, greedy, step_key


def test_greedy_takes_the_likeliest_of_each_row():
    assert greedy(mx.array([[0.0, 2.0, 1.0], [3.0, 2.0, 1.0]])).tolist() == [1, 0]


def test_draws_follow_the_softmax_at_the_temperature():
    scores, temp = np.array([1.0, 2.0, 0.0, -1.0]), 2.0
    expected = np.exp(scores / temp) / np.exp(scores / temp).sum()

    tokens = categorical(mx.broadcast_to(mx.array(scores), (20000, 4)), temp, mx.random.key(0))

    frequencies = np.bincount(np.array(tokens), minlength=4) / 20000
    # Four standard deviations of a frequency near one half.
    np.testing.assert_allclose(frequencies, expected, atol=4 * 0.5 / 20000**0.5)


@pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16, mx.float32])
@pytest.mark.parametrize("temp", [1e-300, 1e-40, 1e-38, 1e-3, 1.0])
def test_large_logits_of_any_precision_stay_finite(dtype, temp):
    logits = mx.array([[60000.0, 50000.0, -60000.0, -float("inf")]], dtype=dtype)

    assert [categorical(logits, temp, mx.random.key(i)).item() for i in range(4)] == [0] * 4


@pytest.mark.parametrize("temp", [0, -1.0, float("nan"), float("inf")])
def test_a_temperature_that_is_none_is_refused(temp):
    with pytest.raises(ValueError, match="temp must be a finite number > 0, got"):
        categorical(mx.zeros((1, 4)), temp, mx.random.key(0))


@pytest.mark.parametrize("dtype", [mx.int32, mx.float64])
def test_logits_of_other_types_are_refused(dtype):
    with mx.stream(mx.cpu), pytest.raises(ValueError, match="logits must be float32"):
        categorical(mx.zeros((1, 4), dtype=dtype), 1.0, mx.random.key(0))


def test_a_key_depends_on_seed_place_and_lane_and_on_nothing_else():
    places = [
        (seed, index, lane) for seed in (0, 1, 2**64 - 1) for index in range(9) for lane in (0, 1)
    ]

    keys = [tuple(step_key(*place).tolist()) for place in places]

    assert keys == [tuple(step_key(*place).tolist()) for place in places]
    assert len(set(keys)) == len(keys)


def test_draws_at_neighbouring_places_are_independent():
    draws = np.array([mx.random.uniform(key=step_key(7, i)).item() for i in range(4000)])

    assert abs(draws.mean() - 0.5) < 4 * 0.29 / 4000**0.5
    assert abs(np.corrcoef(draws[:-1], draws[1:])[0, 1]) < 4 / 4000**0.5
