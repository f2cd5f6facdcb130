"""Normalization by kernels, beside numpy in float64 and MLX's own."""

from __future__ import annotations

import io

import numpy as np
import pytest
from support.assert_close import as_numpy, assert_close
from support.kernels import FLOATS, cpu_kernels, instruction_sets

import mlxc as mx

pytestmark = pytest.mark.native

SETS = instruction_sets()
EPS = 1e-3


def numbers(shape: tuple[int, ...], dtype: mx.Dtype = mx.float32, seed: int = 0) -> mx.array:
    rng = np.random.default_rng(seed)
    return mx.array(rng.standard_normal(shape).astype(np.float32) + 0.5).astype(dtype)


def rms(x: mx.array, weight: mx.array | None = None) -> np.ndarray:
    wide = as_numpy(x).astype(np.float64)
    y = wide / np.sqrt((wide**2).mean(-1, keepdims=True) + EPS)
    return y if weight is None else y * as_numpy(weight)


def layer(x: mx.array, weight: mx.array | None, bias: mx.array | None) -> np.ndarray:
    wide = as_numpy(x).astype(np.float64)
    y = wide - wide.mean(-1, keepdims=True)
    y = y / np.sqrt((y**2).mean(-1, keepdims=True) + EPS)
    y = y if weight is None else y * as_numpy(weight)
    return y if bias is None else y + as_numpy(bias)


def kernels_of(y: mx.array) -> bool:
    drawn = io.StringIO()
    mx.export_to_dot(drawn, y)
    return '"Cpu' in drawn.getvalue()


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("length", [1, 3, 7, 16, 64, 65, 100, 576, 1031])
def test_rows_of_any_length_are_normalized(name: str, dtype: mx.Dtype, length: int) -> None:
    x, weight, bias = (numbers(s, dtype, i) for i, s in enumerate([(3, length), *[(length,)] * 2]))
    with cpu_kernels(instruction_set=name):
        assert_close(mx.fast.rms_norm(x, weight, EPS), rms(x, weight))
        assert_close(mx.fast.rms_norm(x, None, EPS), rms(x))
        for w in (weight, None):
            for b in (bias, None):
                assert_close(mx.fast.layer_norm(x, w, b, EPS), layer(x, w, b))


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("weight_dtype", FLOATS, ids=str)
def test_types_promote_as_mlx_has_them(dtype: mx.Dtype, weight_dtype: mx.Dtype) -> None:
    x, weight = numbers((5, 48), dtype), numbers((48,), weight_dtype, 1)
    y = mx.fast.rms_norm(x, weight, EPS)
    z = mx.fast.layer_norm(x, weight, None, EPS)
    assert kernels_of(y)
    assert kernels_of(z)
    assert_close(y, rms(x, weight))
    assert_close(z, layer(x, weight, None))
    with cpu_kernels(False):
        assert y.dtype == z.dtype == mx.fast.rms_norm(x, weight, EPS).dtype


