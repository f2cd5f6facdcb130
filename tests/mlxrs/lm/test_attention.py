"""Heads side by side and one after the other."""

import numpy as np
import pytest
from support.draw import floats

import mlxc as mx
from mlxrs.lm.attention import join_heads, split_heads


@pytest.mark.parametrize("B", [1, 3])
@pytest.mark.parametrize("L", [1, 2, 7])
def test_heads_are_split_and_joined_alike_for_one_token_and_many(B, L):
    H, D = 3, 4
    x = floats((B, L, H * D), seed=1)

    heads = split_heads(mx.array(x), H)

    np.testing.assert_array_equal(heads, x.reshape(B, L, H, D).transpose(0, 2, 1, 3))
    np.testing.assert_array_equal(join_heads(heads), x)
