"""Matrices, their products in float64, and the graphs they are drawn as."""

from __future__ import annotations

import io

import numpy as np

import mlxc as mx

#: What a sum of products of numbers below 1 may be off by, relative to the sum of their sizes.
TOLERANCE = {mx.float32: 2e-6, mx.float16: 1e-3, mx.bfloat16: 8e-3}


def numbers(*shape: int, dtype: mx.Dtype = mx.float32, seed: int = 0) -> mx.array:
    drawn = np.random.default_rng((seed, *shape)).uniform(-1, 1, shape).astype(np.float32)
    return mx.array(drawn).astype(dtype)


def exact(a: mx.array) -> np.ndarray:
    return np.array(a.astype(mx.float32), dtype=np.float64)


def assert_product(y: mx.array, a: mx.array, b: mx.array) -> None:
    left, right = exact(a), exact(b)
    size = np.abs(left) @ np.abs(right)
    assert y.dtype == a.dtype
    assert y.shape == size.shape
    assert np.all(np.abs(exact(y) - left @ right) <= TOLERANCE[y.dtype] * size + 1e-30)


def graph(*results: mx.array) -> str:
    """The operations that results are made of, as MLX draws them."""
    drawn = io.StringIO()
    mx.export_to_dot(drawn, *results)
    return drawn.getvalue()
