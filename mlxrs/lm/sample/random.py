"""Drawing a token, with a key that the seed and the token's place determine."""

from __future__ import annotations

import math

import mlxc as mx

SMALLEST_TEMP = 1.2e-38  # Below the least normal float32, dividing by it gives NaN.
_MASK = 2**64 - 1
_LANES = 4


def greedy(logits: mx.array) -> mx.array:
    """Return the likeliest token, `(B, V)` to `(B,)`."""
    return mx.argmax(logits, axis=-1)


def categorical(logits: mx.array, temp: float, key: mx.array) -> mx.array:
    """Draw a token from `softmax(logits / temp)`.

    Works in float32 and on differences from the largest logit, so that half precision logits of
    any size and the smallest temperature stay finite.

    Args:
        logits: Floating-point scores `(B, V)`.
        temp: Finite and above 0; the smaller, the likelier the likeliest.
        key: A key of `mx.random.key` or `mx.random.split`, used up by this draw.

    Returns:
        Token ids `(B,)`.

    Raises:
        ValueError: The temperature is not, or the logits are not of at most 32-bit floats.
    """
    if not 0 < temp < math.inf:
        raise ValueError(f"temp must be a finite number > 0, got {temp!r}; for 0 use greedy")
    if logits.dtype not in (mx.float32, mx.float16, mx.bfloat16):
        raise ValueError(
            f"logits must be float32, float16 or bfloat16, got {logits.dtype}; convert them first"
        )
    logits = logits.astype(mx.float32)
    logits = logits - mx.max(logits, axis=-1, keepdims=True)
    return mx.random.categorical(logits / max(temp, SMALLEST_TEMP), key=key)


def step_key(seed: int, index: int, lane: int = 0) -> mx.array:
    """Return the random key of one draw of a request.

    The key depends on nothing but its arguments. So a request draws the same tokens whatever
    else runs beside it, and drawing again at a place that was rewound gives the same token.

    Args:
        seed: The request's, 0 to 2**64 - 1.
        index: The place of the token in the reply, from 0 on.
        lane: Tells several draws for one token apart: 0 to 3.
    """
    # SplitMix64 (Steele, Lea, Flood 2014): neighbouring states give unrelated values.
    state = (seed + (_LANES * index + lane + 1) * 0x9E3779B97F4A7C15) & _MASK
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
    return mx.random.key(state ^ (state >> 31))
