"""Rotary positions by kernels, beside numpy in float64 and MLX's own."""

from __future__ import annotations

import numpy as np
import pytest
from support.assert_close import as_numpy, assert_close
from support.kernels import FLOATS, cpu_kernels, instruction_sets

import mlxc as mx

pytestmark = pytest.mark.native

SETS = instruction_sets()


def numbers(shape: tuple[int, ...], dtype: mx.Dtype = mx.float32, seed: int = 0) -> mx.array:
    rng = np.random.default_rng(seed)
    return mx.array(rng.standard_normal(shape).astype(np.float32)).astype(dtype)


def turned(
    x: mx.array,
    dims: int,
    *,
    traditional: bool = False,
    base: float | None = 10000.0,
    scale: float = 1.0,
    offset: int | list[int] = 0,
    freqs: np.ndarray | None = None,
) -> np.ndarray:
    wide, half = as_numpy(x).astype(np.float64), dims // 2
    periods = base ** (np.arange(half) / half) if freqs is None else freqs.astype(np.float64)
    starts = np.reshape(offset, (-1, 1)) + np.arange(x.shape[-2])  # (B or 1, L)
    angles = scale * starts[..., None] / periods
    angles = angles.reshape(angles.shape[0], *[1] * (x.ndim - 3), *angles.shape[1:])
    first = np.arange(half) * (2 if traditional else 1)
    second = first + (1 if traditional else half)
    a, b = wide[..., first], wide[..., second]
    y = wide.copy()
    y[..., first] = a * np.cos(angles) - b * np.sin(angles)
    y[..., second] = a * np.sin(angles) + b * np.cos(angles)
    return y


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("traditional", [False, True])
@pytest.mark.parametrize(("dims", "D"), [(2, 2), (64, 64), (6, 9), (32, 80), (128, 128), (50, 51)])
def test_pairs_turn(name: str, dtype: mx.Dtype, traditional: bool, dims: int, D: int) -> None:
    with cpu_kernels(instruction_set=name):
        for L, offset in ((1, 700), (5, 0), (9, 3)):
            x = numbers((2, 3, L, D), dtype)
            options = {"traditional": traditional, "base": 1e4, "scale": 0.5, "offset": offset}
            assert_close(mx.fast.rope(x, dims, **options), turned(x, dims, **options))


@pytest.mark.parametrize("traditional", [False, True])
def test_far_positions_are_as_exact_as_near_ones(traditional: bool) -> None:
    x = numbers((1, 2, 3, 64))
    for offset in (0, 100_000, 2_000_000_000):
        options = {"traditional": traditional, "base": 5e5, "scale": 1.0, "offset": offset}
        y = np.array(mx.fast.rope(x, 64, **options))
        np.testing.assert_allclose(y, turned(x, 64, **options), atol=1e-6)


OFFSETS = {
    "one": lambda: mx.array(7),
    "one in an axis": lambda: mx.array([7]),
    "one a sequence": lambda: mx.array([0, 3, 100]),
    "of 8 bytes": lambda: mx.array([1, 2, 3], dtype=mx.int64),
    "of 1 byte": lambda: mx.array([1, 2, 3], dtype=mx.uint8),
    "without a sign": lambda: mx.array([1, 4_000_000_000, 3], dtype=mx.uint32),
    "negative": lambda: mx.array([-5, 0, 5]),
    "a view": lambda: mx.arange(6)[::-2],
    "lazy": lambda: mx.array([1, 2, 3]) * 2,
}


@pytest.mark.parametrize("offset", OFFSETS.values(), ids=OFFSETS.keys())
def test_offsets_may_be_arrays(offset) -> None:
    x, offset = numbers((3, 2, 4, 16)), offset()
    y = mx.fast.rope(x, 16, traditional=False, base=1e4, scale=1.0, offset=offset)
    assert_close(y, turned(x, 16, offset=np.array(offset).astype(np.int64).reshape(-1).tolist()))


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("offset", [2, mx.array([2, 5])], ids=["int", "array"])
def test_frequencies_may_be_given(dtype: mx.Dtype, offset) -> None:
    x, freqs = numbers((2, 2, 3, 16)), mx.array([1.0, 10.0, 7.0, np.inf]).astype(dtype)
    options = {"traditional": True, "base": None, "scale": 2.0, "freqs": freqs}
    y = mx.fast.rope(x, 8, **options, offset=offset)
    starts = offset if isinstance(offset, int) else offset.tolist()
    assert_close(y, turned(x, 8, **{**options, "freqs": as_numpy(freqs)}, offset=starts))


def test_calls_that_differ_in_anything_get_angles_of_their_own() -> None:
    x, freqs = numbers((2, 2, 3, 8)), mx.array([1.0, 2.0, 3.0, 4.0])
    base = {"traditional": False, "base": 100.0, "scale": 1.0, "offset": 1}
    calls = [
        (8, base),
        (6, base),
        (8, {**base, "traditional": True}),
        (8, {**base, "base": 10.0}),
        (8, {**base, "scale": 2.0}),
        (8, {**base, "offset": 2}),
        (8, {**base, "base": None, "freqs": freqs}),
        (8, {**base, "base": None, "freqs": freqs + 1}),
    ]
    for dims, options in [*calls, *reversed(calls)]:
        given = options.get("freqs")
        wanted = {**options, "freqs": None if given is None else np.array(given)}
        assert_close(mx.fast.rope(x, dims, **options), turned(x, dims, **wanted))
        longer = numbers((1, 1, 5, 8), seed=1)
        assert_close(mx.fast.rope(longer, dims, **options), turned(longer, dims, **wanted))


