import numpy as np
import pytest

from mlxrs.lm.mask import create_attention_mask, create_causal_mask


def visible(length: int, offset: int, window: int | None) -> list[list[bool]]:
    return [
        [k <= q and (window is None or q - k < window) for k in range(offset + length)]
        for q in range(offset, offset + length)
    ]


@pytest.mark.parametrize("window", [None, 1, 3, 100])
@pytest.mark.parametrize("length, offset", [(1, 0), (4, 0), (1, 5), (3, 5)])
def test_causal_mask_is_the_rule_query_by_key(length, offset, window):
    mask = create_causal_mask(length, offset, window)

    assert np.array(mask).tolist() == visible(length, offset, window)


@pytest.mark.parametrize("window", [None, 8])
def test_one_query_needs_no_mask(window):
    assert create_attention_mask(1, 7, window) is None


def test_several_queries_take_the_causal_mask_by_name():
    assert create_attention_mask(3, 5) == "causal"
    assert create_attention_mask(3, 5, window_size=8) == "causal"


@pytest.mark.parametrize("length", [1, 3])
def test_a_window_some_key_has_left_needs_an_array(length):
    mask = create_attention_mask(length, 6, window_size=4)

    assert np.array(mask).tolist() == visible(length, 6, 4)
