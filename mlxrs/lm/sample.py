"""From logits to a token: pure functions over the last axis."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeAlias

import mlxc as mx

from .params import GenConfig

# (B, V) logits -> (B,) token ids
Sampler: TypeAlias = Callable[[mx.array], mx.array]

_SMALLEST_TEMP = 1.2e-38  # Below the least normal float32, dividing by it gives NaN.


def greedy(logits: mx.array) -> mx.array:
    """Return the likeliest token, `(B, V)` to `(B,)`."""
    return mx.argmax(logits, axis=-1)


def categorical(logits: mx.array, temp: float, key: mx.array) -> mx.array:
    """Draw a token from `softmax(logits / temp)`.

    Works in float32 and on differences from the largest logit, so that half precision logits of
    any size and the smallest temperature stay finite.

    Args:
        logits: `(B, V)`.
        temp: Above 0; the smaller, the likelier the likeliest.
        key: A key of `mx.random.key` or `mx.random.split`, used up by this draw.

    Returns:
        Token ids `(B,)`.
    """
    logits = logits.astype(mx.float32)
    logits = logits - mx.max(logits, axis=-1, keepdims=True)
    return mx.random.categorical(logits / max(temp, _SMALLEST_TEMP), key=key)


def make_sampler(params: GenConfig) -> Sampler:
    """Return the sampler a request asks for, with a stream of random keys of its own.

    Equal seeds draw equal tokens from equal logits, whatever else runs in the process.
    """
    if params.temp == 0:
        return greedy
    temp = params.temp
    seed = int.from_bytes(os.urandom(8)) if params.seed is None else params.seed
    key = mx.random.key(seed)

    def draw(logits: mx.array) -> mx.array:
        nonlocal key
        key, subkey = mx.random.split(key)
        return categorical(logits, temp, subkey)

    return draw
