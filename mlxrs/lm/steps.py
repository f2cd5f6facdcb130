"""The generation loop: prompt in, one token at a time out."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass, replace

import mlxc as mx

from ..errors import ContextLengthError
from .cache import (
    Cache,
    cached_tokens,
    can_trim_prompt_cache,
    make_prompt_cache,
    rewind_prompt_cache,
)
from .models import LanguageModel
from .params import GenConfig
from .response import FinishReason
from .sample import make_sampler


@dataclass(frozen=True, slots=True)
class Step:
    """One generated token.

    Attributes:
        token: Its id.
        logits: The scores it was chosen by, `(V,)`.
        finish_reason: Why the generation ended with this token; None where it goes on.
    """

    token: int
    logits: mx.array
    finish_reason: FinishReason | None

    @property
    def logprobs(self) -> mx.array:
        """The log-probabilities of every token before any temperature, float32 `(V,)`."""
        logits = self.logits.astype(mx.float32)
        return logits - mx.logsumexp(logits, axis=-1, keepdims=True)


def generate_step(
    model: LanguageModel,
    prompt: Sequence[int] | mx.array,
    *,
    params: GenConfig,
    cache: Sequence[Cache] | None = None,
    eos: Collection[int] = frozenset(),
) -> Generator[Step, None, None]:
    """Generate tokens behind a prompt.

    The prompt but its last token is read in chunks, then a model call gives a token. While a
    token is on its way to the caller the call for the next one already runs; when there is to be
    no next one, its trace in the cache is undone. So at the end, whichever way it comes, `cache`
    holds the prompt and every token yielded but the last. A cache that cannot be trimmed is
    never run ahead of the caller.

    Args:
        model: The model.
        prompt: Token ids, `(L,)`, L >= 1.
        params: The settings, as they are now; later changes do not count.
        cache: The model's caches, holding what comes before the prompt; they are advanced. New
            ones are made where it is None.
        eos: The ids that end the generation. The one that did is yielded too.

    Returns:
        A generator of steps; the last has a `finish_reason`. An error of the model comes out of
        it unchanged, after every token from before. `close()` ends it early.

    Raises:
        ValueError: The prompt is empty or not one-dimensional, or a setting is invalid.
        ContextLengthError: What the cache holds and the prompt exceed the model's context.

    Example:
        for step in generate_step(model, ids, params=GenConfig(max_tokens=8)):
            print(step.token)
    """
    params.validate()
    tokens = prompt if isinstance(prompt, mx.array) else mx.array(list(prompt), dtype=mx.uint32)
    if tokens.ndim != 1 or tokens.size == 0:
        raise ValueError(
            f"prompt must be one row of at least one token id, got shape {tuple(tokens.shape)}; "
            "encode a text that is not empty"
        )
    caches = make_prompt_cache(model) if cache is None else cache
    held = cached_tokens(caches)
    room = room_after(model, held, tokens.size)
    budget = params.max_tokens if room is None else min(params.max_tokens, room)
    return _steps(model, tokens, replace(params), caches, held, budget, eos)


def room_after(model: LanguageModel, held: int, prompt: int) -> int | None:
    """Return how many tokens the context of a model leaves to be generated; None: no limit.

    Args:
        model: The model.
        held: Tokens in its cache.
        prompt: Tokens about to be read behind them.

    Raises:
        ContextLengthError: They do not fit themselves.
    """
    if model.context_length is None:
        return None
    # The token generated last is never read, so it needs no place.
    room = model.context_length - held - prompt + 1
    if room < 1:
        raise ContextLengthError(
            f"the prompt has {prompt} tokens behind {held} cached ones, the context of the model "
            f"holds {model.context_length}; shorten the prompt or clear the history"
        )
    return room


def _steps(
    model: LanguageModel,
    prompt: mx.array,
    params: GenConfig,
    caches: Sequence[Cache],
    held: int,
    budget: int,
    eos: Collection[int],
) -> Generator[Step, None, None]:
    if budget == 0:
        return
    sampler = make_sampler(params)
    rewindable = can_trim_prompt_cache(caches)

    def launch(tokens: mx.array) -> tuple[mx.array, mx.array]:
        """Start the computation of the token behind `tokens` (L,): its id (1,), its logits (V,)."""
        logits = model(tokens[None], caches)[:, -1, :]
        token = sampler(logits)
        mx.async_eval(token)
        return token, logits[0]

    # `held` is what the caches shall hold if the generation ends here.
    try:
        for chunk in _chunks(prompt[:-1], params.prefill_step_size):
            model(chunk[None], caches)
            mx.eval([cache.state for cache in caches])
            held += chunk.size
        token, logits = launch(prompt[-1:])
        held += 1
        for produced in range(1, budget + 1):
            ahead, failure = None, None
            if rewindable and produced < budget:
                try:
                    ahead = launch(token)
                except Exception as error:
                    failure = error
            token_id = int(token.item())
            reason = None
            if token_id in eos:
                reason = FinishReason.EOS
            elif produced == budget:
                reason = FinishReason.LENGTH
            if reason is not None and rewindable:
                rewind_prompt_cache(caches, held)
            yield Step(token_id, logits, reason)
            if reason is not None:
                return
            if failure is not None:
                raise failure
            token, logits = ahead or launch(token)
            held += 1
    finally:
        if rewindable:
            rewind_prompt_cache(caches, held)


def _chunks(tokens: mx.array, size: int) -> Generator[mx.array, None, None]:
    for start in range(0, tokens.size, size):
        yield tokens[start : start + size]
