"""Quantized matrices, with the formula of the format as the oracle."""

import numpy as np
import pytest
from support.assert_close import assert_close
from support.draw import floats

import mlxc as mx

MODES = [("mxfp4", 32, 4), ("mxfp8", 32, 8), ("nvfp4", 16, 4)]


def unpacked(packed, bits):
    """The integers in rows of uint32, first in the lowest bits."""
    rows = np.array(packed).view(np.uint8)
    as_bits = np.unpackbits(rows, axis=-1, bitorder="little")
    as_bits = as_bits.reshape(*rows.shape[:-1], -1, bits)
    return as_bits @ (1 << np.arange(bits))


def quantized(shape, seed, **options):
    w = mx.array(floats(shape, seed))
    return w, mx.quantize(w, **options)


@pytest.mark.parametrize("bits", [2, 3, 4, 5, 6, 8])
@pytest.mark.parametrize("group_size", [32, 64, 128])
def test_an_affine_element_is_scale_times_integer_plus_bias(bits, group_size):
    w, (packed, scales, biases) = quantized((3, 256), 1, group_size=group_size, bits=bits)
    q = unpacked(packed, bits).reshape(3, -1, group_size)
    expected = q * np.array(scales)[..., None] + np.array(biases)[..., None]

    result = mx.dequantize(packed, scales, biases, group_size, bits)

    assert packed.dtype == mx.uint32
    assert scales.shape == biases.shape == (3, 256 // group_size)
    assert_close(result, expected.reshape(3, 256))
    step = np.abs(np.array(scales)).max()
    assert np.abs(np.array(result) - np.array(w)).max() <= step


@pytest.mark.parametrize(("mode", "group_size", "bits"), MODES)
def test_a_mode_without_biases_gives_back_what_it_represents(mode, group_size, bits):
    w, parts = quantized((4, 128), 2, mode=mode)

    packed, scales = parts
    once = mx.dequantize(packed, scales, mode=mode, dtype=mx.float32)
    again = mx.dequantize(*mx.quantize(once, mode=mode), mode=mode, dtype=mx.float32)

    assert packed.shape == (4, 128 * bits // 32)
    assert scales.shape == (4, 128 // group_size)
    assert_close(again, once)
    assert np.abs(np.array(once) - np.array(w)).max() < 0.7


@pytest.mark.parametrize("transpose", [True, False])
def test_quantized_matmul_multiplies_with_the_dequantized_matrix(transpose):
    w, parts = quantized((64, 128), 3, group_size=64, bits=4)
    x = mx.array(floats((2, 5, 128 if transpose else 64), 4))
    full = mx.dequantize(*parts, group_size=64, bits=4)

    result = mx.quantized_matmul(x, *parts, transpose=transpose, group_size=64, bits=4)

    np.testing.assert_allclose(
        np.array(result), np.array(x @ (full.T if transpose else full)), rtol=1e-3, atol=1e-3
    )


def test_the_defaults_are_those_of_the_mode():
    w, parts = quantized((2, 64), 5)

    for part, wanted in zip(parts, mx.quantize(w, 64, 4), strict=True):
        assert_close(part, wanted)


@pytest.mark.parametrize("transpose", [True, False])
def test_gather_qmm_multiplies_with_the_chosen_matrices(transpose):
    w, parts = quantized((3, 64, 64), 6)
    full = np.array(mx.dequantize(*parts))
    x = floats((4, 1, 64), 7)
    left, right = mx.array([0, 3], dtype=mx.uint32), mx.array([2, 1], dtype=mx.uint32)

    result = mx.gather_qmm(mx.array(x), *parts, left, right, transpose, sorted_indices=False)

    chosen = full[[2, 1]].swapaxes(-1, -2) if transpose else full[[2, 1]]
    np.testing.assert_allclose(np.array(result), x[[0, 3]] @ chosen, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("mode", ["mxfp8", "nvfp4"])
def test_qqmm_quantizes_its_first_factor(mode):
    x, w = mx.array(floats((1, 64), 8)), mx.array(floats((32, 64), 9))

    def rounded(a):
        return mx.dequantize(*mx.quantize(a, mode=mode), mode=mode, dtype=mx.float32)

    result = mx.qqmm(x, *mx.quantize(w, mode=mode), mode=mode)

    np.testing.assert_allclose(
        np.array(result), np.array(rounded(x) @ rounded(w).T), rtol=1e-3, atol=1e-3
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "int4"}, "int4"),
        ({"group_size": 7}, "7"),
        ({"bits": 9}, "bits"),
        ({"group_size": 64, "mode": "mxfp4"}, "group"),
    ],
    ids=str,
)
def test_what_a_mode_does_not_have_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        mx.quantize(mx.ones((2, 128)), **options)


def test_biases_that_are_no_array_are_named():
    packed, scales, _ = mx.quantize(mx.ones((2, 64)))

    with pytest.raises(TypeError, match="biases must be an array or None, got int"):
        mx.dequantize(packed, scales, 0)


# --- the number formats of the modes without biases ---


def small_float(code, exponent_bits, mantissa_bits, bias):
    """A number of few bits without infinities: the sign, the exponent, the mantissa."""
    sign = -1.0 if code >> (exponent_bits + mantissa_bits) else 1.0
    exponent = (code >> mantissa_bits) & (2**exponent_bits - 1)
    mantissa = (code & (2**mantissa_bits - 1)) / 2**mantissa_bits
    if exponent == 0:
        return sign * mantissa * 2.0 ** (1 - bias)
    return sign * (1 + mantissa) * 2.0 ** (exponent - bias)


E2M1 = np.array([small_float(code, 2, 1, 1) for code in range(16)])
E4M3 = np.array([small_float(code, 4, 3, 7) for code in range(256)])
E4M3[[0x7F, 0xFF]] = np.nan
E8M0 = 2.0 ** (np.arange(256) - 127.0)
FORMATS = {"mxfp4": (E2M1, E8M0), "mxfp8": (E4M3, E8M0), "nvfp4": (E2M1, E4M3)}


@pytest.mark.parametrize(("mode", "group_size", "bits"), MODES)
def test_an_element_is_its_code_times_its_scale(mode, group_size, bits):
    elements, scales_of = FORMATS[mode]
    codes = np.arange(128) % len(elements)
    codes[np.isnan(elements[codes])] = 0
    in_bytes = codes if bits == 8 else codes[::2] | codes[1::2] << 4
    packed = in_bytes.astype(np.uint8).reshape(1, -1).view(np.uint32)
    chosen = np.array([[0x38, 0x40, 0x31, 0x30, 0x48, 0x3F, 0x35, 0x39]], np.uint8)
    if mode != "nvfp4":
        chosen = chosen + 80  # exponents near 0
    chosen = chosen[:, : 128 // group_size]

    result = mx.dequantize(mx.array(packed), mx.array(chosen), mode=mode, dtype=mx.float32)

    expected = elements[codes].reshape(-1, group_size) * scales_of[chosen[0]][:, None]
    assert_close(result, expected.reshape(1, 128))


@pytest.mark.parametrize(("mode", "group_size", "bits"), MODES)
def test_quantizing_takes_the_nearest_number_of_the_format(mode, group_size, bits):
    elements, scales_of = FORMATS[mode]
    w, (packed, scales) = quantized((4, 128), 20, mode=mode)
    steps = scales_of[np.array(scales)].repeat(group_size, -1)
    candidates = steps[..., None] * elements[~np.isnan(elements)]

    result = np.array(mx.dequantize(packed, scales, mode=mode, dtype=mx.float32))

    nearest = np.abs(candidates - np.array(w)[..., None]).min(-1)
    np.testing.assert_allclose(np.abs(result - np.array(w)), nearest, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("mode", "group_size", "bits"), MODES)
def test_products_of_a_mode_are_those_of_its_numbers(mode, group_size, bits):
    w, parts = quantized((64, 128), 21, mode=mode)
    full = np.array(mx.dequantize(*parts, mode=mode, dtype=mx.float32))
    x = floats((3, 128), 22)

    result = mx.quantized_matmul(mx.array(x), *parts, mode=mode)
    turned = mx.quantized_matmul(mx.array(floats((3, 64), 23)), *parts, transpose=False, mode=mode)

    np.testing.assert_allclose(np.array(result), x @ full.T, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(np.array(turned), floats((3, 64), 23) @ full, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("mode", "group_size", "bits"), MODES)
def test_gather_qmm_knows_the_modes(mode, group_size, bits):
    w, parts = quantized((3, 32, 64), 24, mode=mode)
    full = np.array(mx.dequantize(*parts, mode=mode, dtype=mx.float32))
    x = floats((2, 1, 64), 25)

    result = mx.gather_qmm(mx.array(x), *parts, rhs_indices=mx.array([2, 0]), mode=mode)

    expected = x @ full[[2, 0]].swapaxes(-1, -2)
    np.testing.assert_allclose(np.array(result), expected, rtol=1e-3, atol=1e-3)


# --- scales of a whole matrix, which only GPUs compute ---


SCALES = {
    "fitting": (mx.ones((3,)), "Global scale is only supported on the GPU"),
    "single": (mx.array(1.0), r"one entry per expert with shape \(3\)"),
}


@pytest.mark.native
@pytest.mark.parametrize("kind", SCALES)
def test_gather_qmm_takes_a_scale_for_each_matrix_on_a_gpu(kind):
    scale, words = SCALES[kind]
    _, parts = quantized((3, 32, 64), 26, mode="nvfp4")
    x, chosen = mx.array(floats((2, 1, 64), 27)), mx.array([2, 0])

    with pytest.raises(ValueError, match=words):
        mx.gather_qmm(
            x, *parts, rhs_indices=chosen, mode="nvfp4", global_scale=scale, stream=mx.cpu
        )


def test_a_scale_for_each_matrix_is_an_array():
    _, parts = quantized((3, 32, 64), 26, mode="nvfp4")

    with pytest.raises(TypeError, match="global_scale must be an array or None, got float"):
        mx.gather_qmm(mx.ones((2, 1, 64)), *parts, mode="nvfp4", global_scale=1.0)


@pytest.mark.native
@pytest.mark.parametrize("mode", ["nvfp4", "mxfp8"])
@pytest.mark.parametrize("ready", [True, False], ids=["quantized", "floating"])
def test_gather_qqmm_knows_its_shape_and_needs_a_gpu(mode, ready):
    w, (packed, scales) = quantized((3, 32, 64), 28, mode=mode)
    x = mx.array(floats((4, 1, 64), 29))
    left, right = mx.array([0, 3]), mx.array([2, 1])

    result = mx.gather_qqmm(
        x,
        packed if ready else w,
        scales if ready else None,
        left,
        right,
        mode=mode,
        sorted_indices=True,
        stream=mx.cpu,
    )

    assert result.shape == (2, 1, 32)
    with pytest.raises(RuntimeError, match="GatherQQMM"):
        mx.eval(result)


@pytest.mark.native
def test_gather_qqmm_refuses_what_does_not_fit():
    _, (packed, scales) = quantized((3, 32, 64), 30, mode="nvfp4")
    x = mx.ones((2, 1, 64))

    with pytest.raises(ValueError, match="incompatible"):
        mx.gather_qqmm(x, packed, scales, rhs_indices=mx.array([0, 1]), mode="affine")
    with pytest.raises(TypeError, match="rhs_indices must be an array or None, got list"):
        mx.gather_qqmm(x, packed, scales, rhs_indices=[0, 1])


def test_products_without_rows_are_empty():
    """MLX would divide by the number of rows."""
    w, packed = quantized((2, 8, 128), 1)
    none = mx.zeros((2, 0, 128))

    assert mx.quantized_matmul(none, *packed).tolist() == [[], []]
    assert mx.gather_qmm(none, *packed).tolist() == [[], []]


@pytest.mark.parametrize("mode", [None, 3])
def test_a_mode_that_is_no_string_is_refused(mode):
    with pytest.raises(TypeError, match="mode must be a string"):
        mx.quantize(mx.ones((2, 64)), mode=mode)


@pytest.mark.native
def test_a_quantized_matrix_needs_its_scales():
    with pytest.raises(ValueError, match="scales must be given"):
        mx.gather_qqmm(mx.ones((5, 32)), mx.zeros((2, 3, 4), mx.uint32))


def test_nothing_can_be_chosen_from_no_quantized_matrices():
    w, scales = mx.zeros((0, 3, 4), mx.uint32), mx.ones((0, 3, 1), mx.uint8)

    with pytest.raises(ValueError, match="rhs_indices must be empty or None"):
        mx.gather_qmm(mx.ones((2, 1, 32)), w, scales, rhs_indices=mx.array([0, 0]), mode="mxfp4")