VIEWS = {
    "heads": lambda: numbers((2, 5, 3, 16)).transpose(0, 2, 1, 3),
    "heads of a fused product": lambda: (
        numbers((2, 5, 80))[..., 16:64].reshape(2, 5, 3, 16).transpose(0, 2, 1, 3)
    ),
    "features apart": lambda: numbers((2, 3, 5, 32))[..., ::2],
    "three axes": lambda: numbers((2, 5, 16)),
    "five axes": lambda: numbers((2, 3, 2, 5, 16)).transpose(0, 2, 1, 3, 4),
    "broadcast": lambda: mx.broadcast_to(numbers((2, 1, 5, 16)), (2, 4, 5, 16)),
    "backwards": lambda: numbers((2, 3, 5, 16))[:, :, ::-1],
    "one position": lambda: numbers((2, 1, 3, 16)).transpose(0, 2, 1, 3),
}


@pytest.mark.parametrize("traditional", [False, True])
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_views_are_read_as_they_lie(view, traditional: bool) -> None:
    x = view()
    options = {"traditional": traditional, "base": 1e4, "scale": 1.0}
    y = mx.fast.rope(x, 12, **options, offset=3)
    assert_close(y, turned(x, 12, **options, offset=3))
    y = mx.fast.rope(x, 12, **options, offset=mx.array([3, 8]))
    assert_close(y, turned(x, 12, **options, offset=[3, 8]))


@pytest.mark.parametrize("shape", [(0, 2, 3, 8), (2, 0, 3, 8), (2, 2, 0, 8)])
def test_nothing_stays_nothing(shape: tuple[int, ...]) -> None:
    y = mx.fast.rope(mx.zeros(shape), 8, traditional=False, base=1e4, scale=1.0, offset=0)
    assert tuple(y.shape) == shape
    mx.eval(y)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_long_prompt_turns_as_its_positions_do(threads: int) -> None:
    x = numbers((1, 300, 9, 64)).transpose(0, 2, 1, 3)
    options = {"traditional": False, "base": 1e4, "scale": 1.0}
    with cpu_kernels(threads=threads):
        whole = np.array(mx.fast.rope(x, 64, **options, offset=0))
        for position in (0, 1, 150, 299):
            one = mx.fast.rope(x[:, :, position : position + 1], 64, **options, offset=position)
            assert (np.array(one)[:, :, 0] == whole[:, :, position]).all()


def test_what_is_held_elsewhere_is_not_overwritten() -> None:
    x = numbers((1, 2, 3, 8))
    before = np.array(x)
    options = {"traditional": False, "base": 1e4, "offset": 5}
    mx.eval(mx.fast.rope(x, 8, **options, scale=1.0))
    assert (np.array(x) == before).all()
    there = mx.fast.rope(x * 1, 6, **options, scale=1.0)
    back = mx.fast.rope(there, 6, **options, scale=-1.0)
    del there
    assert_close(back, x)


@pytest.mark.parametrize("offset", [3, mx.array([3, 4])], ids=["int", "array"])
def test_transformations_are_mlx_s(offset) -> None:
    x = numbers((2, 3, 4, 8))

    def f(x):
        return mx.fast.rope(x, 6, traditional=True, base=1e4, scale=1.0, offset=offset)

    def loss(x):
        return (f(x) * x * x).sum()

    with cpu_kernels(False):
        gradient, tangent = mx.grad(loss)(x), mx.jvp(loss, [x], [x])[1][0]
        mapped = mx.vmap(f)(mx.stack([x, 2 * x]))
        mx.eval(gradient, tangent, mapped)
    assert_close(mx.grad(loss)(x), gradient)
    assert_close(mx.jvp(loss, [x], [x])[1][0], tangent)
    assert_close(mx.vmap(f)(mx.stack([x, 2 * x])), mapped)
    for shapeless in (False, True):
        assert_close(mx.compile(f, shapeless=shapeless)(x), f(x))


def test_compiled_functions_follow_an_offset_that_is_an_array() -> None:
    def f(x, offset):
        return mx.fast.rope(x + 0, 8, traditional=False, base=1e4, scale=1.0, offset=offset)

    compiled = mx.compile(f, shapeless=True)
    for L, offset in ((3, 1), (4, 9)):
        x = numbers((1, 2, L, 8))
        assert_close(compiled(x, mx.array(offset)), turned(x, 8, offset=offset))


def test_equal_turns_are_computed_once_and_others_are_not() -> None:
    x = numbers((1, 2, 3, 8))

    def f(x):
        a, b, c = (
            mx.fast.rope(x, dims, traditional=False, base=1e4, scale=1.0, offset=offset)
            for dims, offset in ((8, 1), (8, 2), (6, 1))
        )
        return a - b, a - c

    for a, b in zip(mx.compile(f)(x), f(x), strict=True):
        assert_close(a, b)


def test_what_mlx_refuses_is_refused() -> None:
    x = numbers((2, 3, 4, 8))
    good = {"traditional": False, "base": 1e4, "scale": 1.0, "offset": 0}
    for bad in (
        {"base": None},
        {"freqs": mx.ones(4)},
        {"base": None, "freqs": mx.ones(3)},
        {"offset": mx.array([1, 2, 3])},
        {"offset": mx.array([[1], [2]])},
        {"offset": mx.array(1.5)},
    ):
        with pytest.raises(ValueError, match=r"\[rope\]"):
            mx.fast.rope(x, 8, **{**good, **bad})
    for a in (x[0, 0], x.astype(mx.int32)):
        with pytest.raises(ValueError, match=r"\[rope\]"):
            mx.fast.rope(a, 8, **good)
    with pytest.raises(ValueError, match="rope"):
        mx.fast.rope(x, 7, **good)
    with pytest.raises(ValueError, match="rope"):
        mx.fast.rope(x, 10, **good)
