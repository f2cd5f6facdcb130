"""What becomes of guesses: which token is said where another was proposed.

A judge sees the model's scores behind every guess, as if all guesses before were right, and says
which token comes there. Guesses count up to the first that is not what the judge says.

- Exact match: what is said is what plain generation would say. The sampler draws the same token at
  the same place again, so seed and text belong together with and without speculation.
- Probability ratio (Leviathan, Kalman, Matias 2023, https://arxiv.org/abs/2211.17192): a guess
  drawn with probability q where the model gives p is said with probability min(1, p / q), else
  the token is drawn from what p exceeds q by. That leaves the distribution p, whatever q is.
"""

from __future__ import annotations

from typing import Protocol

import mlxc as mx

from .drafter import Acceptance, Draft
from .params import GenConfig
from .pick import Pick, TokenPicker
from .sample import TokenHistory, categorical, make_distribution, step_key

ACCEPT_LANE = 3


class Judge(Protocol):
    """Says which tokens come where others were proposed."""

    @property
    def history(self) -> TokenHistory | None:
        """What the processors look back on; see `TokenPicker`."""

    def __call__(
        self,
        tokens: mx.array,
        logits: mx.array,
        index: int,
        allowed: mx.array | None,
        draft: Draft,
        place: int,
    ) -> Pick:
        """Choose the token behind `tokens`; they and what follows are as for `TokenPicker`.

        Args:
            tokens: The ids the model was shown for these logits and not before, `(L,)`.
            logits: Its scores, `(1, V)`.
            index: The place of the token in the reply, from 0 on.
            allowed: The tokens that may be chosen; None for all.
            draft: The guesses.
            place: Which of them is judged; behind the last one there is nothing to judge.
        """


def make_judge(params: GenConfig, acceptance: Acceptance) -> Judge:
    """Return the judge for a generation.

    Args:
        params: Its settings, with a seed.
        acceptance: The rule.

    Raises:
        ValueError: The rule needs to know a distribution, and the sampler has none to tell.
    """
    if acceptance == "exact" or (params.temp == 0 and params.sampler is None):
        return ExactMatch(params)
    if params.sampler is not None or params.mirostat_tau is not None:
        raise ValueError(
            "acceptance='ratio' needs the distribution tokens are drawn from, which neither "
            "Mirostat nor a sampler of one's own tells; use acceptance='exact'"
        )
    return ProbabilityRatio(params)


class ExactMatch:
    """Says what plain generation would say."""

    def __init__(self, params: GenConfig) -> None:
        self._picker = TokenPicker(params)

    @property
    def history(self) -> TokenHistory | None:
        return self._picker.history

    def __call__(
        self,
        tokens: mx.array,
        logits: mx.array,
        index: int,
        allowed: mx.array | None,
        draft: Draft,
        place: int,
    ) -> Pick:
        return self._picker(tokens, logits, index, allowed)


class ProbabilityRatio:
    """Says a guess as often as its two probabilities allow."""

    def __init__(self, params: GenConfig) -> None:
        self._picker = TokenPicker(params)
        self._distribution = make_distribution(params)
        self._seed = params.seed or 0

    @property
    def history(self) -> TokenHistory | None:
        return self._picker.history

    def __call__(
        self,
        tokens: mx.array,
        logits: mx.array,
        index: int,
        allowed: mx.array | None,
        draft: Draft,
        place: int,
    ) -> Pick:
        scores = self._picker.processed(tokens, logits, allowed)
        if place == draft.tokens.size:
            return self._picker.picked(self._picker.sampled(scores, index), scores)
        guess = draft.tokens[place : place + 1]
        wanted = self._distribution(scores, index)
        proposed = _proposed(draft, place, wanted.shape[-1])
        ratio = mx.take_along_axis(wanted - proposed, guess[:, None].astype(mx.uint32), axis=-1)
        draw = mx.random.uniform(key=step_key(self._seed, index, ACCEPT_LANE))
        excess = mx.maximum(mx.exp(wanted) - mx.exp(proposed), 0)
        # Rounding alone can leave no excess; then both distributions are the same.
        excess = mx.where(excess.sum(axis=-1, keepdims=True) > 0, excess, mx.exp(wanted))
        other = categorical(mx.log(excess), 1.0, step_key(self._seed, index))
        token = mx.where(mx.log(draw) < ratio[0], guess, other)
        return self._picker.picked(token, scores)


def _proposed(draft: Draft, place: int, vocab_size: int) -> mx.array:
    """Return the log-probabilities a guess was drawn from, `(1, V)`."""
    if draft.logprobs is None:
        certain = mx.arange(vocab_size) == draft.tokens[place]
        return mx.where(certain, 0.0, -mx.inf)[None]
    known = draft.logprobs[place : place + 1]
    missing = vocab_size - known.shape[-1]
    return mx.pad(known, [(0, 0), (0, missing)], constant_values=-mx.inf) if missing else known
