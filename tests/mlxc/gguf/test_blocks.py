"""Quantized blocks become MLX triples without changing a value."""

from __future__ import annotations

import numpy as np
import pytest
from support.gguf import Stored, naive_dequantize, random_stored, rows_of

import mlxc as mx
from mlxc.gguf import to_affine

KINDS = ["Q4_0", "Q4_1", "Q8_0"]


@pytest.mark.parametrize("kind", KINDS)
def test_triple_dequantized_by_mlx_equals_float32(kind: str) -> None:
    stored = random_stored(kind, (5, 96), np.random.default_rng(1))

    triple = to_affine(kind, rows_of(stored))
    values = mx.dequantize(
        mx.array(triple.weight),
        mx.array(triple.scales).astype(mx.float32),
        mx.array(triple.biases).astype(mx.float32),
        group_size=32,
        bits=triple.bits,
    )

    assert triple.scales.dtype == np.float16
    np.testing.assert_array_equal(np.array(values), naive_dequantize(stored))


@pytest.mark.parametrize(("kind", "scale"), [("Q4_0", 9000.0), ("Q8_0", 600.0)])
def test_bias_beyond_float16_makes_the_triple_float32(kind: str, scale: float) -> None:
    codes = bytes(16 if kind == "Q4_0" else 32)
    stored = Stored(kind, (1, 32), np.float16(scale).tobytes() + codes)

    triple = to_affine(kind, rows_of(stored))

    assert triple.scales.dtype == triple.biases.dtype == np.float32
    assert triple.biases[0, 0] == -scale * (8 if kind == "Q4_0" else 128)


def test_blocks_that_are_not_affine_are_refused() -> None:
    with pytest.raises(ValueError, match="kind must be one of Q4_0, Q4_1, Q8_0, got 'Q4_K'"):
        to_affine("Q4_K", np.zeros((1, 144), np.uint8))
