"""Quantized blocks become float32 without changing a value."""

from __future__ import annotations

import numpy as np
import pytest
from support.gguf import naive_dequantize, random_stored, rows_of

from mlxrs.loading.gguf_quants import to_float32

KINDS = ["Q4_0", "Q4_1", "Q8_0"]


@pytest.mark.parametrize("kind", KINDS)
def test_float32_equals_the_definition(kind: str) -> None:
    stored = random_stored(kind, (5, 96), np.random.default_rng(0))

    np.testing.assert_array_equal(to_float32(kind, rows_of(stored)), naive_dequantize(stored))


@pytest.mark.reference
@pytest.mark.parametrize("kind", KINDS)
def test_float32_equals_the_gguf_package(kind: str) -> None:
    import gguf

    stored = random_stored(kind, (7, 256), np.random.default_rng(2))

    expected = gguf.dequantize(rows_of(stored), gguf.GGMLQuantizationType[kind])

    np.testing.assert_array_equal(to_float32(kind, rows_of(stored)), expected)
