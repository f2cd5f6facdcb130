"""What stands in for functions that a foreign mlx-c lacks answers as they do."""

from __future__ import annotations

import numpy as np
import pytest
from support.assert_close import assert_close
from support.draw import floats

import mlxc as mx
from mlxc.fast import _composed
from mlxc.ops import _composed as _composed_ops


@pytest.mark.native
@pytest.mark.parametrize("dtype", [mx.float32, mx.bfloat16], ids=repr)
def test_cross_entropy_is_that_of_mlx(dtype):
    logits, targets = mx.array(floats((2, 3, 5), 1)).astype(dtype), mx.array([[0, 1, 2], [4, 3, 2]])

    result = _composed.cross_entropy(logits, targets, mx.cpu)

    assert result.dtype == mx.float32
    assert_close(result.astype(dtype), mx.fast.cross_entropy(logits, targets))


@pytest.mark.native
@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("form", range(4))
def test_activations_are_those_of_c(form, gated):
    gate, x = mx.array(floats((2, 3), 1)), mx.array(floats((2, 3), 2))
    approximate = (None, "none", "tanh", "sigmoid")[form]
    alone = mx.fast.gelu(gate, approximate=approximate) if form else mx.fast.silu(gate)

    result = _composed.activation(gate, x if gated else None, form, mx.cpu)

    assert_close(result, alone * x if gated else alone)


@pytest.mark.parametrize(
    ("logits", "targets", "words"),
    [
        (mx.zeros((2, 3)), mx.array([0, 1, 2]), r"targets shape \(3\) does not match"),
        (mx.array(1.0), mx.array(0), "must have at least 1 dimension"),
        (mx.zeros((2, 3)), mx.zeros((2,)), "must be integer class indices"),
        (mx.zeros((2, 3), mx.int32), mx.array([0, 1]), "unsupported logits type int32"),
    ],
)
def test_cross_entropy_refuses_what_does_not_fit(logits, targets, words):
    with pytest.raises(ValueError, match=words):
        _composed.cross_entropy(logits, targets, None)


@pytest.mark.native
@pytest.mark.parametrize("begun", [True, False], ids=["begun", "from nothing"])
@pytest.mark.parametrize("masked", [True, False], ids=["masked", "whole"])
def test_a_gated_delta_update_is_that_of_mlx(begun, masked):
    q, k = (mx.array(floats((2, 5, 2, 8), seed, -0.5, 0.5)) for seed in (1, 2))
    v = mx.array(floats((2, 5, 4, 3), 3))
    gamma, beta = (mx.array(floats((2, 5, 4), seed, 0, 1)) for seed in (4, 5))
    state = mx.array(floats((2, 4, 3, 8), 6)) if begun else None
    mask = mx.arange(5) < mx.array([[5], [3]]) if masked else None

    results = _composed.gated_delta_update(q, k, v, gamma, beta, state, mask, None)

    expected = mx.fast.gated_delta_update(q, k, v, gamma, beta, state, mask)
    for result, wanted in zip(results, expected, strict=True):
        assert_close(result, wanted)


def test_a_gated_delta_update_of_nothing_is_refused():
    x, gate = mx.ones((1, 0, 2, 8)), mx.ones((1, 0, 2))

    with pytest.raises(ValueError, match="at least one position"):
        _composed.gated_delta_update(x, x, x, gate, gate, None, None, None)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("length", range(6))
def test_searchsorted_is_that_of_numpy(side, length):
    a, values = np.arange(length) // 2, np.array([[-1, 0], [1, 2], [3, 9]])

    result = _composed_ops.searchsorted(mx.array(a), mx.array(values), side, None)

    assert result.tolist() == np.searchsorted(a, values, side).tolist()
