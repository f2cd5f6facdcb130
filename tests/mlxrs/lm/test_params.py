import math

import pytest

from mlxrs.lm.params import GenConfig


def test_defaults_are_valid_and_greedy():
    params = GenConfig()

    params.validate()

    assert (params.max_tokens, params.temp, params.seed) == (256, 0.0, None)


@pytest.mark.parametrize(
    "field, value",
    [
        ("max_tokens", -1),
        ("max_tokens", 1.5),
        ("max_tokens", True),
        ("temp", -0.1),
        ("temp", math.nan),
        ("temp", math.inf),
        ("temp", "hot"),
        ("top_p", 1.1),
        ("top_p", -0.1),
        ("min_p", math.nan),
        ("min_tokens_to_keep", 0),
        ("typical_p", 2),
        ("top_k", -1),
        ("top_k", 1.0),
        ("xtc_probability", 1.5),
        ("xtc_threshold", 0.6),
        ("xtc_special_tokens", [-1]),
        ("mirostat_tau", 0),
        ("mirostat_tau", math.inf),
        ("logit_bias", [(1, 2.0)]),
        ("logit_bias", {"a": 2.0}),
        ("logit_bias", {1: math.inf}),
        ("logit_bias", {1: math.nan}),
        ("repetition_penalty", -1.0),
        ("repetition_context_size", -1),
        ("presence_penalty", math.inf),
        ("frequency_penalty", math.nan),
        ("dry_multiplier", -1.0),
        ("dry_base", 0.5),
        ("dry_allowed_length", 0),
        ("logits_processors", print),
        ("logits_processors", [3]),
        ("sampler", 3),
        ("eos", [True]),
        ("eos", "</s>"),
        ("stop_strings", "stop"),
        ("stop_strings", None),
        ("eos", 5),
        ("stop_strings", [b"stop"]),
        ("seed", -1),
        ("seed", 2**64),
        ("seed", 0.5),
        ("prefill_step_size", 0),
        ("top_logprobs", -1),
    ],
)
def test_an_invalid_field_is_named_with_its_value_and_a_remedy(field, value):
    params = GenConfig()
    setattr(params, field, value)

    with pytest.raises(ValueError, match=rf"^{field} .*must .* got .*; ."):
        params.validate()


@pytest.mark.parametrize("field", ["top_p", "min_p", "typical_p", "top_k", "xtc_probability"])
def test_mirostat_refuses_the_filters_it_replaces(field):
    params = GenConfig(temp=1.0, mirostat_tau=5.0)
    setattr(params, field, 1)

    with pytest.raises(ValueError, match=f"{field} must be 0 with mirostat_tau"):
        params.validate()


def test_a_misspelled_field_is_refused():
    with pytest.raises(AttributeError, match="max_token"):
        GenConfig().max_token = 3


def test_edges_are_valid():
    GenConfig(max_tokens=0, temp=1e-300, seed=2**64 - 1, prefill_step_size=1).validate()
    GenConfig(top_p=1, min_p=1, logit_bias={0: -math.inf}, presence_penalty=-2.0).validate()
