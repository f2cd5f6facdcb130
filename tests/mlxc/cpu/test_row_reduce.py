"""Softmax and reductions of the last axis by kernels, beside numpy in float64 and MLX's own."""

from __future__ import annotations

import numpy as np
import pytest
from support.assert_close import as_numpy, assert_close
from support.kernels import FLOATS, cpu_kernels, instruction_sets

import mlxc as mx

pytestmark = pytest.mark.native

SETS = instruction_sets()
LENGTHS = [1, 2, 15, 16, 33, 100, 1024, 1025, 5000]
SPECIAL = [
    [np.nan, 1.0, 2.0],
    [1.0, np.nan, np.inf],
    [1.0, 2.0, np.nan],
    [-np.inf, -np.inf, -np.inf],
    [-np.inf, 0.0, -np.inf],
    [np.inf, 0.0, 1.0],
    [np.inf, -np.inf, np.inf],
    [0.0, -0.0, 0.0],
    [3e38, -3e38, 3e38],
    [5.0, 5.0, 5.0],
]


def numbers(shape: tuple[int, ...], dtype: mx.Dtype = mx.float32, seed: int = 0) -> mx.array:
    rng = np.random.default_rng(seed)
    return mx.array(4 * rng.standard_normal(shape).astype(np.float32)).astype(dtype)


def wide(x: mx.array) -> np.ndarray:
    return as_numpy(x).astype(np.float64)


def logsumexp(x: np.ndarray, keepdims: bool = False) -> np.ndarray:
    top = x.max(-1, keepdims=True)
    y = np.log(np.exp(x - top).sum(-1, keepdims=True)) + top
    return y if keepdims else y[..., 0]


def softmax(x: np.ndarray) -> np.ndarray:
    return np.exp(x - logsumexp(x, keepdims=True))


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("length", LENGTHS)
def test_rows_of_any_length_are_reduced(name: str, dtype: mx.Dtype, length: int) -> None:
    x = numbers((3, length), dtype)
    with cpu_kernels(instruction_set=name):
        assert_close(mx.softmax(x, axis=-1), softmax(wide(x)))
        assert_close(mx.logsumexp(x, axis=-1), logsumexp(wide(x)))
        assert_close(mx.logsumexp(x, axis=1, keepdims=True), logsumexp(wide(x), keepdims=True))
        assert mx.argmax(x, axis=-1).tolist() == wide(x).argmax(-1).tolist()
        assert mx.argmin(x, axis=1, keepdims=True).tolist() == wide(x).argmin(-1)[:, None].tolist()


@pytest.mark.parametrize("name", SETS)
def test_special_values_are_as_mlx_has_them(name: str) -> None:
    x = mx.array(np.array(SPECIAL, np.float32))

    def all_of(x):
        return (
            mx.softmax(x, axis=-1),
            mx.logsumexp(x, axis=-1),
            mx.argmax(x, axis=-1),
            mx.argmin(x, axis=-1),
        )

    with cpu_kernels(False):
        theirs = [np.array(y) for y in all_of(x)]
    with cpu_kernels(instruction_set=name):
        for ours, their in zip(all_of(x), theirs, strict=True):
            np.testing.assert_allclose(np.array(ours), their, rtol=1e-6)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("place", [0, 5, 1023, 1024, 2999])
def test_the_first_of_equal_elements_and_of_nans_is_found(name: str, place: int) -> None:
    values = np.full(3000, -1.0, np.float32)
    values[place:] = 7.0
    with cpu_kernels(instruction_set=name):
        assert mx.argmax(mx.array(values)).item() == place
        assert mx.argmin(mx.array(-values)).item() == place
        values[place] = np.nan
        values[-1] = np.nan
        assert mx.argmax(mx.array(values)).item() == place
        assert mx.argmin(mx.array(values)).item() == place


