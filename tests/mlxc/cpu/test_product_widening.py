"""float32 times a matrix of 16 bits is the product with the widened matrix, which nobody writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.kernels import cpu_kernels, instruction_sets
from support.products import TOLERANCE, assert_product, exact, graph, numbers

import mlxc as mx

pytestmark = pytest.mark.native

HALVES = (mx.float16, mx.bfloat16)


@pytest.mark.parametrize("instruction_set", instruction_sets())
@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(
    "shape",
    [
        (1, 1, 1),
        (1, 17, 33),
        (1, 200, 1100),
        (1, 9, 5000),
        (2, 100, 7),
        (5, 5, 600),
        (8, 130, 1100),
        (9, 97, 31),
        (130, 150, 530),
        (800, 131, 40),
        (1000, 200, 520),
    ],
)
def test_products_are_those_of_float64(
    instruction_set: str, dtype: mx.Dtype, transposed: bool, shape: tuple[int, int, int]
) -> None:
    m, n, k = shape
    a = numbers(m, k)
    b = numbers(n, k, dtype=dtype).T if transposed else numbers(k, n, dtype=dtype)

    with cpu_kernels(instruction_set=instruction_set):
        assert_product(a @ b, a, b)


@pytest.mark.parametrize("instruction_set", instruction_sets())
@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("rows", [1, 2, 3, 8])
def test_few_rows_have_the_bits_of_the_widened_matrix(
    instruction_set: str, dtype: mx.Dtype, transposed: bool, rows: int
) -> None:
    a, w = numbers(rows, 1300), numbers(70, 1300, dtype=dtype)
    b = w.T if transposed else mx.contiguous(w.T)
    wide = w.astype(mx.float32)
    wide = wide.T if transposed else mx.contiguous(wide.T)

    with cpu_kernels(instruction_set=instruction_set):
        assert mx.array_equal(a @ b, a @ wide)


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("transposed", [False, True])
def test_rows_do_not_depend_on_their_number(dtype: mx.Dtype, transposed: bool) -> None:
    a, w = numbers(101, 1300), numbers(70, 1300, dtype=dtype)
    b = w.T if transposed else mx.contiguous(w.T)
    every = a @ b

    for begin, end in [(0, 1), (5, 7), (1, 8), (3, 60), (90, 101)]:
        assert mx.array_equal(a[begin:end] @ b, every[begin:end])


@pytest.mark.parametrize("threads", [1, 3, 16])
@pytest.mark.parametrize("transposed", [False, True])
def test_the_number_of_threads_changes_nothing(threads: int, transposed: bool) -> None:
    a, w = numbers(1700, 600), numbers(300, 600, dtype=mx.bfloat16)
    b = w.T if transposed else mx.contiguous(w.T)
    with cpu_kernels(threads=2):
        expected = a @ b
        mx.eval(expected)

    with cpu_kernels(threads=threads):
        assert mx.array_equal(a @ b, expected)
    assert_product(expected, a, b)


@pytest.mark.parametrize("rows", [1, 8, 9, 100])
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("dtype", HALVES)
def test_nothing_is_written_wider(dtype: mx.Dtype, transposed: bool, rows: int) -> None:
    a, w = numbers(rows, 512), numbers(2048, 512, dtype=dtype)
    b = w.T if transposed else mx.contiguous(w.T)
    mx.eval(a, b)

    y, sums = a @ b, mx.addmm(mx.zeros((2048,)), a, b)
    drawn = graph(y, sums)
    mx.reset_peak_memory()
    before = mx.get_active_memory()
    mx.eval(y)

    assert drawn.count('"CpuMatmul"') == 2
    assert "AsType" not in drawn
    assert mx.get_peak_memory() - before < w.nbytes


@given(
    m=st.integers(1, 20), n=st.integers(1, 70), k=st.integers(1, 70), which=st.integers(0, 1),
    turned=st.booleans(), step=st.integers(1, 3), back=st.booleans(), batch=st.integers(0, 3),
)  # fmt: skip
def test_products_of_any_size_and_layout_are_right(
    m: int, n: int, k: int, which: int, turned: bool, step: int, back: bool, batch: int
) -> None:
    leading = (batch,) if batch else ()
    a = numbers(*leading, m, 2 * k)[..., ::2]
    w = numbers(*leading, step * n, k + 5, dtype=HALVES[which])[..., ::step, 3 : k + 3]
    b = (w[..., ::-1, :] if back else w).swapaxes(-1, -2)
    b = b if turned else mx.contiguous(b)

    assert_product(a @ b, a, b)


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((2, 3, 4, 5), (5, 6)),
        ((2, 3, 4, 5), (2, 3, 5, 6)),
        ((2, 1, 4, 5), (3, 5, 6)),
        ((4, 5), (2, 3, 5, 6)),
        ((3, 20, 5), (1, 5, 6)),
        ((5,), (5, 6)),
        ((4, 5), (5,)),
        ((5,), (2, 5, 6)),
        ((5,), (5,)),
        ((0, 5), (5, 6)),
        ((4, 5), (5, 0)),
        ((4, 0), (0, 6)),
    ],
)
def test_leading_axes_broadcast_and_may_be_empty(
    dtype: mx.Dtype, left: tuple[int, ...], right: tuple[int, ...]
) -> None:
    a, b = numbers(*left), numbers(*right, dtype=dtype)

    assert_product(a @ b, a, b)


@pytest.mark.parametrize(
    ("left", "right"),
    [(mx.bfloat16, mx.float32), (mx.float16, mx.float32), (mx.float16, mx.bfloat16)],
)
@pytest.mark.parametrize("rows", [1, 30])
def test_other_pairs_of_types_are_float32_too(left: mx.Dtype, right: mx.Dtype, rows: int) -> None:
    a, w = numbers(rows, 40, dtype=left), numbers(33, 40, dtype=right)

    assert_product(a @ w.T, a.astype(mx.float32), w.T)


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("of_c", [mx.float32, mx.bfloat16])
@pytest.mark.parametrize("rows", [1, 4, 30])
@pytest.mark.parametrize("shape", [(), (33,), (1, 33), (30, 1)])
def test_addmm_scales_and_adds(
    dtype: mx.Dtype, of_c: mx.Dtype, rows: int, shape: tuple[int, ...]
) -> None:
    a, w = numbers(rows, 40), numbers(33, 40, dtype=dtype)
    c = numbers(*shape, dtype=of_c)[:rows] if len(shape) == 2 else numbers(*shape, dtype=of_c)

    y = mx.addmm(c, a, w.T, alpha=0.5, beta=-2.0)

    expected = 0.5 * (exact(a) @ exact(w).T) - 2 * exact(c)
    assert y.dtype == mx.float32
    np.testing.assert_allclose(exact(y), expected, atol=40 * TOLERANCE[mx.float32])


@pytest.mark.parametrize("instruction_set", instruction_sets())
@pytest.mark.parametrize("dtype", HALVES)
def test_every_number_of_16_bits_is_widened_exactly(instruction_set: str, dtype: mx.Dtype) -> None:
    every = mx.array(np.arange(1 << 16, dtype=np.uint16)).view(dtype)
    column, row = every[:, None].T, mx.contiguous(every[None])
    expected = every.astype(mx.float32)

    with cpu_kernels(instruction_set=instruction_set):
        for rows in (1, 9):
            for b in (column, row):
                y = mx.ones((rows, 1)) @ b
                assert mx.array_equal(y, mx.broadcast_to(expected, y.shape), equal_nan=True)


@pytest.mark.parametrize("dtype", HALVES)
def test_gradients_are_those_of_mlx_in_the_types_of_their_operands(dtype: mx.Dtype) -> None:
    def loss(a: mx.array, b: mx.array, c: mx.array) -> mx.array:
        return (mx.addmm(c, a, b, alpha=0.5, beta=2.0) ** 2).sum()

    for left, right in [((3, 4, 5), (5, 6)), ((2, 3, 4, 5), (3, 5, 6)), ((20, 5), (5, 6))]:
        a, b, c = numbers(*left), numbers(*right, dtype=dtype), numbers(6)
        found = mx.grad(loss, argnums=(0, 1, 2))(a, b, c)
        mx.eval(found)
        with cpu_kernels(False):
            expected = mx.grad(loss, argnums=(0, 1, 2))(a, b, c)
            mx.eval(expected)
        for one, other in zip(found, expected, strict=True):
            scale = np.abs(exact(other)).max()
            assert one.dtype == other.dtype
            np.testing.assert_allclose(
                exact(one), exact(other), atol=4 * TOLERANCE[one.dtype] * scale
            )


@pytest.mark.parametrize("dtype", HALVES)
def test_forward_derivatives_are_those_of_mlx(dtype: mx.Dtype) -> None:
    a, w, moved = numbers(4, 8), numbers(5, 8, dtype=dtype), numbers(4, 8, seed=1)

    _, [found] = mx.jvp(lambda x: x @ w.T, [a], [moved])

    assert_product(found, moved, w.T)


@pytest.mark.parametrize("dtype", HALVES)
def test_products_can_be_mapped_compiled_and_exported(dtype: mx.Dtype, tmp_path: Path) -> None:
    a, w = numbers(4, 3, 8), numbers(5, 8, dtype=dtype)
    many = numbers(4, 5, 8, dtype=dtype)

    assert_product(mx.vmap(lambda x: x @ w.T)(a), a, w.T)
    assert_product(mx.vmap(lambda x, w: x @ w.T)(a, many), a, many.swapaxes(1, 2))
    compiled = mx.compile(lambda x: x @ w.T, shapeless=True)
    for rows in (1, 3, 40):
        x = numbers(rows, 8)
        assert_product(compiled(x), x, w.T)
    file = str(tmp_path / "product.mlxfn")
    mx.export_function(file, lambda x, w: x @ w.T, a[0], w)
    [y] = mx.import_function(file)(a[0], w)
    assert_product(y, a[0], w.T)


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("rows", [1, 3, 20])
@pytest.mark.parametrize("transposed", [False, True])
def test_matrices_are_chosen_by_indices(dtype: mx.Dtype, rows: int, transposed: bool) -> None:
    a = numbers(2, 3, rows, 30)
    w = numbers(5, 40, 30, dtype=dtype).swapaxes(1, 2)
    w = w if transposed else mx.contiguous(w)
    left, right = mx.array([[0, 5], [4, 1], [2, 2]]), mx.array([3, 0])
    left, right = left.astype(mx.uint32), right.astype(mx.uint32)
    mx.eval(a, w, left, right)

    y = mx.gather_mm(a, w, left, right)

    chosen = a.reshape(6, rows, 30)[left]
    assert "AsType" not in graph(y)
    assert_product(y, chosen, w[mx.broadcast_to(right, (3, 2))])


def test_gradients_of_chosen_matrices_are_those_of_mlx() -> None:
    a, w, right = numbers(4, 2, 6), numbers(3, 6, 5, dtype=mx.bfloat16), mx.array([2, 0, 0, 1])

    def loss(a: mx.array, w: mx.array) -> mx.array:
        return mx.square(mx.gather_mm(a, w, rhs_indices=right)).sum()

    found = mx.grad(loss, argnums=(0, 1))(a, w)
    with cpu_kernels(False):
        expected = mx.grad(loss, argnums=(0, 1))(a, w)
        mx.eval(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        scale = np.abs(exact(other)).max()
        np.testing.assert_allclose(exact(one), exact(other), atol=4 * TOLERANCE[one.dtype] * scale)
