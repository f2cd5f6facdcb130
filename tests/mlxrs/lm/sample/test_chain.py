"""The stages that settings ask for, in their order."""

import numpy as np
import pytest

import mlxc as mx
from mlxrs.lm.params import GenConfig
from mlxrs.lm.sample import make_logits_processors, make_sampler

FLAT = mx.zeros((1, 1000))


def draws(params: GenConfig, logits: mx.array, count: int) -> list[int]:
    sampler = make_sampler(params)
    return [int(sampler(logits, index).item()) for index in range(count)]


def test_temperature_zero_is_greedy_whatever_the_filters():
    logits = mx.array([[0.0, 0.1, 0.0]])

    assert draws(GenConfig(temp=0.0, top_p=0.1, min_p=0.1, xtc_probability=1), logits, 5) == [1] * 5


def test_equal_seeds_draw_equal_tokens_and_others_do_not():
    first = draws(GenConfig(temp=1.0, seed=7), FLAT, 8)

    assert draws(GenConfig(temp=1.0, seed=7), FLAT, 8) == first
    assert draws(GenConfig(temp=1.0, seed=8), FLAT, 8) != first
    assert len(set(first)) > 1


def test_without_a_seed_every_request_draws_differently():
    assert draws(GenConfig(temp=1.0), FLAT, 8) != draws(GenConfig(temp=1.0), FLAT, 8)


def test_drawing_again_at_a_place_gives_the_same_token():
    sampler = make_sampler(GenConfig(temp=1.0, seed=3))
    first = [sampler(FLAT, index).item() for index in range(6)]

    assert [sampler(FLAT, index).item() for index in (4, 2, 5)] == [first[4], first[2], first[5]]


def test_draws_leave_the_global_random_state_alone():
    mx.random.seed(3)
    expected = mx.random.uniform(shape=(4,)).tolist()
    mx.random.seed(3)

    draws(GenConfig(temp=1.0, xtc_probability=0.5, xtc_threshold=0.1), FLAT, 3)

    assert mx.random.uniform(shape=(4,)).tolist() == expected


def test_a_forbidden_token_is_never_drawn():
    logits = mx.array([[0.0, -float("inf"), 0.0]])

    assert set(draws(GenConfig(temp=100.0, seed=0), logits, 64)) == {0, 2}


@pytest.mark.parametrize(
    "settings, possible",
    [
        ({"top_k": 1}, {0}),
        ({"top_k": 2}, {0, 1}),
        ({"top_p": 0.79}, {0, 1}),
        ({"min_p": 0.25}, {0, 1, 2}),
        ({"min_p": 0.9, "min_tokens_to_keep": 2}, {0, 1}),
        ({"typical_p": 0.01}, {1}),
        ({"xtc_probability": 1.0, "xtc_threshold": 0.1}, {2, 3}),
        ({"xtc_probability": 1.0, "xtc_threshold": 0.1, "top_k": 1}, {2}),
        ({"xtc_probability": 1.0, "xtc_threshold": 0.1, "xtc_special_tokens": [0]}, {0, 2, 3}),
        ({"top_p": 1.0}, {0, 1, 2, 3}),
    ],
)
def test_filters_leave_what_they_should(settings, possible):
    logits = mx.log(mx.array([[0.5, 0.3, 0.15, 0.05]]))

    assert set(draws(GenConfig(temp=1.0, seed=0, **settings), logits, 200)) == possible


def test_filters_judge_the_probabilities_before_the_temperature():
    logits = mx.log(mx.array([[0.5, 0.3, 0.15, 0.05]]))

    assert set(draws(GenConfig(temp=50.0, seed=0, top_p=0.79), logits, 100)) == {0, 1}


def test_filters_take_half_precision_with_a_large_offset():
    logits = (mx.log(mx.array([[0.5, 0.3, 0.15, 0.05]])) + 1000).astype(mx.bfloat16) * 1.0

    assert set(draws(GenConfig(temp=1.0, seed=0, top_p=0.9), logits, 20)) <= {0, 1, 2, 3}


def test_a_sampler_of_ones_own_gets_log_probabilities():
    def least_likely(logprobs: mx.array) -> mx.array:
        np.testing.assert_allclose(mx.exp(logprobs).sum().item(), 1, rtol=1e-5)
        return mx.argmin(logprobs, axis=-1)

    assert draws(GenConfig(sampler=least_likely), mx.array([[3.0, 1.0, 2.0]]), 2) == [1, 1]


def process(params: GenConfig, tokens: list[int], logits: list[float]) -> list[float]:
    scores = mx.array([logits])
    for processor in make_logits_processors(params):
        scores = processor(mx.array(tokens, dtype=mx.uint32), scores)
    return scores[0].tolist()


def test_no_setting_makes_no_processor():
    assert make_logits_processors(GenConfig()) == []


def test_penalties_have_windows_of_their_own_and_zero_is_all():
    params = GenConfig(
        presence_penalty=1.0,
        presence_context_size=1,
        frequency_penalty=10.0,
        frequency_context_size=0,
    )

    assert process(params, [0, 0, 1], [0.0, 0.0, 0.0]) == [-20, -11, 0]


def test_the_bias_comes_before_the_penalties_and_ones_own_processors_last():
    params = GenConfig(
        logit_bias={0: 4.0},
        repetition_penalty=2.0,
        logits_processors=[lambda tokens, logits: logits + tokens.size],
    )

    assert process(params, [0, 0], [0.0, -1.0]) == [4.0, 1.0]


def test_dry_ends_a_repetition():
    assert process(GenConfig(dry_multiplier=1.0, dry_base=2.0), [1, 2, 3, 1, 2], [0.0] * 4) == [
        0,
        0,
        0,
        -1,
    ]


def test_mirostat_keeps_the_surprise_where_it_should_be():
    probs = np.full(512, 1 / 512)
    probs[:8] = 1 / 8 * 0.5
    probs[8:] = 0.5 / 504
    logits = mx.log(mx.array(probs[None].astype(np.float32)))
    sampler = make_sampler(GenConfig(temp=1.0, seed=1, mirostat_tau=4.0, mirostat_eta=0.5))

    tokens = [sampler(logits, index).item() for index in range(300)]
    again = [sampler(logits, index).item() for index in range(290, 300)]

    free = draws(GenConfig(temp=1.0, seed=1), logits, 300)
    assert again == tokens[290:]
    # Drawn freely the surprise is 6.5 bits in the mean.
    assert sum(token >= 8 for token in tokens) < sum(token >= 8 for token in free)
