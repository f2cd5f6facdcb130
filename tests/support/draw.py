"""Hypothesis strategies of shapes and of the numbers in them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

LENGTHS = st.integers(1, 4)
SHAPES = st.lists(LENGTHS, max_size=3).map(tuple)
#: The axis argument of a reduction of three axes.
AXES = st.none() | st.integers(-3, 2) | st.sampled_from([(0, 1), (-1, 0), (2, 1, 0), [1]])
SEEDS = st.integers(0, 2**31 - 1)


def floats(shape: tuple[int, ...], seed: int, low: float = -3, high: float = 3) -> np.ndarray:
    """float32 numbers in [low, high), the same for the same seed."""
    return np.random.default_rng(seed).uniform(low, high, shape).astype(np.float32)


def ints(shape: tuple[int, ...], seed: int, low: int = -9, high: int = 10) -> np.ndarray:
    """int32 numbers in [low, high), the same for the same seed."""
    return np.random.default_rng(seed).integers(low, high, shape).astype(np.int32)
