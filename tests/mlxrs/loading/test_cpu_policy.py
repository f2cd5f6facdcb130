"""What a model is computed with on a CPU."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from support.kernels import choose, cpu_kernels

import mlxc as mx
from mlxrs.loading.cpu_policy import bytes_widened, cpu_policy

WEIGHTS = {
    "norm.weight": mx.ones((64,), mx.bfloat16),
    "lm_head.weight": mx.ones((16, 64), mx.float16),
    "lm_head.bias": mx.ones((16,), mx.float16),
    "conv.weight": mx.ones((4, 3, 2), mx.bfloat16),
    "states": mx.ones((4, 4), mx.bfloat16),
    "up.weight": mx.zeros((8, 8), mx.uint32),
    "up.scales": mx.ones((8, 2), mx.float16),
    "up.biases": mx.ones((8, 2), mx.float16),
    "steps": mx.array([1, 2]),
}
WIDENED = ["norm.weight", "lm_head.bias", "conv.weight", "states"]


@pytest.mark.parametrize("kernels", [True, False])
def test_what_is_neither_packed_nor_a_matrix_for_kernels_becomes_float32(kernels: bool) -> None:
    with cpu_kernels(kernels):
        policy = cpu_policy(WEIGHTS, {})
        widened = bytes_widened(WEIGHTS)

    prepared = policy.prepare(WEIGHTS)
    expected = WIDENED if kernels else [*WIDENED, "lm_head.weight"]
    assert policy.matrices == ("keep" if kernels else "widen")
    assert {name: array.dtype for name, array in prepared.items()} == {
        name: mx.float32 if name in expected else array.dtype for name, array in WEIGHTS.items()
    }
    assert widened == sum(prepared[name].nbytes for name in expected)


def test_weights_that_would_fill_the_memory_stay_as_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "sysconf", lambda name: 64)

    with cpu_kernels(False):
        policy = cpu_policy(WEIGHTS, {})

    assert policy.dtype == "stored"
    assert policy.matrices == "keep"
    assert all(policy.prepare(WEIGHTS)[name] is WEIGHTS[name] for name in WEIGHTS)
    assert "of 0" in policy.reasons["dtype"]


def test_matrices_that_kernels_multiply_as_they_are_fill_no_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "sysconf", lambda name: 64)

    assert cpu_policy(WEIGHTS, {}).dtype == "float32"


def test_weights_that_are_float32_already_need_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sysconf", lambda name: 64)

    with cpu_kernels(False):
        assert cpu_policy({"a.weight": mx.ones((64, 64))}, {}).dtype == "float32"


@pytest.mark.parametrize("activations", ["float32", "int16", "int8"])
def test_the_environment_chooses_the_activations(activations: str) -> None:
    policy = cpu_policy(WEIGHTS, {"MLXRS_CPU_ACTIVATIONS": activations})

    assert policy.activations == activations
    assert "MLXRS_CPU_ACTIVATIONS" in policy.reasons["activations"]


@pytest.fixture
def untold() -> Iterator[None]:
    before = mx.cpu_kernels()
    mx.cpu_kernels(activations="default")
    yield
    choose(before)


def test_without_a_word_activations_are_rounded_where_that_is_fast(untold: None) -> None:
    fast = mx.cpu_kernels().int8_dot
    assert cpu_policy(WEIGHTS, {}).activations == ("int16" if fast else "float32")
    mx.cpu_kernels(instruction_set="portable")
    assert cpu_policy(WEIGHTS, {}).activations == "float32"


@pytest.mark.parametrize("chosen", ["float32", "int8"])
def test_what_the_program_chose_stands(untold: None, chosen: str) -> None:
    mx.cpu_kernels(activations=chosen)

    assert cpu_policy(WEIGHTS, {}).activations == chosen
    assert cpu_policy(WEIGHTS, {"MLXRS_CPU_ACTIVATIONS": "int16"}).activations == "int16"


def test_activations_that_nobody_knows_are_refused() -> None:
    with pytest.raises(ValueError, match="ACTIVATIONS must be one of float32, int16, int8"):
        cpu_policy(WEIGHTS, {"MLXRS_CPU_ACTIVATIONS": "int4"})


@pytest.mark.parametrize(
    ("activations", "cache"), [("float32", "float32"), ("int16", "float16"), ("int8", "float16")]
)
def test_keys_and_values_are_rounded_where_activations_are(activations: str, cache: str) -> None:
    assert cpu_policy(WEIGHTS, {"MLXRS_CPU_ACTIVATIONS": activations}).cache == cache


def test_keys_and_values_are_exact_where_no_weights_are_packed() -> None:
    told = {"MLXRS_CPU_ACTIVATIONS": "int16"}
    assert cpu_policy({"a.weight": mx.ones((64, 64))}, told).cache == "float32"
    with cpu_kernels(False):
        assert cpu_policy(WEIGHTS, told).cache == "float32"


@pytest.mark.parametrize("activations", ["float32", "int16"])
@pytest.mark.parametrize("cache", ["float32", "float16"])
def test_the_environment_chooses_the_cache(activations: str, cache: str) -> None:
    policy = cpu_policy(WEIGHTS, {"MLXRS_CPU_ACTIVATIONS": activations, "MLXRS_CPU_CACHE": cache})

    assert policy.cache == cache
    assert "MLXRS_CPU_CACHE" in policy.reasons["cache"]


def test_the_cache_of_a_model_that_stays_half_is_half_already(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "sysconf", lambda name: 64)

    with cpu_kernels(False):
        assert cpu_policy(WEIGHTS, {"MLXRS_CPU_CACHE": "float32"}).cache == "stored"


def test_a_cache_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="CACHE must be one of float32, float16, got 'int8'"):
        cpu_policy(WEIGHTS, {"MLXRS_CPU_CACHE": "int8"})


def test_every_choice_has_a_reason() -> None:
    names = {"quantized", "matrices", "dtype", "activations", "cache"}
    assert cpu_policy(WEIGHTS, {}).reasons.keys() == names
