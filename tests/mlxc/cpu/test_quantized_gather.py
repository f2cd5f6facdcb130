"""Products with quantized matrices chosen by index."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from support.assert_close import as_numpy
from support.kernels import choose, instruction_sets

import mlxc as mx

pytestmark = pytest.mark.native

EXPERTS, ROWS, LENGTH = 5, 20, 96


@pytest.fixture(autouse=True, params=instruction_sets())
def settings(request: pytest.FixtureRequest) -> Iterator[None]:
    before = mx.cpu_kernels()
    mx.cpu_kernels(instruction_set=request.param)
    yield
    choose(before)


def draw(*shape: int) -> mx.array:
    return mx.array(np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32))


def experts(mode: str = "affine") -> tuple[list[mx.array], np.ndarray]:
    """Quantized matrices, and what they stand for in float64."""
    arrays = mx.quantize(draw(EXPERTS, ROWS, LENGTH), 32, 4, mode=mode)
    floats = mx.dequantize(*arrays, group_size=32, bits=4, mode=mode, dtype=mx.float32)
    return arrays, np.array(floats).astype(np.float64)


def assert_near(y: mx.array, expected: np.ndarray) -> None:
    assert y.shape == expected.shape
    np.testing.assert_allclose(as_numpy(y), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("mode", ["affine", "mxfp4"])
def test_each_token_meets_the_experts_chosen_for_it(mode: str) -> None:
    arrays, floats = experts(mode)
    x = draw(7, 1, 1, LENGTH)
    chosen = np.random.default_rng(0).integers(0, EXPERTS, (7, 2))

    y = mx.gather_qmm(x, *arrays, rhs_indices=mx.array(chosen), group_size=32, mode=mode)

    expected = np.einsum("td,tkod->tko", as_numpy(x)[:, 0, 0], floats[chosen])
    assert_near(y, expected[:, :, None])


@pytest.mark.parametrize("rows", [1, 3])
def test_both_operands_are_chosen(rows: int) -> None:
    arrays, floats = experts()
    x = draw(4, rows, LENGTH)
    of_x, of_w = [0, 1, 2, 3, 3, 0], [4, 4, 4, 0, 1, 1]

    y = mx.gather_qmm(
        x,
        *arrays,
        lhs_indices=mx.array(of_x, mx.uint32),
        rhs_indices=mx.array(of_w, mx.uint32),
        group_size=32,
    )

    assert_near(y, as_numpy(x)[of_x] @ floats[of_w].transpose(0, 2, 1))


@pytest.mark.parametrize("activations", ["float32", "int16", "int8"])
def test_runs_of_an_expert_give_what_single_products_do(activations: str) -> None:
    mx.cpu_kernels(activations=activations)
    arrays, _ = experts()
    x = draw(9, 1, LENGTH)
    of_w = [0, 0, 0, 2, 2, 3, 3, 3, 3]

    together = as_numpy(
        mx.gather_qmm(x, *arrays, rhs_indices=mx.array(of_w), group_size=32, sorted_indices=True)
    )

    for i, expert in enumerate(of_w):
        alone = mx.quantized_matmul(x[i], *(a[expert] for a in arrays), group_size=32)
        np.testing.assert_array_equal(together[i], as_numpy(alone))


def test_gradients_reach_the_other_operand() -> None:
    arrays, floats = experts()
    x = draw(2, 1, LENGTH)
    chosen = mx.array([3, 1], mx.uint32)

    def loss(x: mx.array) -> mx.array:
        return mx.gather_qmm(x, *arrays, rhs_indices=chosen, group_size=32).sum()

    assert_near(mx.grad(loss)(x), floats[[3, 1]].sum(1, keepdims=True))


@pytest.mark.parametrize("shapeless", [False, True])
def test_products_are_compiled(shapeless: bool) -> None:
    arrays, floats = experts()
    chosen = mx.array([3, 1], mx.uint32)
    compiled = mx.compile(
        lambda x: mx.gather_qmm(x, *arrays, rhs_indices=chosen, group_size=32),
        shapeless=shapeless,
    )
    x = draw(2, 3, LENGTH)
    assert_near(compiled(x), as_numpy(x) @ floats[[3, 1]].transpose(0, 2, 1))


def test_empty_choices_give_nothing() -> None:
    arrays, _ = experts()
    nothing = mx.array([], mx.uint32)
    x = draw(2, 3, LENGTH)
    y = mx.gather_qmm(x, *arrays, lhs_indices=nothing, rhs_indices=nothing, group_size=32)
    assert y.shape == (0, 3, ROWS)
