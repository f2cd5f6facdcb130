"""Random numbers drawn by kernels: those that MLX draws with the same key."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from support.kernels import cpu_kernels, instruction_sets

import mlxc as mx

pytestmark = pytest.mark.native


@pytest.fixture(autouse=True, params=instruction_sets())
def instruction_set(request: pytest.FixtureRequest) -> Iterator[None]:
    with cpu_kernels(instruction_set=request.param):
        yield


SHAPES = [(), (1,), (2,), (3,), (0,), (31,), (32,), (7, 5), (2049,), (3, 20000)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_uniform_numbers_have_the_bits_of_mlx(shape: tuple[int, ...]) -> None:
    for seed in (0, 1, 2**63 + 5):
        key = mx.random.key(seed)
        ours = mx.random.uniform(0, 1, shape, key=key)
        with cpu_kernels(False):
            theirs = mx.random.uniform(0, 1, shape, key=key)
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(np.array(ours), np.array(theirs))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_gumbel_noise_is_that_of_mlx(shape: tuple[int, ...]) -> None:
    key = mx.random.key(3)
    ours = mx.random.gumbel(shape, key=key)
    with cpu_kernels(False):
        theirs = mx.random.gumbel(shape, key=key)
    np.testing.assert_allclose(np.array(ours), np.array(theirs), rtol=1e-5, atol=1e-6)


def test_bounds_types_and_keys_are_those_of_mlx() -> None:
    keys = mx.random.split(mx.random.key(1), 3)
    calls = [
        lambda: mx.random.uniform(-2, 5, (300,), key=keys[1]),
        lambda: mx.random.uniform(mx.array([0.0, 4.0]), 5, (300, 2), key=keys[0]),
        lambda: mx.random.uniform(0, 1, (301,), mx.float16, key=keys[0]),
        lambda: mx.random.uniform(0, 1, (301,), mx.bfloat16, key=keys[2]),
        lambda: mx.random.uniform(0, 1, (50,), key=mx.repeat(keys[0], 2)[::2]),
        lambda: mx.vmap(lambda key: mx.random.uniform(0, 1, (50,), key=key))(keys),
        lambda: mx.vmap(lambda key: mx.random.gumbel((50,), key=key))(keys),
        lambda: mx.compile(lambda key: mx.random.uniform(0, 1, (50,), key=key) * 2)(keys[0]),
    ]
    for call in calls:
        ours = call()
        with cpu_kernels(False):
            theirs = call()
        assert ours.dtype == theirs.dtype
        ours, theirs = (np.array(a.astype(mx.float32)) for a in (ours, theirs))
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_equal_shapes_with_other_keys_differ() -> None:
    def both(a: mx.array, b: mx.array) -> tuple[mx.array, mx.array]:
        return mx.random.uniform(0, 1, (64,), key=a), mx.random.uniform(0, 1, (64,), key=b)

    a, b = mx.compile(both)(mx.random.key(0), mx.random.key(1))
    assert (np.array(a) != np.array(b)).any()


def test_gradients_of_the_bounds_are_those_of_the_numbers() -> None:
    key = mx.random.key(0)
    gradient = mx.grad(lambda high: mx.random.uniform(0, high, (50,), key=key).sum())(mx.array(2.0))
    expected = np.array(mx.random.uniform(0, 1, (50,), key=key)).sum()
    np.testing.assert_allclose(gradient.item(), expected, rtol=1e-5)


@pytest.mark.parametrize("threads", [1, 3])
def test_the_number_of_threads_changes_nothing(threads: int) -> None:
    key = mx.random.key(9)
    before = np.array(mx.random.gumbel((70001,), key=key))
    with cpu_kernels(threads=threads):
        np.testing.assert_array_equal(np.array(mx.random.gumbel((70001,), key=key)), before)
