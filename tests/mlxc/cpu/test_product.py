"""Matrix products by kernels are those of float64, for every layout, and by row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.kernels import FLOATS, cpu_kernels, instruction_sets
from support.products import TOLERANCE, assert_product, exact, graph, numbers

import mlxc as mx

pytestmark = pytest.mark.native

BEST = mx.cpu_kernels().instruction_set


@pytest.mark.parametrize("instruction_set", instruction_sets())
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(
    "shape",
    [
        (1, 1, 1),
        (1, 17, 33),
        (1, 9, 9000),
        (2, 100, 7),
        (20, 13, 2100),
        (3, 5, 600),
        (8, 130, 1100),
        (9, 97, 31),
        (200, 150, 530),
    ],
)
def test_products_are_those_of_float64(
    instruction_set: str, dtype: mx.Dtype, transposed: bool, shape: tuple[int, int, int]
) -> None:
    m, n, k = shape
    a = numbers(m, k, dtype=dtype)
    b = numbers(n, k, dtype=dtype).T if transposed else numbers(k, n, dtype=dtype)

    with cpu_kernels(instruction_set=instruction_set):
        assert_product(a @ b, a, b)


def test_products_are_kernels_except_those_that_openblas_computes() -> None:
    few, many, w = numbers(8, 32), numbers(9, 32), numbers(32, 7)

    assert '"CpuMatmul"' in graph(few @ w)
    assert '"CpuMatmul"' not in graph(many @ w)
    assert '"CpuMatmul"' in graph(many.astype(mx.bfloat16) @ w.astype(mx.bfloat16))
    with cpu_kernels(False):
        assert '"CpuMatmul"' not in graph(few @ w)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("transposed", [False, True])
def test_rows_do_not_depend_on_their_number(dtype: mx.Dtype, transposed: bool) -> None:
    a, w = numbers(101, 1300, dtype=dtype), numbers(70, 1300, dtype=dtype)
    b = w.T if transposed else mx.contiguous(w.T)
    kernels_alone = dtype != mx.float32 or (transposed and BEST == "avx512")
    every = a[: 101 if kernels_alone else 8] @ b

    for begin, end in [(0, 1), (5, 7), (1, 8), (3, 60), (90, 101)]:
        if end <= every.shape[0]:
            assert mx.array_equal(a[begin:end] @ b, every[begin:end])


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
def test_the_number_of_threads_changes_nothing(threads: int) -> None:
    a, w = numbers(50, 800, dtype=mx.bfloat16), numbers(300, 800, dtype=mx.bfloat16)
    with cpu_kernels(threads=1):
        expected = a @ w.T
        mx.eval(expected)

    with cpu_kernels(threads=threads):
        assert mx.array_equal(a @ w.T, expected)


@pytest.mark.parametrize("dtype", FLOATS)
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
        ((2, 4, 5), (5,)),
        ((5,), (2, 5, 6)),
        ((5,), (5,)),
    ],
)
def test_leading_axes_broadcast(
    dtype: mx.Dtype, left: tuple[int, ...], right: tuple[int, ...]
) -> None:
    a, b = numbers(*left, dtype=dtype), numbers(*right, dtype=dtype)

    assert_product(a @ b, a, b)


def test_views_are_read_as_they_lie() -> None:
    big, flat = numbers(6, 40, 50, dtype=mx.bfloat16), numbers(70, 50, dtype=mx.bfloat16)
    views = [
        (big[:, ::2, 3:40], big[0, 3:40, :]),
        (big[:, -1:, :], flat.T),
        (big[1, ::-1, :], flat.T[:, ::2]),
        (big[1], flat[::-1].T),
        (big.transpose(0, 2, 1), big[:, :, :11]),
        (big.transpose(1, 0, 2), big[:2, :6].reshape(6, 2, 50)[:, 0].T),
        (big[0], flat[:1].T),
        (mx.broadcast_to(big[0, :1], (9, 50)), mx.broadcast_to(flat[0, :7], (50, 7))),
        (big[0], mx.broadcast_to(flat[:1].T, (50, 5))),
        (big, mx.broadcast_to(flat.T, (6, 50, 70))),
        (big[:1], mx.broadcast_to(flat.T, (6, 50, 70))),
    ]

    for a, b in views:
        assert_product(a @ b, a, b)


@given(
    m=st.integers(1, 20), n=st.integers(1, 70), k=st.integers(1, 70), which=st.integers(0, 2),
    turned=st.booleans(),
)  # fmt: skip
def test_products_of_any_size_are_right(m: int, n: int, k: int, which: int, turned: bool) -> None:
    dtype = FLOATS[which]
    a, b = numbers(m, k, dtype=dtype), numbers(n, k, dtype=dtype).T
    b = b if turned else mx.contiguous(b)

    assert_product(a @ b, a, b)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("rows", [1, 4, 30])
@pytest.mark.parametrize("shape", [(), (33,), (1, 33), (30, 1), (30, 33)])
def test_addmm_scales_and_adds(dtype: mx.Dtype, rows: int, shape: tuple[int, ...]) -> None:
    a, w = numbers(rows, 40, dtype=dtype), numbers(33, 40, dtype=dtype)
    c = numbers(*shape, dtype=dtype)[:rows] if len(shape) == 2 else numbers(*shape, dtype=dtype)

    y = mx.addmm(c, a, w.T, alpha=0.5, beta=-2.0)

    expected = 0.5 * (exact(a) @ exact(w).T) - 2 * exact(c)
    np.testing.assert_allclose(exact(y), expected, atol=40 * TOLERANCE[dtype])


def test_infinite_numbers_and_nan_stay_in_their_rows() -> None:
    for dtype in FLOATS:
        for rows in (2, 12):
            a = np.ones((rows, 40), dtype=np.float32)
            a[0, 3], a[1, 5] = np.inf, np.nan
            w = mx.ones((20, 40), dtype=dtype)

            y = exact(mx.array(a).astype(dtype) @ w.T)

            assert np.isposinf(y[0]).all()
            assert np.isnan(y[1]).all()
            assert (y[2:] == 40).all()


@pytest.mark.parametrize("dtype", [mx.float32, mx.bfloat16])
def test_gradients_are_those_of_mlx(dtype: mx.Dtype) -> None:
    def loss(a: mx.array, b: mx.array, c: mx.array) -> mx.array:
        return (mx.addmm(c, a, b, alpha=0.5, beta=2.0).astype(mx.float32) ** 2).sum()

    for left, right in [((3, 4, 5), (5, 6)), ((2, 3, 4, 5), (3, 5, 6)), ((4, 5), (5, 6))]:
        a, b = numbers(*left, dtype=dtype), numbers(*right, dtype=dtype)
        c = numbers(6, dtype=dtype)
        found = mx.grad(loss, argnums=(0, 1, 2))(a, b, c)
        mx.eval(found)
        with cpu_kernels(False):
            expected = mx.grad(loss, argnums=(0, 1, 2))(a, b, c)
            mx.eval(expected)
        for one, other in zip(found, expected, strict=True):
            scale = np.abs(exact(other)).max()
            np.testing.assert_allclose(exact(one), exact(other), atol=4 * TOLERANCE[dtype] * scale)


def test_products_can_be_mapped_and_compiled() -> None:
    a, w = numbers(4, 3, 8), numbers(5, 8)

    mapped = mx.vmap(lambda x: x @ w.T)(a)
    compiled = mx.compile(lambda x: x @ w.T, shapeless=True)

    assert_product(mapped, a, w.T)
    for rows in (1, 3, 40):
        x = numbers(rows, 8)
        assert_product(compiled(x), x, w.T)


def test_what_does_not_fit_is_refused_as_by_mlx() -> None:
    cases = [((2, 3), (2, 3)), ((2, 4, 3), (3, 3, 2)), ((3,), (2, 3)), ((), (3,))]
    for left, right in cases:
        messages = []
        for kernels in (True, False):
            with cpu_kernels(kernels), pytest.raises(ValueError) as raised:
                numbers(*left) @ numbers(*right)
            messages.append(str(raised.value))
        assert messages[0] == messages[1]


def test_other_types_are_left_to_mlx() -> None:
    a = mx.array([[1.0, 2.0]])
    assert (a @ mx.array([[1], [2]])).item() == 5
    assert (a.astype(mx.complex64) @ mx.array([[1j], [2]])).item() == 4 + 1j
    assert (a.astype(mx.float16) @ mx.array([[1.0], [2.0]])).dtype == mx.float32


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("rows", [1, 3, 20])
@pytest.mark.parametrize("transposed", [False, True])
def test_matrices_are_chosen_by_indices(dtype: mx.Dtype, rows: int, transposed: bool) -> None:
    a = numbers(2, 3, rows, 30, dtype=dtype)
    w = numbers(5, 40, 30, dtype=dtype).swapaxes(1, 2)
    w = w if transposed else mx.contiguous(w)
    left, right = mx.array([[0, 5], [4, 1], [2, 2]]), mx.array([3, 0])

    y = mx.gather_mm(a, w, left, right)
    by_default = mx.gather_mm(a[0], w, rhs_indices=mx.array([4, 4, 1]))

    chosen = a.reshape(6, rows, 30)[left]
    assert_product(y, chosen, w[mx.broadcast_to(right, (3, 2))])
    assert_product(by_default, a[0], w[mx.array([4, 4, 1])])


def test_gradients_of_chosen_matrices_are_those_of_mlx() -> None:
    a, w, right = numbers(4, 2, 6), numbers(3, 6, 5), mx.array([2, 0, 0, 1])

    def loss(a: mx.array, w: mx.array) -> mx.array:
        return mx.square(mx.gather_mm(a, w, rhs_indices=right)).sum()

    found = mx.grad(loss, argnums=(0, 1))(a, w)
    with cpu_kernels(False):
        expected = mx.grad(loss, argnums=(0, 1))(a, w)
        mx.eval(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(exact(one), exact(other), atol=1e-5)
