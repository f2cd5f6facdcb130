"""The processors and the sampler that a request's settings ask for."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Sequence
from typing import Protocol, TypeAlias

import mlxc as mx

from ..params import GenConfig
from .filters import apply_min_p, apply_top_k, apply_top_p, apply_typical_p, apply_xtc
from .mirostat import Mirostat
from .penalties import (
    apply_dry_penalty,
    apply_frequency_penalty,
    apply_logit_bias,
    apply_presence_penalty,
    apply_repetition_penalty,
)
from .random import SMALLEST_TEMP, categorical, greedy, step_key

# (tokens (L,), logits (B, V)) -> logits (B, V)
LogitsProcessor: TypeAlias = Callable[[mx.array, mx.array], mx.array]


class Sampler(Protocol):
    """Draws the tokens of a request."""

    def __call__(self, logits: mx.array, index: int) -> mx.array:
        """Return token ids `(B,)` from logits `(B, V)` for the token at `index` of the reply.

        The same logits and index give the same token again.
        """


def make_logits_processors(params: GenConfig) -> list[LogitsProcessor]:
    """Return the processors a request asks for, in the order of the stages; [] for none."""
    found: list[LogitsProcessor] = []
    if bias := params.logit_bias:
        ids = mx.array(list(bias), dtype=mx.uint32)
        values = mx.array(list(bias.values()), dtype=mx.float32)
        found.append(lambda _, logits: apply_logit_bias(logits, ids, values))
    for apply, penalty, window in (
        (apply_repetition_penalty, params.repetition_penalty, params.repetition_context_size),
        (apply_presence_penalty, params.presence_penalty, params.presence_context_size),
        (apply_frequency_penalty, params.frequency_penalty, params.frequency_context_size),
    ):
        if penalty:
            found.append(_penalty(apply, penalty, window))
    if params.dry_multiplier:
        found.append(_dry(params))
    return [*found, *params.logits_processors]


def make_sampler(params: GenConfig) -> Sampler:
    """Return the sampler a request asks for.

    Its draws depend on the seed, on their place in the reply and on the logits, and on nothing
    else. Without a seed one is drawn here.
    """
    if params.sampler is not None:
        own = params.sampler
        return lambda logits, index: own(_normalised(logits))
    if params.temp == 0:
        return lambda logits, index: greedy(logits)
    seed = fresh_seed() if params.seed is None else params.seed
    if params.mirostat_tau is not None:
        return Mirostat(params.mirostat_tau, params.mirostat_eta, params.temp, seed)
    filters = _filters(params, seed)
    temp = params.temp
    return lambda logits, index: categorical(
        _filtered(logits, index, filters), temp, step_key(seed, index)
    )


def make_distribution(params: GenConfig) -> Callable[[mx.array, int], mx.array]:
    """Return a function that tells which distribution the sampler of a request draws from.

    Like the sampler it is a function of logits `(B, V)` and the index of the token; it returns
    log-probabilities, float32 `(B, V)`. A request with Mirostat or a sampler of its own has none.

    Args:
        params: The settings, with a temperature above 0 and a seed.
    """
    filters = _filters(params, params.seed or 0)
    temp = params.temp

    def logprobs(logits: mx.array, index: int) -> mx.array:
        logits = _filtered(logits, index, filters).astype(mx.float32)
        # Differences first: the smallest temperature makes no infinities of them but -inf.
        logits = logits - mx.max(logits, axis=-1, keepdims=True)
        return _normalised(logits / max(temp, SMALLEST_TEMP))

    return logprobs


def fresh_seed() -> int:
    """Return a seed that nobody can foresee."""
    return int.from_bytes(os.urandom(8))


def sampling_kind(params: GenConfig) -> Hashable | None:
    """Return what requests must have in common for `sample_rows`; None where each goes alone."""
    if params.sampler is not None:
        return None
    if params.temp == 0:
        return 0
    # These two depend on more than the logits of the row.
    if params.mirostat_tau is not None or params.xtc_probability:
        return None
    least = params.min_tokens_to_keep if params.min_p else 1
    return params.temp, params.top_p, params.min_p, least, params.typical_p, params.top_k


def sample_rows(params: GenConfig, logits: mx.array, draws: Sequence[tuple[int, int]]) -> mx.array:
    """Draw the tokens of several requests of one `sampling_kind`, each as its own sampler would.

    Args:
        params: Of any of them.
        logits: A row a request, `(B, V)`.
        draws: Of each its seed and the place of the token in its reply.

    Returns:
        Token ids `(B,)`.
    """
    if params.temp == 0:
        return greedy(logits)
    logits = _filtered(logits, 0, _filters(params, seed=0))
    return mx.concatenate(
        [
            categorical(logits[row : row + 1], params.temp, step_key(seed, index))
            for row, (seed, index) in enumerate(draws)
        ]
    )


_Filter: TypeAlias = Callable[[mx.array, int], mx.array]


def _filtered(logits: mx.array, index: int, filters: Sequence[_Filter]) -> mx.array:
    if not filters:
        return logits
    logits = _normalised(logits)
    for apply in filters:
        logits = apply(logits, index)
    return logits


def _filters(params: GenConfig, seed: int) -> list[_Filter]:
    top_p, min_p, keep = params.top_p, params.min_p, params.min_tokens_to_keep
    typical_p, top_k = params.typical_p, params.top_k
    probability, threshold = params.xtc_probability, params.xtc_threshold
    special = tuple(params.xtc_special_tokens)
    found: list[_Filter] = []
    if 0 < top_p < 1:
        found.append(lambda logprobs, _: apply_top_p(logprobs, top_p))
    if min_p:
        found.append(lambda logprobs, _: apply_min_p(logprobs, min_p, keep))
    if 0 < typical_p < 1:
        found.append(lambda logprobs, _: apply_typical_p(logprobs, typical_p))
    if probability:
        found.append(
            lambda logprobs, index: apply_xtc(
                logprobs, probability, threshold, special, key=step_key(seed, index, lane=1)
            )
        )
    if top_k:
        found.append(lambda logprobs, _: apply_top_k(logprobs, top_k))
    return found


def _penalty(
    apply: Callable[[mx.array, mx.array, float], mx.array], penalty: float, window: int
) -> LogitsProcessor:
    # A window of 0 is the whole history, as Python slices it.
    return lambda tokens, logits: apply(logits, tokens[-window:], penalty)


def _dry(params: GenConfig) -> LogitsProcessor:
    multiplier, base = params.dry_multiplier, params.dry_base
    allowed, window = params.dry_allowed_length, params.dry_context_size
    breakers = mx.array(list(params.dry_breakers), dtype=mx.uint32)
    return lambda tokens, logits: apply_dry_penalty(
        logits, tokens[-window:], multiplier, base, allowed, breakers
    )


def _normalised(logits: mx.array) -> mx.array:
    """Log-probabilities in float32."""
    logits = logits.astype(mx.float32)
    return logits - mx.logsumexp(logits, axis=-1, keepdims=True)
