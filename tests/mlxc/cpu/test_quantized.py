"""Products with quantized matrices: as the matrix that is meant, in both modes, for any rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from support.assert_close import as_numpy
from support.kernels import choose, instruction_sets

import mlxc as mx

pytestmark = pytest.mark.native

FORMS = [("affine", bits, group) for bits in (1, 2, 3, 4, 5, 6, 8) for group in (32, 64, 128)]
FORMS += [("mxfp4", 4, 32), ("mxfp8", 8, 32), ("nvfp4", 4, 16)]
OF_FLOATS = FORMS[-3:]


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    before, threads = mx.cpu_kernels(), mx.num_threads()
    yield
    choose(before)
    mx.set_num_threads(threads)


@pytest.fixture(params=instruction_sets())
def instruction_set(request: pytest.FixtureRequest) -> None:
    mx.cpu_kernels(instruction_set=request.param)


class Quantized:
    """A random quantized matrix, and what it stands for in float64."""

    def __init__(
        self,
        rows: int,
        length: int,
        form: tuple[str, int, int] = ("affine", 4, 32),
        scales: mx.Dtype = mx.float32,
    ) -> None:
        self.mode, self.bits, self.group_size = form
        rng = np.random.default_rng(rows * length)
        w = mx.array(rng.standard_normal((rows, length)).astype(np.float32)).astype(scales)
        self.arrays = mx.quantize(w, self.group_size, self.bits, mode=self.mode)
        whole = [self.arrays[0], *(a.astype(mx.float32) for a in self.arrays[1:])]
        given = whole if self.mode == "affine" else self.arrays
        kind = {"group_size": self.group_size, "bits": self.bits, "mode": self.mode}
        self.floats = np.array(mx.dequantize(*given, **kind, dtype=mx.float32)).astype(np.float64)

    def times(self, x: mx.array, *, transpose: bool = True) -> mx.array:
        return mx.quantized_matmul(
            x,
            *self.arrays,
            transpose=transpose,
            group_size=self.group_size,
            bits=self.bits,
            mode=self.mode,
        )


def draw(*shape: int, dtype: mx.Dtype = mx.float32) -> mx.array:
    rng = np.random.default_rng(sum(shape))
    return mx.array(rng.standard_normal(shape).astype(np.float32)).astype(dtype)


def assert_product(y: mx.array, x: mx.array, w: np.ndarray, error: float = 1e-6) -> None:
    """Each element of y to `error` of what its products' sizes add up to."""
    left = as_numpy(x).astype(np.float64)
    sizes = np.abs(left) @ np.abs(w.T)
    rounding = {mx.float32: 0, mx.float16: 2**-11, mx.bfloat16: 2**-8}[y.dtype]
    exact = left @ w.T
    assert y.shape == exact.shape
    assert (np.abs(as_numpy(y) - exact) <= error * sizes + rounding * np.abs(exact) + 1e-7).all()


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("rows", [1, 3, 11])
def test_products_are_those_with_the_matrix_that_is_meant(
    form: tuple[str, int, int], rows: int, instruction_set: None
) -> None:
    length = 640 + max(form[2], 32)  # MLX packs nvfp4 in pairs of groups alone
    w = Quantized(37, length, form)
    x = draw(rows, length)

    assert_product(w.times(x), x, w.floats)
    mx.cpu_kernels(activations="int16")
    assert_product(w.times(x), x, w.floats, error=2e-5)
    mx.cpu_kernels(activations="int8")
    assert_product(w.times(x), x, w.floats, error=4e-3)


@pytest.mark.parametrize("x_type", [mx.float32, mx.float16, mx.bfloat16])
@pytest.mark.parametrize("scales", [mx.float32, mx.float16, mx.bfloat16])
@pytest.mark.parametrize("form", [("affine", 4, 32), *OF_FLOATS], ids=str)
@pytest.mark.parametrize("transpose", [True, False])
def test_types_are_promoted_and_rounded_once(
    x_type: mx.Dtype,
    scales: mx.Dtype,
    form: tuple[str, int, int],
    transpose: bool,
    instruction_set: None,
) -> None:
    w = Quantized(20, 96, form, scales)
    for rows in (1, 2):
        x = draw(rows, 96 if transpose else 20, dtype=x_type)

        y = w.times(x, transpose=transpose)

        mx.cpu_kernels(False)
        assert y.dtype == w.times(x, transpose=transpose).dtype
        mx.cpu_kernels(True)
        assert_product(y, x, w.floats if transpose else w.floats.T)


