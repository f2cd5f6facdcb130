"""Closeness by dtype: the one tolerance table of the tests."""

from __future__ import annotations

import numpy as np

import mlxc as mx

# dtype -> (relative, absolute): a few units of the last place, grown over a layer's sums.
# Types that are not here, integers and bool, are compared exactly.
TOLERANCES = {
    mx.float32: (1e-4, 1e-5),
    mx.float16: (2e-3, 2e-3),
    mx.bfloat16: (2e-2, 2e-2),
    mx.float64: (1e-10, 1e-12),
    mx.complex64: (1e-4, 1e-5),
}


def assert_close(actual: mx.array, expected: mx.array | np.ndarray) -> None:
    """Assert equal shapes, and values within the tolerance of the dtype of `actual`."""
    relative, absolute = TOLERANCES.get(actual.dtype, (0, 0))
    wanted = as_numpy(expected) if isinstance(expected, mx.array) else np.asarray(expected)
    assert tuple(actual.shape) == wanted.shape
    np.testing.assert_allclose(as_numpy(actual), wanted, rtol=relative, atol=absolute)


def as_numpy(array: mx.array) -> np.ndarray:
    """Return the values in their own type; bfloat16, which numpy lacks, as float32."""
    return np.array(array.astype(mx.float32) if array.dtype == mx.bfloat16 else array)
