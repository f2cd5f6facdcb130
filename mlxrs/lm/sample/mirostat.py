"""Mirostat, version 2: text of a steady surprise."""

from __future__ import annotations

import math

import mlxc as mx

from .random import categorical, step_key


class Mirostat:
    """Forbid tokens of more surprise than a bound that follows what was drawn.

    After each token the bound moves by `eta` times what its surprise was beside `tau`. Its past
    is kept for a while, so that drawing again at an earlier place gives the same token.
    Source: https://arxiv.org/abs/2007.14966.

    Args:
        tau: The surprise aimed at, in bits; above 0.
        eta: How fast the bound follows; above 0.
        temp: The temperature, above 0; it applies before the bound.
        seed: Of the draws.
    """

    _KEPT = 128  # More than any speculation looks ahead.

    def __init__(self, tau: float, eta: float, temp: float, seed: int) -> None:
        self._tau, self._eta, self._temp, self._seed = tau, eta, temp, seed
        self._bounds: dict[int, mx.array] = {}  # by the index they are for, (B, 1)

    def __call__(self, logits: mx.array, index: int) -> mx.array:
        """Return token ids `(B,)` from logits `(B, V)`; see `Sampler`."""
        logits = logits.astype(mx.float32) / self._temp
        logprobs = logits - mx.logsumexp(logits, axis=-1, keepdims=True)
        bound = self._bounds.get(index)
        if bound is None:
            bound = mx.full((logits.shape[0], 1), 2 * self._tau)
        likeliest = mx.max(logprobs, axis=-1, keepdims=True)
        allowed = (-logprobs / math.log(2) <= bound) | (logprobs == likeliest)
        logprobs = mx.where(allowed, logprobs, -mx.inf)
        logprobs = logprobs - mx.logsumexp(logprobs, axis=-1, keepdims=True)
        token = categorical(logprobs, 1.0, step_key(self._seed, index))
        surprise = -mx.take_along_axis(logprobs, token[:, None], axis=-1) / math.log(2)
        self._bounds[index + 1] = bound - self._eta * (surprise - self._tau)
        self._bounds.pop(index + 1 - self._KEPT, None)
        return token
