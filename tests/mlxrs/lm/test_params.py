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
        ("seed", -1),
        ("seed", 2**64),
        ("seed", 0.5),
        ("prefill_step_size", 0),
    ],
)
def test_an_invalid_field_is_named_with_its_value_and_a_remedy(field, value):
    params = GenConfig()
    setattr(params, field, value)

    with pytest.raises(ValueError, match=rf"^{field} must be .* got .*{value}.*; ."):
        params.validate()


def test_a_misspelled_field_is_refused():
    with pytest.raises(AttributeError, match="max_token"):
        GenConfig().max_token = 3


def test_edges_are_valid():
    GenConfig(max_tokens=0, temp=1e-300, seed=2**64 - 1, prefill_step_size=1).validate()
