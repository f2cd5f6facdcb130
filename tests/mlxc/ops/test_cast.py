"""Conversion of types, with numpy as the oracle."""

import numpy as np
import pytest
from support.assert_close import assert_close
from support.draw import floats

import mlxc as mx

TYPES = ["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"]


@pytest.mark.parametrize("name", [*TYPES, "float16", "float32"])
def test_astype_agrees_with_numpy(name):
    x = floats((3, 4), seed=1, low=0, high=100)

    result = mx.astype(mx.array(x), getattr(mx, name))

    assert result.dtype == getattr(mx, name)
    assert_close(result, x.astype(name))


@pytest.mark.parametrize("name", TYPES)
def test_view_reads_the_same_bytes(name):
    x = floats((3, 4), seed=1)

    result = mx.view(mx.array(x), getattr(mx, name))

    np.testing.assert_array_equal(np.array(result), x.view(name))


def test_fp8_holds_small_whole_numbers():
    x = mx.array([0.0, 1, -2, 3, 448])

    stored = mx.to_fp8(x)

    assert stored.dtype == mx.uint8
    assert mx.from_fp8(stored).dtype == mx.bfloat16
    assert_close(mx.from_fp8(stored, mx.float32), x)
