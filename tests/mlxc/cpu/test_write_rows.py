"""Rows are written in place where nobody else looks, and never where somebody does."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from support.kernels import cpu_kernels, instruction_sets

import mlxc as mx
from mlxc.fast import _composed

pytestmark = pytest.mark.native


@pytest.fixture(autouse=True, params=[True, False], ids=["kernel", "mlx"])
def kernels(request: pytest.FixtureRequest) -> Iterator[bool]:
    before = mx.cpu_kernels().enabled
    mx.cpu_kernels(request.param)
    yield request.param
    mx.cpu_kernels(before)


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("dtype", [mx.float32, mx.bfloat16, mx.uint32, mx.uint8], ids=str)
@pytest.mark.parametrize(("start", "L"), [(0, 1), (3, 4), (5, 3), (0, 8)])
def test_rows_are_written_and_shown(dtype: mx.Dtype, start: int, L: int) -> None:
    old = [numbers(2, 3, 8, D, seed=D) * 9 for D in (4, 5)]
    new = [numbers(2, 3, L, D, seed=D + 1) * 9 for D in (4, 5)]
    old, new = ([np.abs(a).round() for a in arrays] for arrays in (old, new))
    buffers, seen = mx.fast.write_rows(
        [mx.array(a).astype(dtype) for a in old],
        [mx.array(a).astype(dtype) for a in new],
        start,
        start + L,
    )
    for buffer, view, before, row in zip(buffers, seen, old, new, strict=True):
        before[:, :, start : start + L] = row
        assert buffer.dtype == view.dtype == dtype
        np.testing.assert_array_equal(np.array(buffer.astype(mx.float32)), before)
        np.testing.assert_array_equal(np.array(view.astype(mx.float32)), before[:, :, : start + L])
        np.testing.assert_array_equal(
            np.array((view + 0).astype(mx.float32)), before[:, :, : start + L]
        )


def test_nothing_is_shown_unless_it_is_asked_for() -> None:
    buffers, seen = mx.fast.write_rows([mx.zeros((1, 1, 2, 3))], [mx.ones((1, 1, 1, 3))], 1)
    assert len(buffers) == 1
    assert seen == []
    assert buffers[0][0, 0, :, 0].tolist() == [0, 1]


def test_a_step_costs_no_copy_of_the_buffer(kernels: bool) -> None:
    held = [mx.zeros((1, 4, 4096, 64)), mx.zeros((1, 4, 4096, 64))]
    mx.eval(held)
    before = mx.get_active_memory()
    mx.reset_peak_memory()
    for i in range(20):
        held, seen = mx.fast.write_rows(held, [mx.full((1, 4, 1, 64), i)] * 2, i, i + 1)
        assert sum(view.sum().item() for view in seen) == 2 * 256 * i * (i + 1) / 2
        del seen
    assert mx.get_peak_memory() - before < 2**20


def test_what_others_hold_is_not_written_into() -> None:
    buffer = mx.array(numbers(1, 2, 6, 3))
    mx.eval(buffer)
    part, twin = buffer[:, :, 1:4], buffer[...]
    kept = np.array(buffer)
    (first,), (seen,) = mx.fast.write_rows([buffer], [mx.ones((1, 2, 2, 3))], 1, 3)
    mx.eval(first, seen)
    np.testing.assert_array_equal(np.array(buffer), kept)
    np.testing.assert_array_equal(np.array(part), kept[:, :, 1:4])
    np.testing.assert_array_equal(np.array(twin), kept)
    held = np.array(seen)
    (second,), _ = mx.fast.write_rows([first], [mx.zeros((1, 2, 2, 3))], 1)
    del first
    mx.eval(second)
    np.testing.assert_array_equal(np.array(seen), held)


def test_one_buffer_given_twice_becomes_two() -> None:
    buffer = mx.zeros((1, 1, 4, 2))
    new = [mx.ones((1, 1, 1, 2)), mx.full((1, 1, 1, 2), 2.0)]
    (a, b), _ = mx.fast.write_rows([buffer, buffer], new, 2)
    assert a[0, 0, :, 0].tolist() == [0, 0, 1, 0]
    assert b[0, 0, :, 0].tolist() == [0, 0, 2, 0]


def test_buffers_and_rows_may_be_views() -> None:
    whole, rows = numbers(2, 9, 3, 8), numbers(2, 2, 3, 4, seed=1)
    buffer = mx.array(whole).transpose(0, 2, 3, 1)[..., 1:5]  # (2, 3, 8, 4)
    new = mx.array(rows).transpose(0, 2, 1, 3)
    (found,), _ = mx.fast.write_rows([buffer], [new], 3)
    expected = np.array(buffer)
    expected[:, :, 3:5] = rows.transpose(0, 2, 1, 3)
    np.testing.assert_array_equal(np.array(found), expected)
    turned = mx.array(numbers(2, 3, 4, 2)).swapaxes(2, 3)
    (found,), _ = mx.fast.write_rows([found], [turned], 0)
    expected[:, :, :2] = np.array(turned)
    np.testing.assert_array_equal(np.array(found), expected)


@pytest.mark.parametrize("isa", instruction_sets())
@pytest.mark.parametrize("dtype", [mx.float32, mx.float16, mx.bfloat16], ids=str)
def test_float32_rows_are_rounded_to_the_type_of_the_buffer(
    isa: str, dtype: mx.Dtype, kernels: bool
) -> None:
    rows = numbers(2, 3, 5, 37) * np.exp(numbers(2, 3, 5, 37, seed=1) * 9)
    rows[0, 0, 0, :4] = np.inf, -np.inf, 1e9, 3e-8
    for row in (mx.array(rows), mx.array(rows.swapaxes(1, 2).copy()).swapaxes(1, 2)):
        with cpu_kernels(kernels, instruction_set=isa):
            (found,), (seen,) = mx.fast.write_rows([mx.zeros((2, 3, 9, 37), dtype)], [row], 3, 8)
            mx.eval(found, seen)
        assert found.dtype == seen.dtype == dtype
        assert mx.array_equal(seen[:, :, 3:], mx.array(rows).astype(dtype))
        assert mx.array_equal(found[:, :, 8:], mx.zeros((2, 3, 1, 37)))


def test_rows_take_the_type_of_the_buffer_and_may_be_none() -> None:
    (found,), _ = mx.fast.write_rows(
        [mx.zeros((1, 1, 2, 2), mx.float16)], [mx.ones((1, 1, 1, 2))], 0
    )
    assert found.dtype == mx.float16
    assert found[0, 0, :, 0].tolist() == [1, 0]
    (found,), (seen,) = mx.fast.write_rows([found], [mx.zeros((1, 1, 0, 2))], 2, 1)
    assert found[0, 0, :, 0].tolist() == [1, 0]
    assert seen.shape == (1, 1, 1, 2)


def test_gradients_and_compilation_go_through() -> None:
    buffer, row = mx.array(numbers(1, 2, 5, 3)), mx.array(numbers(1, 2, 1, 3, seed=1))

    def loss(buffer: mx.array, row: mx.array) -> mx.array:
        (whole,), (seen,) = mx.fast.write_rows([buffer], [row], 2, 3)
        return (whole**2).sum() + (seen**3).sum()

    def same(buffer: mx.array, row: mx.array) -> mx.array:
        whole = mx.slice_update(buffer, row, mx.array([2]), [2])
        return (whole**2).sum() + (whole[:, :, :3] ** 3).sum()

    for function in (loss, mx.compile(loss)):
        found = mx.grad(function, argnums=(0, 1))(buffer, row)
        for a, b in zip(found, mx.grad(same, argnums=(0, 1))(buffer, row), strict=True):
            np.testing.assert_allclose(np.array(a), np.array(b), rtol=1e-5)
    np.testing.assert_allclose(
        mx.compile(loss)(buffer, row).item(), same(buffer, row).item(), rtol=1e-5
    )
    np.testing.assert_array_equal(np.array(buffer), numbers(1, 2, 5, 3))


def test_what_does_not_fit_is_refused() -> None:
    buffer, row = mx.zeros((1, 2, 4, 3)), mx.zeros((1, 2, 2, 3))
    for buffers, rows, start, shown in (
        ([], [], 0, 0),
        ([buffer], [row, row], 0, 0),
        ([buffer], [row[0]], 0, 0),
        ([buffer], [row[..., :2]], 0, 0),
        ([buffer], [row], 3, 0),
        ([buffer], [row], -1, 0),
        ([buffer], [row], 0, 5),
    ):
        with pytest.raises(ValueError, match=r"\[write_rows\]"):
            mx.fast.write_rows(buffers, rows, start, shown)


def test_what_stands_in_elsewhere_answers_alike() -> None:
    buffer, row = mx.array(numbers(1, 2, 4, 3)), mx.array(numbers(1, 2, 2, 3, seed=1))
    ours, theirs = (
        write([buffer], [row], 1, 3, mx.cpu)
        if write is _composed.write_rows
        else write([buffer], [row], 1, 3)
        for write in (mx.fast.write_rows, _composed.write_rows)
    )
    for (a,), (b,) in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(np.array(a), np.array(b))
    with pytest.raises(ValueError, match="within the buffers"):
        _composed.write_rows([buffer], [row], 3, 0, None)