@pytest.mark.parametrize("activations", ["float32", "int16", "int8"])
@pytest.mark.parametrize("form", [("affine", 4, 64), ("affine", 8, 32), *OF_FLOATS], ids=str)
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_row_depends_neither_on_other_rows_nor_on_threads(
    activations: str, form: tuple[str, int, int], threads: int, instruction_set: None
) -> None:
    mx.cpu_kernels(activations=activations)
    w = Quantized(130, 832, form)
    x = draw(23, 832)
    mx.set_num_threads(threads)
    together = as_numpy(w.times(x))
    mx.set_num_threads(2)

    for rows in (1, 2, 3, 4, 5, 7, 8, 9):
        np.testing.assert_array_equal(as_numpy(w.times(x[:rows])), together[:rows])


@pytest.mark.parametrize("activations", ["float32", "int16", "int8"])
@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("rows", [1, 3, 11])
def test_products_across_a_matrix_round_nothing(
    activations: str, form: tuple[str, int, int], rows: int, instruction_set: None
) -> None:
    mx.cpu_kernels(activations=activations)
    w = Quantized(300, 640 + max(form[2], 32), form)
    x = draw(rows, 300)

    assert_product(w.times(x, transpose=False), x, w.floats.T)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_row_across_depends_neither_on_other_rows_nor_on_threads(
    threads: int, instruction_set: None
) -> None:
    w = Quantized(600, 832)
    x = draw(23, 600)
    mx.set_num_threads(threads)
    together = as_numpy(w.times(x, transpose=False))
    mx.set_num_threads(2)

    for rows in (1, 3, 8, 9):
        alone = as_numpy(w.times(x[:rows], transpose=False))
        np.testing.assert_array_equal(alone, together[:rows])


def test_products_across_take_what_products_along_do(instruction_set: None) -> None:
    w = Quantized(17, 96)
    wide = draw(6, 4, 34)
    for x in (wide[..., ::2], wide.transpose(1, 0, 2)[:, :, :17], draw(1, 1, 17), draw(0, 17)):
        assert_product(w.times(x, transpose=False), x, w.floats.T)
    every_other = Quantized(34, 96)
    floats, every_other.arrays = every_other.floats[::2], [a[::2] for a in every_other.arrays]
    assert_product(every_other.times(draw(2, 17), transpose=False), draw(2, 17), floats.T)
    x = draw(4, 3, 17)
    assert_product(mx.vmap(lambda x: w.times(x, transpose=False))(x), x, w.floats.T)


@pytest.mark.parametrize("transpose", [True, False])
@pytest.mark.parametrize("words", ["shape", "scales"])
def test_what_does_not_fit_is_refused(transpose: bool, words: str) -> None:
    w = Quantized(20, 96)
    if words == "scales":
        w.arrays[1] = w.arrays[1][:, :-1]
    x = draw(2, 97 if words == "shape" else 96 if transpose else 20)
    with pytest.raises(ValueError, match=words):
        w.times(x, transpose=transpose)


