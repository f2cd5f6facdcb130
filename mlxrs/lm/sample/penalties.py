"""Lowering the scores of what was said before: functions over the last axis that keep the dtype.

Logits are `(B, V)` or `(V,)`; `tokens` are ids `(L,)`, the part of the history that counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import mlxc as mx

_LONGEST_REPEAT = 64  # Beyond, a DRY penalty has long outgrown any logit.
_LARGEST_PENALTY = 1e4  # More than logits differ by, and finite in half precision.


def apply_logit_bias(
    logits: mx.array, indices: Sequence[int] | mx.array, values: Sequence[float] | mx.array
) -> mx.array:
    """Add to the scores of some tokens; values for one token add up.

    Args:
        logits: Scores `(..., V)`.
        indices: Token ids.
        values: One for each.

    Raises:
        ValueError: There are not as many values as ids.
    """
    if len(indices) != len(values):
        raise ValueError(
            "logit_bias must have one value for each id, got "
            f"{len(indices)} ids and {len(values)} values"
        )
    ids = indices if isinstance(indices, mx.array) else mx.array(list(indices), mx.uint32)
    biased: mx.array = logits.at[..., ids].add(mx.array(values).astype(logits.dtype))
    return biased


def apply_repetition_penalty(logits: mx.array, tokens: mx.array, penalty: float) -> mx.array:
    """Divide positive and multiply negative scores of the tokens said, once each.

    Source: https://arxiv.org/abs/1909.05858 (CTRL).

    Args:
        logits: Scores `(..., V)`.
        tokens: Ids said, `(L,)`.
        penalty: Finite and >= 0; above 1 makes repetition less likely.

    Raises:
        ValueError: `penalty` is out of range.
    """
    if not 0 <= penalty < math.inf:
        raise ValueError(
            f"penalty must be a finite number >= 0, got {penalty!r}; 1 changes nothing"
        )
    if tokens.size == 0:
        return logits
    said = logits[..., tokens]
    said = mx.where(said < 0, said * penalty, said / penalty)
    return _assigned(logits, tokens, said)


def apply_presence_penalty(logits: mx.array, tokens: mx.array, penalty: float) -> mx.array:
    """Subtract `penalty` from the score of every token said, once each.

    Args:
        logits: Scores `(..., V)`.
        tokens: Ids said, `(L,)`.
        penalty: A finite number; a negative one makes repetition likelier.

    Raises:
        ValueError: `penalty` is not finite.
    """
    _check_finite(penalty)
    if tokens.size == 0:
        return logits
    return _assigned(logits, tokens, logits[..., tokens] - penalty)


def apply_frequency_penalty(logits: mx.array, tokens: mx.array, penalty: float) -> mx.array:
    """Subtract `penalty` from the score of every token for each time it was said.

    Args:
        logits: Scores `(..., V)`.
        tokens: Ids said, `(L,)`.
        penalty: A finite number; a negative one makes repetition likelier.

    Raises:
        ValueError: `penalty` is not finite.
    """
    _check_finite(penalty)
    if tokens.size == 0:
        return logits
    lowered: mx.array = logits.at[..., tokens].subtract(mx.array(penalty, dtype=logits.dtype))
    return lowered


def apply_dry_penalty(
    logits: mx.array,
    tokens: mx.array,
    multiplier: float,
    base: float = 1.75,
    allowed_length: int = 2,
    breakers: mx.array | None = None,
) -> mx.array:
    """Lower the scores of tokens that would go on with a sequence said before.

    A token that once followed the n tokens at the end of the history is lowered by
    `multiplier * base ** (n - allowed_length)` where n reaches `allowed_length`.
    Source: https://github.com/oobabooga/text-generation-webui/pull/5677 (don't repeat yourself).

    Args:
        logits: Scores `(..., V)`.
        tokens: The history, ids `(L,)`.
        multiplier: Finite and >= 0.
        base: Finite and >= 1: the growth with each further token.
        allowed_length: The longest repetition that costs nothing, plus 1; at least 1.
        breakers: Ids `(N,)` that end a sequence: newlines, quotes, colons.

    Raises:
        ValueError: An argument is out of range.
    """
    if not 0 <= multiplier < math.inf:
        raise ValueError(f"multiplier must be a finite number >= 0, got {multiplier!r}; 0 is off")
    if not 1 <= base < math.inf:
        raise ValueError(f"base must be a finite number >= 1, got {base!r}; 1.75 is usual")
    if allowed_length < 1:
        raise ValueError(f"allowed_length must be >= 1, got {allowed_length!r}; 2 is usual")
    L = tokens.size
    if L < 2 or multiplier == 0:
        return logits
    K = min(_LONGEST_REPEAT, L - 1)
    # Row k compares the history with itself: the k-th token before each place with the k-th from
    # the end. A place's run of matches, counted from k = 0 on, is the length of its repetition.
    places = mx.arange(L - 1)[None] - mx.arange(K)[:, None]  # (K, L - 1)
    ending = tokens[L - 1 - mx.arange(K)][:, None]  # (K, 1)
    same = (tokens[mx.maximum(places, 0)] == ending) & (places >= 0)
    if breakers is not None and breakers.size:
        same = same & ~mx.any(ending == breakers[None], axis=-1, keepdims=True)
    length = mx.sum(mx.cumprod(same.astype(mx.int32), axis=0), axis=0)  # (L - 1,)
    power = multiplier * mx.power(base, (length - allowed_length).astype(mx.float32))
    lowered = mx.where(length >= allowed_length, mx.minimum(power, _LARGEST_PENALTY), 0.0)
    penalty: mx.array = mx.zeros((logits.shape[-1],)).at[tokens[1:]].maximum(lowered)
    return (logits.astype(mx.float32) - penalty).astype(logits.dtype)


def _assigned(logits: mx.array, tokens: mx.array, values: mx.array) -> mx.array:
    shape = (*logits.shape[:-1], tokens.size)
    return mx.put_along_axis(logits, mx.broadcast_to(tokens, shape), values, axis=-1)


def _check_finite(penalty: float) -> None:
    if not math.isfinite(penalty):
        raise ValueError(f"penalty must be a finite number, got {penalty!r}; 0 changes nothing")