VIEWS = {
    "transposed": lambda: numbers((7, 20)).T,
    "heads": lambda: numbers((2, 5, 3, 16)).transpose(0, 2, 1, 3),
    "columns apart": lambda: numbers((4, 40))[:, ::2],
    "backwards": lambda: numbers((4, 40))[:, ::-1],
    "a part of columns": lambda: numbers((4, 40))[:, 3:30],
    "broadcast": lambda: mx.broadcast_to(numbers((3, 1, 8)), (3, 4, 8)),
    "one value for all": lambda: mx.broadcast_to(mx.array(0.5), (3, 20)),
    "one axis": lambda: numbers((17,)),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_views_are_read_as_they_lie(view) -> None:
    x = view()
    assert_close(mx.softmax(x, axis=-1), softmax(wide(x)))
    assert_close(mx.logsumexp(x, axis=-1), logsumexp(wide(x)))
    assert mx.argmax(x, axis=-1).tolist() == wide(x).argmax(-1).tolist()


@pytest.mark.parametrize("precise", [False, True])
def test_other_axes_and_types_go_to_mlx(precise: bool) -> None:
    x = numbers((3, 4, 5))
    first = softmax(np.moveaxis(wide(x), 0, -1))
    assert_close(mx.softmax(x, axis=0, precise=precise), np.moveaxis(first, -1, 0))
    assert_close(mx.softmax(x, precise=precise), softmax(wide(x).reshape(-1)).reshape(x.shape))
    assert_close(mx.softmax(x, axis=(1, 2))[0], softmax(wide(x)[0].reshape(-1)).reshape(4, 5))
    assert_close(mx.logsumexp(x), logsumexp(wide(x).reshape(-1)))
    assert mx.argmax(x).item() == wide(x).argmax()
    assert mx.argmin(x, axis=1).tolist() == wide(x).argmin(1).tolist()
    assert mx.argmax(mx.array([1, 5, 2]), axis=-1).item() == 1
    assert_close(mx.softmax(mx.array([0, 0]), axis=-1), np.array([0.5, 0.5]))
    for name in ("softmax", "logsumexp", "argmax", "argmin"):
        with pytest.raises((ValueError, IndexError), match=r"axis 3"):
            getattr(mx, name)(x, axis=3)


@pytest.mark.parametrize("shape", [(0, 8), (3, 0)])
def test_nothing_is_as_mlx_has_it(shape: tuple[int, ...]) -> None:
    x = mx.zeros(shape)
    assert mx.softmax(x, axis=-1).tolist() == x.tolist()
    for function in (mx.logsumexp, mx.argmax, mx.argmin):
        with cpu_kernels(False), pytest.raises(ValueError, match="empty|zero size") as theirs:
            function(x, axis=-1)
        with pytest.raises(ValueError, match="empty|zero size") as ours:
            function(x, axis=-1)
        assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_row_does_not_depend_on_the_others(threads: int) -> None:
    x = numbers((300, 1000))
    with cpu_kernels(threads=threads):
        together = np.array(mx.softmax(x, axis=-1)), np.array(mx.logsumexp(x, axis=-1))
        for i in (0, 7, 299):
            assert (np.array(mx.softmax(x[i], axis=-1)) == together[0][i]).all()
            assert np.array(mx.logsumexp(x[i], axis=-1)) == together[1][i]


def test_what_is_held_elsewhere_is_not_overwritten() -> None:
    x = numbers((4, 32))
    before = np.array(x)
    mx.eval(mx.softmax(x, axis=-1), mx.softmax(x + 1, axis=-1))
    assert (np.array(x) == before).all()
    assert_close(mx.softmax(x + 1, axis=-1), softmax(wide(x)))


def test_transformations_are_mlx_s() -> None:
    x = numbers((2, 3, 20))

    def loss(x):
        y = mx.softmax(x, axis=-1) * mx.logsumexp(x, axis=-1, keepdims=True)
        return (y * x).sum() + mx.logsumexp(2 * x, axis=-1).sum()

    with cpu_kernels(False):
        gradient, tangent = mx.grad(loss)(x), mx.jvp(loss, [x], [x])[1][0]
        mx.eval(gradient, tangent)
    assert_close(mx.grad(loss)(x), gradient)
    assert_close(mx.jvp(loss, [x], [x])[1][0], tangent)
    for axis in (0, 1):
        mapped = mx.vmap(lambda x: mx.argmax(x, axis=-1), in_axes=axis, out_axes=axis)(x)
        assert mapped.tolist() == wide(x).argmax(-1).tolist()
        mapped = mx.vmap(lambda x: mx.softmax(x, axis=-1), in_axes=axis, out_axes=axis)(x)
        assert_close(mapped, softmax(wide(x)))
        mapped = mx.vmap(lambda x: mx.logsumexp(x, axis=-1), in_axes=axis, out_axes=axis)(x)
        assert_close(mapped, logsumexp(wide(x)))


@pytest.mark.parametrize("shapeless", [False, True])
def test_compiled_functions_have_them(shapeless: bool) -> None:
    def f(x):
        return (
            mx.softmax(x * 1, axis=-1),
            mx.logsumexp(x, axis=-1) - mx.logsumexp(x, axis=-1, keepdims=True)[:, 0],
            mx.argmax(x, axis=-1) + 1000 * mx.argmin(x, axis=-1),
        )

    compiled = mx.compile(f, shapeless=shapeless)
    for rows in (1, 5):
        x = numbers((rows, 20), seed=rows)
        for a, b in zip(compiled(x), f(x), strict=True):
            assert_close(a, b)
