"""Guesses out of the text itself."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlxrs.lm.params import GenConfig
from mlxrs.lm.prompt_lookup import PromptLookupConfig, PromptLookupDrafter
from mlxrs.lm.speculative import speculative_step
from mlxrs.testing import FakeModel, ScriptedModel


def propose(text, count, **sizes):
    return PromptLookupDrafter(**sizes).propose(text, count).tokens.tolist()


def test_what_followed_the_last_tokens_before_is_the_guess():
    assert propose([1, 2, 3, 4, 5, 9, 2, 3], 2) == [4, 5]


def test_the_longest_match_counts():
    assert propose([1, 2, 3, 40, 0, 2, 3, 50, 1, 2, 3], 1, max_ngram_size=3) == [40]
    assert propose([1, 2, 3, 40, 0, 2, 3, 50, 1, 2, 3], 1, max_ngram_size=2) == [50]


def test_of_matches_of_one_length_the_last_counts():
    assert propose([2, 3, 40, 2, 3, 50, 2, 3], 1) == [50]


def test_a_match_at_the_end_goes_on_with_its_own_repetition():
    assert propose([7, 1, 2, 3, 1, 2, 3, 1, 2], 8) == [3, 1, 2, 3, 1, 2, 3, 1]


@pytest.mark.parametrize("text", [[], [1], [1, 2], [1, 2, 3, 4], [1, 2, 3, 9, 3]])
def test_nothing_is_guessed_where_nothing_was_seen_before(text):
    assert propose(text, 4) == []


def test_a_context_in_front_of_the_prompt_is_looked_through_too():
    drafter = PromptLookupConfig(context=[1, 2, 3, 4]).make_drafter(GenConfig())

    assert drafter.propose([9, 1, 2], 2).tokens.tolist() == [3, 4]
    assert drafter.propose([9, 1, 2, 9, 1], 2).tokens.tolist() == [2, 9]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 3), max_size=40), st.integers(1, 3), st.integers(0, 2))
def test_a_text_that_grows_gives_the_guesses_of_the_whole_text(text, least, more):
    sizes = {"max_ngram_size": least + more, "min_ngram_size": least}
    drafter, said = PromptLookupDrafter(**sizes), []
    for start in range(0, len(text), 3):
        said += text[start : start + 3]

        assert drafter.propose(said, 4).tokens.tolist() == naive(said, 4, **sizes)


def naive(text, count, *, max_ngram_size, min_ngram_size):
    for size in range(max_ngram_size, min_ngram_size - 1, -1):
        for end in range(len(text) - 1, size - 1, -1):
            if text[end - size : end] == text[-size:]:
                longer = list(text)
                while len(longer) < len(text) + count:
                    longer.append(longer[end + len(longer) - len(text)])
                return longer[len(text) :]
    return []


def test_a_reply_that_repeats_its_prompt_needs_few_calls():
    prompt = [*range(10, 30), 10, 11]
    model = ScriptedModel(50, list(range(12, 30)), prompt_length=len(prompt))
    params = GenConfig(max_tokens=18)

    steps = list(speculative_step(model, prompt, params=params, speculative=PromptLookupConfig(8)))

    assert [step.token for step in steps] == list(range(12, 30))
    assert len(model.windows) == 1 + 2  # the prompt, then nine tokens a call
    assert steps[-1].speculation.accept_rate == 1.0


def test_nothing_to_guess_is_one_call_a_token():
    model = FakeModel(50)

    steps = list(
        speculative_step(
            model,
            [1, 2, 3],
            params=GenConfig(max_tokens=3),
            speculative=PromptLookupConfig(4, max_ngram_size=9, min_ngram_size=9),
        )
    )

    assert [len(window) for window in model.windows] == [2, 1, 1, 1]
    assert steps[-1].speculation.proposed == 0


@pytest.mark.parametrize("sizes", [(0, 3), (4, 3), (1, 33)])
def test_sizes_out_of_order_are_refused(sizes):
    least, most = sizes
    with pytest.raises(ValueError, match="min_ngram_size must be >= 1 and at most max_ngram_size"):
        PromptLookupConfig(max_ngram_size=most, min_ngram_size=least)
