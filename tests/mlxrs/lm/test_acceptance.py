"""Guesses judged by probability ratio leave the distribution of the text as it is."""

from __future__ import annotations

import numpy as np
import pytest

import mlxc as mx
from mlxrs.lm.acceptance import make_judge
from mlxrs.lm.draft_model import SpeculativeDecodingConfig
from mlxrs.lm.drafter import Draft
from mlxrs.lm.params import GenConfig
from mlxrs.lm.prompt_lookup import PromptLookupConfig
from mlxrs.lm.sample import make_distribution, make_sampler
from mlxrs.lm.speculative import speculative_step
from mlxrs.lm.steps import generate_step
from mlxrs.testing import FakeModel

RNG = np.random.default_rng(3)
TABLE = RNG.normal(size=(5, 5)) * 1.2
OTHER = RNG.normal(size=(5, 5)) * 1.2


class Table(FakeModel):
    """Scores the next token by the last one alone."""

    def __init__(self, table):
        super().__init__(len(table))
        self.table = mx.array(table.astype(np.float32))

    def scores(self, tokens):
        return self.table[tokens]


def softmax(logits):
    odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return odds / odds.sum(axis=-1, keepdims=True)


def without_unlikely(odds, min_p):
    kept = np.where(odds >= min_p * odds.max(axis=-1, keepdims=True), odds, 0)
    return kept / kept.sum(axis=-1, keepdims=True)


def chi_square(tokens, odds):
    """Returns how far transitions are from what is expected, over its degrees of freedom."""
    counts = np.zeros(odds.shape)
    np.add.at(counts, (tokens[:-1], tokens[1:]), 1)
    expected = counts.sum(axis=1, keepdims=True) * odds
    assert (counts[odds == 0] == 0).all()
    possible = odds > 0
    terms = (counts[possible] - expected[possible]) ** 2 / expected[possible]
    return terms.sum() / (possible.sum() - len(odds))


@pytest.mark.parametrize(
    "speculative",
    [
        SpeculativeDecodingConfig(Table(OTHER), 2, "ratio"),
        PromptLookupConfig(2, min_ngram_size=1, acceptance="ratio"),
    ],
    ids=["draft model", "lookup"],
)
@pytest.mark.parametrize("settings", [{"temp": 0.8}, {"temp": 1.0, "min_p": 0.08}], ids=str)
def test_tokens_come_as_often_as_the_model_alone_says_them(speculative, settings):
    min_p = settings.get("min_p", 0.0)
    odds = softmax(np.log(without_unlikely(softmax(TABLE), min_p) + 1e-300) / settings["temp"])
    params = GenConfig(max_tokens=700, seed=7, **settings)

    steps = list(speculative_step(Table(TABLE), [0], params=params, speculative=speculative))

    tokens = np.array([0, *(step.token for step in steps)])
    odds = np.where(odds < 1e-9, 0, odds)
    # About 20 degrees of freedom: above 2.3 comes once in a thousand.
    assert chi_square(tokens, odds) < 2.3
    assert steps[-1].speculation.accepted > 100


def test_the_test_notices_another_distribution():
    params = GenConfig(max_tokens=700, seed=7, temp=0.8)

    steps = generate_step(Table(0.7 * TABLE + 0.3 * OTHER), [0], params=params)

    tokens = np.array([0, *(step.token for step in steps)])
    assert chi_square(tokens, softmax(TABLE / 0.8)) > 2.3


def test_guesses_of_the_same_distribution_are_always_accepted():
    params = GenConfig(max_tokens=60, seed=1, temp=1.0)
    speculative = SpeculativeDecodingConfig(Table(TABLE), 4, "ratio")

    steps = list(speculative_step(Table(TABLE), [0], params=params, speculative=speculative))

    assert steps[-1].speculation.accept_rate == 1.0


def test_more_guesses_are_accepted_by_ratio_than_a_guess_is_right_by_chance():
    params = GenConfig(max_tokens=500, seed=1, temp=1.0)
    speculative = SpeculativeDecodingConfig(Table(OTHER), 1, "ratio")

    steps = list(speculative_step(Table(TABLE), [0], params=params, speculative=speculative))

    # A guess is accepted with the probability that both distributions have in common.
    p, q = softmax(TABLE), softmax(OTHER)
    state = np.array([(np.array([s.token for s in steps]) == i).mean() for i in range(5)])
    expected = (state * np.minimum(p, q).sum(axis=1)).sum()
    np.testing.assert_allclose(steps[-1].speculation.accept_rate, expected, atol=0.08)


def test_a_certain_guess_is_accepted_as_often_as_it_is_likely():
    judge = make_judge(GenConfig(temp=1.0, seed=4), "ratio")
    logits = mx.log(mx.array([[0.7, 0.2, 0.1]]))
    draft = Draft.of([1])

    picks = [judge(draft.tokens, logits, i, None, draft, 0).token for i in range(800)]

    said = np.bincount(mx.concatenate(picks).tolist(), minlength=3) / 800
    np.testing.assert_allclose(said, [0.7, 0.2, 0.1], atol=0.05)


def test_at_temperature_zero_both_rules_are_one():
    params = GenConfig(max_tokens=20)
    model = Table(TABLE)

    for acceptance in ("exact", "ratio"):
        speculative = SpeculativeDecodingConfig(Table(OTHER), 3, acceptance)
        steps = speculative_step(model, [0], params=params, speculative=speculative)

        assert [s.token for s in steps] == [
            s.token for s in generate_step(model, [0], params=params)
        ]


@pytest.mark.parametrize(
    "settings", [{"mirostat_tau": 3.0, "temp": 1.0}, {"sampler": lambda logits: logits[:, 0]}]
)
def test_a_sampler_without_a_distribution_is_refused_for_the_ratio(settings):
    with pytest.raises(ValueError, match="acceptance='ratio' needs the distribution"):
        make_judge(GenConfig(**settings), "ratio")


def test_a_distribution_is_what_the_sampler_draws_from():
    params = GenConfig(temp=0.7, top_k=3, top_p=0.95, seed=5)
    logits = mx.array(TABLE[:1].astype(np.float32))
    distribution, sampler = make_distribution(params), make_sampler(params)

    draws = mx.concatenate([sampler(logits, i) for i in range(800)]).tolist()

    said = np.bincount(draws, minlength=5) / 800
    np.testing.assert_allclose(np.exp(distribution(logits, 0).tolist()[0]), said, atol=0.05)