VIEWS = {
    "transposed heads": lambda: numbers((2, 5, 3, 16)).transpose(0, 2, 1, 3),
    "a slice of rows": lambda: numbers((9, 40))[1::3],
    "a slice of columns": lambda: numbers((4, 5, 40))[..., 8:24],
    "columns apart": lambda: numbers((4, 40))[:, ::2],
    "transposed": lambda: numbers((7, 20)).T,
    "broadcast": lambda: mx.broadcast_to(numbers((3, 1, 24)), (2, 3, 4, 24)),
    "one value broadcast": lambda: mx.broadcast_to(mx.array(2.0), (3, 8)),
    "backwards": lambda: numbers((6, 24))[::-1],
    "five axes": lambda: numbers((2, 3, 4, 5, 8)).transpose(3, 1, 0, 2, 4),
    "six axes": lambda: numbers((2, 3, 2, 3, 2, 8)).transpose(4, 2, 0, 3, 1, 5),
    "one axis": lambda: numbers((17,)),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_views_are_read_as_they_lie(view) -> None:
    x = view()
    assert_close(mx.fast.rms_norm(x, None, EPS), rms(x))
    assert_close(mx.fast.layer_norm(x, None, None, EPS), layer(x, None, None))


@pytest.mark.parametrize("shape", [(0, 8), (3, 0), (2, 0, 4)])
def test_nothing_stays_nothing(shape: tuple[int, ...]) -> None:
    assert mx.fast.rms_norm(mx.zeros(shape), None, EPS).tolist() == mx.zeros(shape).tolist()
    assert mx.fast.layer_norm(mx.zeros(shape), None, None, EPS).tolist() == mx.zeros(shape).tolist()


@pytest.mark.parametrize("name", SETS)
def test_rows_with_special_values_are_as_mlx_has_them(name: str) -> None:
    rows = [[np.inf, 1.0], [np.nan, 1.0], [0.0, 0.0], [1e-30, 1e-30], [1e30, 1.0], [-np.inf, 2.0]]
    x = mx.array(np.array(rows, np.float32))
    with cpu_kernels(False):
        theirs = mx.fast.rms_norm(x, None, EPS), mx.fast.layer_norm(x, None, None, EPS)
        mx.eval(theirs)
    with cpu_kernels(instruction_set=name):
        ours = mx.fast.rms_norm(x, None, EPS), mx.fast.layer_norm(x, None, None, EPS)
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(np.array(a), np.array(b), rtol=1e-5)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_row_does_not_depend_on_the_others(threads: int) -> None:
    x, weight, places = numbers((700, 192)), numbers((192,), seed=1), range(0, 700, 99)
    with cpu_kernels(threads=threads):
        together = np.array(mx.fast.rms_norm(x, weight, EPS))
        alone = [np.array(mx.fast.rms_norm(x[i : i + 1], weight, EPS))[0] for i in places]
    assert (together[::99] == np.stack(alone)).all()


def test_what_is_held_elsewhere_is_not_overwritten() -> None:
    x = numbers((4, 32))
    before = np.array(x)
    mx.eval(mx.fast.rms_norm(x, None, EPS), mx.fast.layer_norm(x, None, None, EPS))
    assert (np.array(x) == before).all()

    y = mx.fast.rms_norm(mx.fast.rms_norm(x * 1, None, EPS), None, EPS)  # in place
    assert_close(y, rms(mx.array(rms(x))))


@pytest.mark.parametrize("weighted", [False, True])
def test_gradients_are_mlx_s(weighted: bool) -> None:
    x, weight, bias = numbers((3, 20)), numbers((20,), seed=1), numbers((20,), seed=2)

    def loss(x, weight, bias):
        y = mx.fast.rms_norm(x, weight if weighted else None, EPS)
        z = mx.fast.layer_norm(x, weight if weighted else None, bias if weighted else None, EPS)
        return (y * z * x).sum()

    ours = mx.grad(loss, argnums=(0, 1, 2))(x, weight, bias)
    with cpu_kernels(False):
        theirs = mx.grad(loss, argnums=(0, 1, 2))(x, weight, bias)
        mx.eval(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert_close(a, b)
    _, (tangent,) = mx.jvp(lambda x: loss(x, weight, bias), [x], [x])
    assert_close(tangent, (ours[0] * x).sum())


def test_rows_are_mapped() -> None:
    x, weight = numbers((4, 3, 20)), numbers((20,), seed=1)
    y = mx.vmap(lambda x: mx.fast.rms_norm(x, weight, EPS), in_axes=1, out_axes=1)(x)
    assert_close(y, rms(x, weight))
    y = mx.vmap(lambda x: mx.fast.layer_norm(x, weight, None, EPS), in_axes=1, out_axes=1)(x)
    assert_close(y, layer(x, weight, None))


@pytest.mark.parametrize("shapeless", [False, True])
def test_compiled_functions_have_them(shapeless: bool) -> None:
    weight = numbers((20,), seed=1)

    def f(x):
        y = mx.fast.rms_norm(x * 1, weight, EPS)
        return mx.fast.layer_norm(y + 0, None, weight, EPS)

    compiled = mx.compile(f, shapeless=shapeless)
    for rows in (1, 5):
        x = numbers((rows, 20))
        assert_close(compiled(x), f(x))


def test_equal_norms_are_computed_once_and_others_are_not() -> None:
    x, weight = numbers((2, 8)), numbers((8,), seed=1)

    def f(x):
        return (
            mx.fast.layer_norm(x, weight, None, EPS) - mx.fast.layer_norm(x, None, weight, EPS),
            mx.fast.rms_norm(x, None, EPS) - mx.fast.rms_norm(x, None, 1.0),
        )

    for a, b in zip(mx.compile(f)(x), f(x), strict=True):
        assert_close(a, b)


def test_what_mlx_refuses_is_refused() -> None:
    x = numbers((2, 8))
    for bad in (numbers((7,)), numbers((1, 8)), mx.array(1.0)):
        with pytest.raises(ValueError, match=r"\[rms_norm\]"):
            mx.fast.rms_norm(x, bad, EPS)
        with pytest.raises(ValueError, match=r"\[layer_norm\]"):
            mx.fast.layer_norm(x, None, bad, EPS)
    with pytest.raises(ValueError, match="at least 1 dimension"):
        mx.fast.rms_norm(mx.array(1.0), None, EPS)
    with pytest.raises(ValueError, match="unsupported type"):
        mx.fast.rms_norm(mx.array([1, 2]), None, EPS)


def test_other_types_go_to_mlx() -> None:
    x = numbers((2, 8)).astype(mx.float64, stream=mx.cpu)
    y = mx.fast.rms_norm(x, None, EPS, stream=mx.cpu)
    assert not kernels_of(y)
    np.testing.assert_allclose(np.array(y), rms(x), rtol=1e-6)