@pytest.mark.parametrize("form", [("mxfp8", 8, 32), ("nvfp4", 4, 16)], ids=str)
@pytest.mark.parametrize("rows", [1, 2, 9])
def test_every_byte_of_a_mode_of_floats_is_what_it_stands_for(
    form: tuple[str, int, int], rows: int, instruction_set: None
) -> None:
    mode, bits, group_size = form
    every = np.arange(256, dtype=np.uint8)[:, None]
    one = {"mxfp8": 127, "nvfp4": 0x38}[mode]
    packed = np.concatenate([every, np.full_like(every, 0x35)]).repeat(32, 1)
    scales = np.concatenate([np.full_like(every, one), every]).repeat(256 // bits // group_size, 1)
    arrays = mx.array(packed).view(mx.uint32), mx.array(scales)
    kind = {"group_size": group_size, "bits": bits, "mode": mode}

    y = as_numpy(mx.quantized_matmul(mx.ones((rows, 256 // bits)), *arrays, **kind))

    mx.cpu_kernels(False)
    floats = np.array(mx.dequantize(*arrays, **kind, dtype=mx.float32))
    with np.errstate(over="ignore"):
        expected = floats.astype(np.float64).sum(1).astype(np.float32)
    np.testing.assert_allclose(y, np.broadcast_to(expected, y.shape), rtol=1e-6)


@pytest.mark.parametrize("rows", [1, 2, 5])
@pytest.mark.parametrize("length", [32, 64, 96, 128, 160, 4128])
def test_lengths_and_numbers_of_rows_may_be_odd(
    rows: int, length: int, instruction_set: None
) -> None:
    for outputs in (1, 15, 17):
        w = Quantized(outputs, length)
        x = draw(rows, length)
        assert_product(w.times(x), x, w.floats)


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 5, 6, 8])
@pytest.mark.parametrize("rows", [1, 3])
def test_the_greatest_sums_of_a_group_fit(bits: int, rows: int, instruction_set: None) -> None:
    packed = mx.array(np.stack([np.zeros(32 * bits // 8), np.full(32 * bits // 8, 255)]))
    packed = packed.astype(mx.uint8).view(mx.uint32)  # (2, bits)
    scales, biases = mx.ones((2, 1)), mx.full((2, 1), -(2.0 ** (bits - 1)))
    w = np.array([[biases[0, 0].item()], [biases[0, 0].item() + 2**bits - 1]]).repeat(32, axis=1)

    for element in (2 - 2**-23, 2**-20 - 2, 1, 1 - 2**-7, -1 + 2**-6):
        x = mx.full((rows, 32), element)
        y = mx.quantized_matmul(x, packed, scales, biases, group_size=32, bits=bits)
        assert_product(y, x, w)


@pytest.mark.parametrize("activations", ["float32", "int16", "int8"])
def test_infinities_meet_what_they_would(activations: str, instruction_set: None) -> None:
    mx.cpu_kernels(activations=activations)
    w = Quantized(20, 96)
    rows = as_numpy(draw(4, 96)).copy()
    rows[0, 3], rows[1, 40], rows[2, 70] = np.inf, -np.inf, np.nan
    x = mx.array(rows)

    y = as_numpy(w.times(x))

    with np.errstate(invalid="ignore"):
        expected = rows.astype(np.float64) @ w.floats.T
    np.testing.assert_array_equal(np.isnan(y), np.isnan(expected))
    np.testing.assert_array_equal(y[:2], expected[:2])
    np.testing.assert_array_equal(y[3:], as_numpy(w.times(x[3:])))


@pytest.mark.parametrize("size", [1e-29, 1e-10, 1e10, 1e33, 1e35, 3e38])
def test_very_small_and_very_great_rows_keep_their_accuracy(
    size: float, instruction_set: None
) -> None:
    w = Quantized(20, 96)
    x = draw(3, 96)
    x = x / mx.max(mx.abs(x)) * size
    small = mx.array([1e-4])
    w.arrays[1:] = [a * small for a in w.arrays[1:]]

    y = as_numpy(w.times(x)).astype(np.float64)

    exact = as_numpy(x).astype(np.float64) @ w.floats.T * 1e-4
    assert np.abs(y - exact).max() <= 1e-6 * np.abs(exact).max()


def test_small_integers_are_multiplied_exactly(instruction_set: None) -> None:
    rng = np.random.default_rng(0)
    integers = rng.integers(0, 15, (40, 128))
    integers[:, ::32], integers[:, 1::32] = 0, 15
    packed, _, _ = mx.quantize(mx.array(integers.astype(np.float32)), 32, 4)
    bytes_ = np.array(packed).view(np.uint8)
    whole = np.stack([bytes_ & 15, bytes_ >> 4], -1).reshape(40, 128).astype(np.float64)
    x = rng.integers(-1000, 1000, (3, 128)).astype(np.float32)
    ones = mx.ones((40, 4))

    y = mx.quantized_matmul(mx.array(x), packed, ones, -3 * ones, group_size=32)

    np.testing.assert_array_equal(np.array(y), x @ (whole.T - 3))


def test_inputs_need_not_be_contiguous(instruction_set: None) -> None:
    w = Quantized(20, 128)
    wide = draw(6, 4, 256)
    for x in (wide[..., ::2], wide.transpose(1, 0, 2)[:, :, :128], wide[0, :1, 128:]):
        assert_product(w.times(x), x, w.floats)
    x = mx.broadcast_to(draw(1, 128), (5, 128))
    assert_product(w.times(x), x, w.floats)

    every_other = Quantized(20, 128)
    every_other.arrays = [a[::2] for a in w.arrays]
    assert_product(every_other.times(x), x, w.floats[::2])


def test_leading_axes_stay(instruction_set: None) -> None:
    w = Quantized(20, 64)
    for shape in ((1, 64), (2, 3, 64), (1, 1, 1, 64)):
        x = draw(*shape)
        assert_product(w.times(x), x, w.floats)
    assert w.times(mx.zeros((0, 64))).shape == (0, 20)


def test_inputs_are_not_changed() -> None:
    w = Quantized(20, 64)
    x = draw(2, 64)
    before = as_numpy(x).copy()
    mx.eval(w.times(x), w.times(mx.exp(mx.log(mx.abs(x)))))
    np.testing.assert_array_equal(as_numpy(x), before)


def test_the_mode_counts_when_the_product_is_asked_for() -> None:
    w, x = Quantized(20, 64), draw(1, 64)
    accurate = w.times(x)
    mx.cpu_kernels(activations="int8")
    rounded = w.times(x)

    mx.cpu_kernels(activations="float32")

    assert_product(accurate, x, w.floats)
    assert np.abs(as_numpy(rounded) - as_numpy(accurate)).max() > 1e-4


@pytest.mark.parametrize("form", [("affine", 4, 32), *OF_FLOATS], ids=str)
@pytest.mark.parametrize("transpose", [True, False])
def test_gradients_reach_the_other_operand(form: tuple[str, int, int], transpose: bool) -> None:
    w = Quantized(20, 64, form)
    x = draw(3, 64 if transpose else 20)
    floats = w.floats.T if transpose else w.floats

    gradient = mx.grad(lambda x: (w.times(x, transpose=transpose) ** 2).sum())(x)

    exact = 2 * (as_numpy(x).astype(np.float64) @ floats) @ floats.T
    np.testing.assert_allclose(as_numpy(gradient), exact, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("transpose", [True, False])
def test_gradients_reach_scales_and_biases(transpose: bool) -> None:
    w, x = Quantized(20, 64), draw(3, 64 if transpose else 20)
    packed, scales, biases = w.arrays

    def loss(scales: mx.array, biases: mx.array) -> mx.array:
        y = mx.quantized_matmul(x, packed, scales, biases, transpose, group_size=32)
        return (y**2).sum()

    with_kernels = mx.grad(loss, argnums=(0, 1))(scales, biases)
    mx.cpu_kernels(False)
    for ours, theirs in zip(
        with_kernels, mx.grad(loss, argnums=(0, 1))(scales, biases), strict=True
    ):
        np.testing.assert_allclose(as_numpy(ours), as_numpy(theirs), rtol=1e-4, atol=1e-3)


def test_products_are_vectorized() -> None:
    w, x = Quantized(20, 64), draw(4, 3, 64)
    assert_product(mx.vmap(w.times)(x), x, w.floats)


@pytest.mark.parametrize("shapeless", [False, True])
def test_products_are_compiled(shapeless: bool) -> None:
    w = Quantized(20, 64)
    compiled = mx.compile(lambda x: w.times(x * 2), shapeless=shapeless)
    for rows in (2, 5):
        x = draw(rows, 64)
        assert_product(compiled(x), x * 2, w.floats)


def test_compiled_functions_of_both_modes_are_told_apart() -> None:
    w, x = Quantized(20, 64), draw(1, 64)

    def both(x: mx.array) -> tuple[mx.array, mx.array]:
        mx.cpu_kernels(activations="int8")
        rounded = w.times(x)
        mx.cpu_kernels(activations="float32")
        return rounded, w.times(x)

    rounded, accurate = mx.compile(both)(x)
    assert np.abs(as_numpy(rounded) - as_numpy(accurate)).max() > 1e-4
