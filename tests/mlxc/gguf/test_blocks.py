"""Quantized blocks become MLX triples and float32 without changing a value."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.gguf import Stored, naive_dequantize, random_stored, rows_of

import mlxc as mx
from mlxc.gguf import AffineTriple, to_affine, to_array, to_float32

KINDS = ["Q4_0", "Q4_1", "Q8_0"]


def dequantized(triple: AffineTriple) -> np.ndarray:
    values = mx.dequantize(
        triple.weight,
        triple.scales.astype(mx.float32),
        triple.biases.astype(mx.float32),
        group_size=32,
        bits=triple.bits,
    )
    return np.array(values)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(5, 96), (1, 32), (3, 2, 64), (700, 320), (0, 32)])
def test_both_forms_equal_the_definition(kind: str, shape: tuple[int, ...]) -> None:
    stored = random_stored(kind, shape, np.random.default_rng(1))
    expected = naive_dequantize(stored)

    triple = to_affine(kind, stored.data, shape)

    assert triple.scales.dtype == triple.biases.dtype == mx.float16
    np.testing.assert_array_equal(np.array(to_float32(kind, stored.data, shape)), expected)
    if expected.size:
        np.testing.assert_array_equal(dequantized(triple), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_the_threads_do_not_change_a_bit(kind: str) -> None:
    stored = random_stored(kind, (1024, 512), np.random.default_rng(2))
    threads = mx.num_threads()
    results = []
    try:
        for count in (1, 4):
            mx.set_num_threads(count)
            triple = to_affine(kind, stored.data, stored.shape)
            floats = to_float32(kind, stored.data, stored.shape)
            results.append([triple.weight, triple.scales, triple.biases, floats])
    finally:
        mx.set_num_threads(threads)

    for alone, shared in zip(*results, strict=True):
        assert mx.array_equal(alone, shared)


@given(bits=st.integers(0, 2**16 - 1), kind=st.sampled_from(["Q4_0", "Q8_0"]))
def test_every_scale_keeps_its_value(bits: int, kind: str) -> None:
    scale = np.uint16(bits).view(np.float16)
    data = np.uint16(bits).tobytes() + bytes(16 if kind == "Q4_0" else 32)

    triple = to_affine(kind, data, (32,))
    floats = np.array(to_float32(kind, data, (32,)))

    with np.errstate(invalid="ignore"):
        bias = np.float32(scale) * np.float32(-8 if kind == "Q4_0" else -128)
    np.testing.assert_array_equal(np.array(triple.scales), [scale])
    np.testing.assert_array_equal(np.array(triple.biases, np.float32), [bias])
    assert triple.scales.dtype == (mx.float16 if not abs(bias) > 65504 else mx.float32)
    with np.errstate(invalid="ignore"):
        expected = np.float32(scale) * np.float32(-8 if kind == "Q4_0" else 0)
    np.testing.assert_array_equal(floats, np.full(32, expected))


@pytest.mark.parametrize(("kind", "scale"), [("Q4_0", 9000.0), ("Q8_0", 600.0)])
def test_bias_beyond_float16_makes_the_triple_float32(kind: str, scale: float) -> None:
    codes = bytes(16 if kind == "Q4_0" else 32)
    stored = Stored(kind, (1, 32), np.float16(scale).tobytes() + codes)

    triple = to_affine(kind, stored.data, stored.shape)

    assert triple.scales.dtype == triple.biases.dtype == mx.float32
    assert triple.biases[0, 0].item() == -scale * (8 if kind == "Q4_0" else 128)


@pytest.mark.reference
@pytest.mark.parametrize("kind", KINDS)
def test_both_forms_equal_the_gguf_package(kind: str) -> None:
    import gguf

    stored = random_stored(kind, (7, 256), np.random.default_rng(2))

    expected = gguf.dequantize(rows_of(stored), gguf.GGMLQuantizationType[kind])

    floats = to_float32(kind, stored.data, stored.shape)
    np.testing.assert_array_equal(np.array(floats), expected)
    np.testing.assert_array_equal(dequantized(to_affine(kind, stored.data, stored.shape)), expected)


@pytest.mark.parametrize("make", [to_affine, to_float32])
def test_blocks_that_do_not_fit_are_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match="kind must be one of Q4_0, Q4_1, Q8_0, got 'Q4_K'"):
        make("Q4_K", bytes(144), (1, 256))
    with pytest.raises(ValueError, match="Q4_1 of shape .* takes 40 bytes, got 20"):
        make("Q4_1", bytes(20), (2, 32))
    with pytest.raises(ValueError, match="a row of Q8_0 must be a multiple of 32"):
        make("Q8_0", bytes(34), (2, 16))


@pytest.mark.parametrize(("kind", "size"), [("F32", 4), ("BF16", 2), ("I64", 8)])
def test_plain_numbers_are_copied_bit_by_bit(kind: str, size: int) -> None:
    content = np.random.default_rng(3).bytes(6 * size)

    value = to_array(kind, content, (2, 3))

    assert value.shape == (2, 3)
    assert bytes(memoryview(value.view(mx.uint8))) == content


def test_plain_numbers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="kind must be one of F32, .*, got 'Q8_0'"):
        to_array("Q8_0", bytes(34), (32,))
    with pytest.raises(ValueError, match="F16 of shape .* takes 6 bytes, got 8"):
        to_array("F16", bytes(8), (3,))
