"""The choice of a token: what a request does with the logits of one position."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import mlxc as mx

from .params import GenConfig
from .sample import TokenHistory, fresh_seed, make_logits_processors, make_sampler, sampling_kind


@runtime_checkable
class Constraint(Protocol):
    """What may be said next, as far as it depends on what was said: a grammar, for one."""

    def mask(self) -> mx.array | None:
        """Return which tokens may come next, booleans `(V,)`; None where all may.

        Those beyond the end of the array may not.
        """

    def accept(self, token: int) -> None:
        """Go on to the state behind `token`."""

    def rollback(self, count: int) -> None:
        """Take the last `count` tokens accepted back."""


def check_constraint(constraint: Constraint | None) -> None:
    """Raise TypeError unless it is a constraint, or none."""
    if constraint is not None and not isinstance(constraint, Constraint):
        raise TypeError(
            f"constraint must be a Constraint, got {constraint!r:.80}; "
            "Grammar.regex('yes|no').constraint(tokenizer) makes one of a grammar"
        )


@dataclass(frozen=True, slots=True)
class Pick:
    """A token on its way, and what the request wants to know of it; nothing is evaluated.

    Attributes:
        token: Its id, `(1,)`.
        logits: The scores it was chosen by, after all processors, `(V,)`.
        logprob: Its log-probability, `()`; None where nobody asked.
        top_tokens: The likeliest ids, `(N,)`, likeliest first; None where nobody asked.
        top_logprobs: Their log-probabilities, `(N,)`; None where nobody asked.
    """

    token: mx.array
    logits: mx.array
    logprob: mx.array | None = None
    top_tokens: mx.array | None = None
    top_logprobs: mx.array | None = None

    def arrays(self) -> list[mx.array]:
        """What has to be computed for all this to be known."""
        found = (self.token, self.logprob, self.top_tokens, self.top_logprobs)
        return [array for array in found if array is not None]


class TokenPicker:
    """Processors and sampler of one request, with the tokens the processors look back on.

    Attributes:
        history: The tokens so far, from the last of the prompt on; None where nobody looks back.
        params: The settings.
        seed: That of the settings, or a fresh one.
        kind: What those must share whose tokens are sampled together; None where it goes alone.
    """

    def __init__(self, params: GenConfig) -> None:
        self.params = params
        self.seed = fresh_seed() if params.seed is None else params.seed
        self.kind = sampling_kind(params)
        self._processors = make_logits_processors(params)
        self._sampler = make_sampler(replace(params, seed=self.seed))
        self._top = params.top_logprobs
        self._logprobs = params.collect_logprobs or params.top_logprobs > 0
        self.history = TokenHistory() if self._processors else None

    def __call__(
        self, tokens: mx.array, logits: mx.array, index: int, allowed: mx.array | None = None
    ) -> Pick:
        """Choose the token behind `tokens`.

        Args:
            tokens: The ids the model was shown for these logits and not before, `(L,)`.
            logits: Its scores, `(1, V)`.
            index: The place of the token in the reply, from 0 on.
            allowed: The tokens that may be chosen, booleans `(V,)`; None for all.

        Raises:
            ValueError: A setting does not fit the size of the vocabulary.
        """
        logits = self.processed(tokens, logits, allowed)
        return self.picked(self.sampled(logits, index), logits)

    def forget(self, length: int) -> None:
        """Look back on the first `length` tokens alone, counted as `history` counts them."""
        if self.history is not None:
            self.history.truncate(length)

    def processed(
        self, tokens: mx.array, logits: mx.array, allowed: mx.array | None = None
    ) -> mx.array:
        """Return the logits `(1, V)` the token is sampled from."""
        if self.history is not None:
            self.history.append(tokens)
            for processor in self._processors:
                logits = processor(self.history.tokens, logits)
        if allowed is not None:
            allowed = fitted(allowed, logits.shape[-1])
            logits = mx.where(allowed, logits, mx.array(-mx.inf, dtype=logits.dtype))
        return logits

    def sampled(self, logits: mx.array, index: int) -> mx.array:
        """Return the token `(1,)` drawn from processed logits."""
        return self._sampler(logits, index)

    def picked(self, token: mx.array, logits: mx.array) -> Pick:
        """Return a sampled token with what the request wants to know of it."""
        scores = logits[0]
        if not self._logprobs:
            return Pick(token, scores)
        logprobs = log_softmax(scores)
        if not self._top:
            return Pick(token, scores, logprobs[token[0]])
        if self._top > scores.size:
            raise ValueError(
                f"top_logprobs must be at most {scores.size}, the size of the vocabulary, got "
                f"{self._top}"
            )
        top = mx.argpartition(-logprobs, kth=self._top - 1)[: self._top]
        top = top[mx.argsort(-logprobs[top])]
        return Pick(token, scores, logprobs[token[0]], top, logprobs[top])


def fitted(allowed: mx.array, size: int) -> mx.array:
    """Return a mask for `size` tokens; a model may have more than its tokenizer, or fewer."""
    missing = size - allowed.size
    if missing == 0:
        return allowed
    return mx.pad(allowed, (0, missing)) if missing > 0 else allowed[:size]


def log_softmax(logits: mx.array) -> mx.array:
    """Log-probabilities over the last axis, float32."""
    logits = logits.astype(mx.float32)
    return logits - mx.logsumexp(logits, axis=-1, keepdims=True)
