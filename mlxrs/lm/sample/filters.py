"""Forbidding tokens by their probability: functions over the last axis that keep the dtype.

Each takes log-probabilities `(..., V)` and returns them with -inf at what it forbids. At least
the likeliest token stays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import mlxc as mx


def apply_top_p(logprobs: mx.array, top_p: float) -> mx.array:
    """Keep the likeliest tokens that together reach the probability `top_p`.

    Source: https://arxiv.org/abs/1904.09751 (nucleus sampling).

    Args:
        logprobs: Normalised log-probabilities `(..., V)`.
        top_p: Above 0 and at most 1, which keeps all.

    Raises:
        ValueError: `top_p` is out of range.
    """
    if not 0 < top_p <= 1:
        raise ValueError(f"top_p must be above 0 and at most 1, got {top_p!r}; 1 keeps all")
    return mx.fast.keep_top_p(logprobs, top_p)


def apply_min_p(logprobs: mx.array, min_p: float, min_tokens_to_keep: int = 1) -> mx.array:
    """Forbid tokens below `min_p` times the probability of the likeliest one.

    Source: https://arxiv.org/abs/2407.01082.

    Args:
        logprobs: Scores `(..., V)`; they need not be normalised.
        min_p: From 0, which keeps all, to 1.
        min_tokens_to_keep: How many of the likeliest stay in any case, 1 to V.

    Raises:
        ValueError: An argument is out of range.
    """
    if not 0 <= min_p <= 1:
        raise ValueError(f"min_p must be in [0, 1], got {min_p!r}; 0 keeps all")
    V = logprobs.shape[-1]
    if not 1 <= min_tokens_to_keep <= V:
        raise ValueError(
            f"min_tokens_to_keep must be in [1, {V}], the size of the vocabulary, got "
            f"{min_tokens_to_keep}"
        )
    if min_p == 0:
        return logprobs
    least = mx.max(logprobs, axis=-1, keepdims=True) + math.log(min_p)
    if min_tokens_to_keep > 1:
        least = mx.minimum(least, _kth_largest(logprobs, min_tokens_to_keep))
    return _forbid(logprobs, logprobs < least)


def apply_typical_p(logprobs: mx.array, typical_p: float) -> mx.array:
    """Keep the tokens whose surprise is nearest to the expected one, up to `typical_p`.

    Source: https://arxiv.org/abs/2202.00666 (locally typical sampling).

    Args:
        logprobs: Normalised log-probabilities `(..., V)`.
        typical_p: The probability to reach, above 0 and at most 1, which keeps all.

    Raises:
        ValueError: `typical_p` is out of range.
    """
    if not 0 < typical_p <= 1:
        raise ValueError(f"typical_p must be above 0 and at most 1, got {typical_p!r}; 1 keeps all")
    wide = logprobs.astype(mx.float32)
    probs = mx.exp(wide)
    entropy = -mx.sum(mx.where(probs > 0, probs * wide, 0.0), axis=-1, keepdims=True)
    order = mx.argsort(mx.abs(-wide - entropy), axis=-1)
    ordered = mx.take_along_axis(probs, order, axis=-1)
    # A token is kept while those before it have not reached the probability.
    kept = (mx.cumsum(ordered, axis=-1) - ordered) < typical_p
    kept = mx.put_along_axis(mx.zeros(kept.shape, mx.bool_), order, kept, axis=-1)
    return _forbid(logprobs, ~kept)


def apply_xtc(
    logits: mx.array,
    probability: float,
    threshold: float,
    special_tokens: Sequence[int] = (),
    *,
    key: mx.array,
) -> mx.array:
    """Sometimes forbid all of the likely tokens but the least likely of them.

    Source: https://github.com/oobabooga/text-generation-webui/pull/6335 (exclude top choices).

    Args:
        logits: Scores `(..., V)`; they need not be normalised.
        probability: How often, in [0, 1]; one draw decides for the whole call.
        threshold: Tokens above this probability are likely; in [0, 0.5].
        special_tokens: Ids that are never forbidden: those that end a reply, and newlines.
        key: The random key of the draw.

    Raises:
        ValueError: An argument is out of range.
    """
    if not 0 <= probability <= 1:
        raise ValueError(f"probability must be in [0, 1], got {probability!r}; 0 is never")
    if not 0 <= threshold <= 0.5:
        raise ValueError(f"threshold must be in [0, 0.5], got {threshold!r}; 0.1 is usual")
    probs = mx.softmax(logits.astype(mx.float32), axis=-1)
    likely = mx.where(probs > threshold, probs, mx.inf)
    forbidden = probs > mx.min(likely, axis=-1, keepdims=True)
    if special_tokens:
        forbidden[..., mx.array(list(special_tokens))] = False
    draw = mx.random.uniform(key=key)
    return _forbid(logits, forbidden & (draw <= probability))


def apply_top_k(logprobs: mx.array, top_k: int) -> mx.array:
    """Keep the `top_k` likeliest tokens; of equal ones, some.

    Args:
        logprobs: Scores `(..., V)`; they need not be normalised.
        top_k: From 1 to V - 1.

    Raises:
        ValueError: `top_k` is out of range.
    """
    V = logprobs.shape[-1]
    if isinstance(top_k, bool) or not isinstance(top_k, int) or not 0 < top_k < V:
        raise ValueError(
            f"top_k must be in [1, {V - 1}], below the size of the vocabulary, got {top_k!r}"
        )
    return mx.fast.keep_top_k(logprobs, top_k)


def _kth_largest(values: mx.array, k: int) -> mx.array:
    """The k-th largest value of the last axis, which stays with length 1."""
    V = values.shape[-1]
    return mx.partition(values, V - k, axis=-1)[..., V - k : V - k + 1]


def _forbid(logits: mx.array, where: mx.array) -> mx.array:
    return mx.where(where, mx.array(-mx.inf, dtype=logits.dtype), logits)
