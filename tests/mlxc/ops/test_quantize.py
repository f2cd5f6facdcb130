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
