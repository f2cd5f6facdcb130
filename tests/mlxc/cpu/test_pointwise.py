"""Functions of one element by kernels, beside numpy in float64 and MLX's own."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from support.assert_close import as_numpy, assert_close
from support.kernels import FLOATS, cpu_kernels, instruction_sets

import mlxc as mx

pytestmark = pytest.mark.native

SETS = instruction_sets()


def logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def normal(x: np.ndarray) -> np.ndarray:
    return np.vectorize(lambda v: math.erfc(-v / math.sqrt(2)) / 2, otypes=[np.float64])(x)


def log(x: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.log(x)


FUNCTIONS: dict[str, tuple[Callable, Callable]] = {
    "log": (mx.log, log),
    "exp": (mx.exp, np.exp),
    "sigmoid": (mx.sigmoid, logistic),
    "silu": (mx.fast.silu, lambda x: x * logistic(x)),
    "gelu": (mx.fast.gelu, lambda x: x * normal(x)),
    "gelu tanh": (
        lambda x: mx.fast.gelu(x, approximate="tanh"),
        lambda x: x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2,
    ),
    "gelu sigmoid": (
        lambda x: mx.fast.gelu(x, approximate="sigmoid"),
        lambda x: x * logistic(1.702 * x),
    ),
}

GATES: dict[str, tuple[Callable, Callable]] = {
    "silu": (mx.fast.swiglu, lambda g, x: FUNCTIONS["silu"][1](g) * x),
    "gelu": (mx.fast.geglu, lambda g, x: FUNCTIONS["gelu"][1](g) * x),
    "gelu tanh": (
        lambda g, x: mx.fast.geglu(g, x, approximate="tanh"),
        lambda g, x: FUNCTIONS["gelu tanh"][1](g) * x,
    ),
    "gelu sigmoid": (
        lambda g, x: mx.fast.geglu(g, x, approximate="sigmoid"),
        lambda g, x: FUNCTIONS["gelu sigmoid"][1](g) * x,
    ),
}

functions = pytest.mark.parametrize(("ours", "exact"), FUNCTIONS.values(), ids=FUNCTIONS.keys())
gates = pytest.mark.parametrize(("ours", "exact"), GATES.values(), ids=GATES.keys())


def numbers(shape: tuple[int, ...], dtype: mx.Dtype = mx.float32, seed: int = 0) -> mx.array:
    rng = np.random.default_rng(seed)
    return mx.array(rng.uniform(-6, 6, shape).astype(np.float32)).astype(dtype)


def wide(x: mx.array) -> np.ndarray:
    return as_numpy(x).astype(np.float64)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@functions
def test_functions_are_exact(name: str, dtype: mx.Dtype, ours: Callable, exact: Callable) -> None:
    with cpu_kernels(instruction_set=name):
        for size in (1, 3, 16, 100, 20_001):
            x = numbers((size,), dtype)
            y = ours(x)
            assert y.dtype == dtype
            assert_close(y, exact(wide(x)))


@pytest.mark.parametrize("name", SETS)
@functions
def test_float32_errs_in_its_last_places_alone(name: str, ours: Callable, exact: Callable) -> None:
    x = mx.array(np.linspace(-20, 20, 100_001, dtype=np.float32))
    with cpu_kernels(instruction_set=name):
        y, wanted = np.array(ours(x)).astype(np.float64), exact(wide(x))
    known = np.isfinite(wanted)
    assert (np.isfinite(y) == known).all()
    greatest = np.maximum(np.abs(wanted[known]), 1 if ours is not mx.exp else 1e-9)
    assert (np.abs(y[known] - wanted[known]) / greatest).max() < 3e-7


@pytest.mark.parametrize("name", SETS)
@functions
def test_special_values_are_as_mlx_has_them(name: str, ours: Callable, exact: Callable) -> None:
    values = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, -1e-40, 88.0, 90.0, -87.0, -104.0, -110.0]
    x = mx.array(np.array([*values, 1e38, -1e38, 14.0, -14.0], np.float32))
    with cpu_kernels(False):
        theirs = np.array(ours(x))
    with cpu_kernels(instruction_set=name):
        np.testing.assert_allclose(np.array(ours(x)), theirs, rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@gates
def test_gates_are_exact(name: str, dtype: mx.Dtype, ours: Callable, exact: Callable) -> None:
    with cpu_kernels(instruction_set=name):
        for shape in ((), (1,), (5, 7), (2, 3, 100), (40, 1536)):
            gate, x = numbers(shape, dtype), numbers(shape, dtype, 1)
            y = ours(gate, x)
            assert y.dtype == dtype
            assert_close(y, exact(wide(gate), wide(x)))


VIEWS: dict[str, Callable[[], tuple[mx.array, mx.array]]] = {
    "halves of one array": lambda: tuple(mx.split(numbers((3, 4, 40)), 2, axis=-1)),
    "heads": lambda: (
        numbers((2, 5, 3, 16)).transpose(0, 2, 1, 3),
        numbers((2, 3, 5, 16), seed=1),
    ),
    "transposed": lambda: (numbers((7, 20)).T, numbers((20, 7), seed=1)),
    "both transposed": lambda: (numbers((7, 20)).T, numbers((7, 20), seed=1).T),
    "columns apart": lambda: (numbers((4, 40))[:, ::2], numbers((4, 20), seed=1)),
    "backwards": lambda: (numbers((40,))[::-1], numbers((40,), seed=1)),
    "one row for all": lambda: (numbers((3, 20)), mx.broadcast_to(numbers((20,), seed=1), (3, 20))),
    "one value for all": lambda: (mx.broadcast_to(mx.array(0.5), (3, 20)), numbers((3, 20))),
    "the same": lambda: (numbers((3, 20)),) * 2,
    "nothing": lambda: (numbers((3, 0)), numbers((3, 0))),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_views_are_read_as_they_lie(view: Callable[[], tuple[mx.array, mx.array]]) -> None:
    gate, x = view()
    assert_close(mx.fast.swiglu(gate, x), GATES["silu"][1](wide(gate), wide(x)))
    assert_close(mx.exp(gate), np.exp(wide(gate)))
    # What keeps the order of its input's axes is read in the right one afterwards.
    assert_close(mx.exp(gate)[..., 1:] + 0, np.exp(wide(gate))[..., 1:])


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_row_does_not_depend_on_the_others(threads: int) -> None:
    gate, x = numbers((300, 200)), numbers((300, 200), seed=1)
    with cpu_kernels(threads=threads):
        together = np.array(mx.fast.swiglu(gate, x))
        for i in (0, 7, 299):
            assert (np.array(mx.fast.swiglu(gate[i], x[i])) == together[i]).all()


def test_what_is_held_elsewhere_is_not_overwritten() -> None:
    gate, x = numbers((4, 32)), numbers((4, 32), seed=1)
    before = np.array(gate), np.array(x)
    mx.eval(mx.exp(gate), mx.fast.swiglu(gate, x), mx.fast.swiglu(gate * 1, x))
    mx.eval(mx.fast.swiglu(gate, x * 1), mx.exp(mx.exp(x)))
    assert (np.array(gate) == before[0]).all()
    assert (np.array(x) == before[1]).all()


def test_types_and_shapes_promote_as_in_a_product() -> None:
    gate, x = numbers((3, 1), mx.float16), numbers((4,), mx.bfloat16)
    y = mx.fast.swiglu(gate, x)
    assert (y.dtype, tuple(y.shape)) == (mx.float32, (3, 4))
    assert_close(y.astype(mx.float16), GATES["silu"][1](wide(gate), wide(x)))
    assert mx.fast.gelu(mx.array([1, 2])).dtype == mx.float32
    assert mx.fast.silu(mx.array([True])).dtype == mx.float32
    assert_close(mx.exp(mx.array([1j])), np.exp([1j]).astype(np.complex64))
    with pytest.raises(ValueError, match="broadcast"):
        mx.fast.swiglu(mx.ones(3), mx.ones(4))
    with pytest.raises(ValueError, match=r"approximate must be one of .* got 'erf'"):
        mx.fast.gelu(x, approximate="erf")


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@functions
def test_transformations_are_mlx_s(dtype: mx.Dtype, ours: Callable, exact: Callable) -> None:
    x = numbers((3, 20), dtype) / 4

    def loss(x):
        return (ours(x) * x).sum()

    with cpu_kernels(False):
        theirs = mx.grad(loss)(x), mx.jvp(ours, [x], [x])[1][0], ours(x)
        mx.eval(theirs)
    assert_close(mx.grad(loss)(x), theirs[0])
    assert_close(mx.jvp(ours, [x], [x])[1][0], theirs[1])
    assert_close(mx.vmap(ours)(x), theirs[2])
    for shapeless in (False, True):
        assert_close(mx.compile(ours, shapeless=shapeless)(x), theirs[2])


@gates
def test_gradients_of_gates_are_mlx_s(ours: Callable, exact: Callable) -> None:
    gate, x = numbers((3, 20)), numbers((3, 20), seed=1)

    def loss(gate, x):
        return (ours(gate, x) * x).sum()

    with cpu_kernels(False):
        theirs = mx.grad(loss, argnums=(0, 1))(gate, x)
        mx.eval(theirs)
    for a, b in zip(mx.grad(loss, argnums=(0, 1))(gate, x), theirs, strict=True):
        assert_close(a, b)
    mapped = mx.vmap(ours, in_axes=(1, 1), out_axes=1)(gate, x)
    assert_close(mapped, exact(wide(gate), wide(x)))


def test_functions_that_differ_are_not_taken_for_one() -> None:
    x = numbers((20,))

    def f(x):
        return mx.fast.gelu(x) - mx.fast.gelu(x, approximate="tanh"), mx.exp(x) - mx.sigmoid(x)

    for a, b in zip(mx.compile(f)(x), f(x), strict=True):
        assert_close(a, b)
