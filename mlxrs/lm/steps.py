"""The generation loop: prompt in, one token at a time out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Event
from typing import TypeAlias, TypeVar

import mlxc as mx

from ..errors import ContextLengthError
from .cache import (
    Cache,
    cached_tokens,
    make_prompt_cache,
    restore_prompt_cache,
    snapshot_prompt_cache,
)
from .models import LanguageModel
from .params import GenConfig
from .pick import Constraint, Pick, TokenPicker, check_constraint, log_softmax
from .prefill import prefill
from .response import FinishReason, SpeculationStats

T = TypeVar("T")
# (prompt tokens read, prompt tokens to read)
Progress: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Step:
    """One generated token.

    Attributes:
        token: Its id.
        logits: The scores it was chosen by, `(V,)`.
        finish_reason: Why the generation ended with this token; None where it goes on.
        logprob: Its log-probability, before any temperature; None unless collected.
        top_logprobs: The likeliest tokens with theirs, likeliest first; () unless collected.
        from_draft: Whether it was a guess that was accepted.
        speculation: The guesses up to here; None without speculation.
    """

    token: int
    logits: mx.array
    finish_reason: FinishReason | None
    logprob: float | None = None
    top_logprobs: tuple[tuple[int, float], ...] = ()
    from_draft: bool = False
    speculation: SpeculationStats | None = None

    @property
    def logprobs(self) -> mx.array:
        """The log-probabilities of every token before any temperature, float32 `(V,)`."""
        return log_softmax(self.logits)

    @classmethod
    def of(
        cls,
        pick: Pick,
        token: int,
        finish_reason: FinishReason | None,
        from_draft: bool = False,
        speculation: SpeculationStats | None = None,
    ) -> Step:
        """Read a pick whose token is known; waits for it to be computed."""
        logprob = None if pick.logprob is None else float(pick.logprob.item())
        top: tuple[tuple[int, float], ...] = ()
        if pick.top_tokens is not None and pick.top_logprobs is not None:
            top = tuple(zip(pick.top_tokens.tolist(), pick.top_logprobs.tolist(), strict=True))
        return cls(token, pick.logits, finish_reason, logprob, top, from_draft, speculation)


def generate_step(
    model: LanguageModel,
    prompt: Sequence[int] | mx.array,
    *,
    params: GenConfig,
    cache: Sequence[Cache] | None = None,
    eos: Collection[int] = frozenset(),
    constraint: Constraint | None = None,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> Generator[Step, None, None]:
    """Generate tokens behind a prompt.

    The prompt but its last token is read in chunks, then a model call gives a token. While a
    token is on its way to the caller the call for the next one already runs; when there is to be
    no next one, its trace in the cache is undone. So at the end, whichever way it comes, `cache`
    holds the prompt and every token yielded but the last.

    Args:
        model: The model.
        prompt: Token ids, `(L,)`, L >= 1.
        params: The settings, as they are now; later changes do not count. Stop strings are for
            those who have a tokenizer: see `stream_generate`.
        cache: The model's caches, holding what comes before the prompt; they are advanced. New
            ones are made where it is None.
        eos: Ids that end the generation beside those of `params`. The one that did is yielded.
        constraint: What may be said; it is advanced by every token.
        progress: Called with the number of prompt tokens read and the number of all, first with
            0, then after each chunk.
        cancel: Ends the generation when it is set: within a chunk of the prompt or one token.

    Returns:
        A generator of steps; the last has a `finish_reason`, unless it was cancelled. An error of
        the model comes out of it unchanged, after every token from before. `close()` ends it
        early.

    Raises:
        ValueError: The prompt is empty or not one-dimensional, or a setting is invalid.
        TypeError: `constraint` is none.
        ContextLengthError: What the cache holds and the prompt exceed the model's context.

    Example:
        for step in generate_step(model, ids, params=GenConfig(max_tokens=8)):
            print(step.token)
    """
    params.validate()
    check_constraint(constraint)
    tokens = prompt_row(prompt)
    caches = make_prompt_cache(model) if cache is None else cache
    room = room_after(model, cached_tokens(caches), tokens.size)
    budget = params.max_tokens if room is None else min(params.max_tokens, room)
    endings = frozenset(eos) | frozenset(params.eos)
    return _steps(
        model, tokens, replace(params), caches, budget, endings, constraint, progress, cancel
    )


def prompt_row(prompt: Sequence[int] | mx.array) -> mx.array:
    """Return a prompt as an array `(L,)`, L >= 1.

    Raises:
        ValueError: It is empty or not one-dimensional.
    """
    tokens = prompt if isinstance(prompt, mx.array) else mx.array(list(prompt), dtype=mx.uint32)
    if tokens.ndim != 1 or tokens.size == 0:
        raise ValueError(
            f"prompt must be one row of at least one token id, got shape {tuple(tokens.shape)}; "
            "encode a text that is not empty"
        )
    return tokens


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
    budget: int,
    eos: Collection[int],
    constraint: Constraint | None,
    progress: Progress | None,
    cancel: Event | None,
) -> Generator[Step, None, None]:
    if budget == 0:
        return
    picker = TokenPicker(params)

    def report(read: int) -> None:
        if progress is not None:
            progress(read, prompt.size)

    # Where all may be said now, it is likely so for the token behind: the launch goes ahead.
    free = constraint is None

    def launch(tokens: mx.array, index: int, asking: bool) -> Pick:
        """Start the computation of the token behind `tokens` (L,), as the constraint has it."""
        nonlocal free
        logits = model(tokens[None], caches)[:, -1, :]
        allowed = None
        if asking and constraint is not None:
            # What may follow is worked out here while the model computes there.
            mx.async_eval(logits)
            allowed = constraint.mask()
            free = allowed is None
        pick = picker(tokens, logits, index, allowed)
        mx.async_eval(pick.arrays())
        return pick

    for cache in caches:
        cache.reserve(prompt.size + 1)
    size = params.prefill_step_size
    if not prefill(model, prompt[:-1], caches, step_size=size, progress=report, cancel=cancel):
        return
    # Of the moment at which the caches hold what they shall hold if the generation ends here.
    snapshot = snapshot_prompt_cache(caches)
    try:
        pick = launch(prompt[-1:], 0, True)
        for produced in range(1, budget + 1):
            snapshot = snapshot_prompt_cache(caches)
            ahead: Pick | Exception | None = None
            if free and produced < budget:
                ahead = _attempt(partial(launch, pick.token, produced, False))
            token = int(pick.token.item())
            if produced == 1:
                report(prompt.size)
            reason = None
            if token in eos:
                reason = FinishReason.EOS
            elif produced == budget:
                reason = FinishReason.LENGTH
            elif constraint is not None:
                constraint.accept(token)
                allowed = _attempt(constraint.mask) if free else None
                if allowed is not None:
                    restore_prompt_cache(caches, snapshot)
                    picker.forget(produced)
                if isinstance(allowed, Exception):
                    ahead = allowed
                elif allowed is not None or not free:
                    ahead = _attempt(partial(launch, pick.token, produced, True))
            if reason is not None:
                restore_prompt_cache(caches, snapshot)
            yield Step.of(pick, token, reason)
            if reason is not None or (cancel is not None and cancel.is_set()):
                return
            if isinstance(ahead, Exception):
                raise ahead
            assert ahead is not None
            pick = ahead
    finally:
        restore_prompt_cache(caches, snapshot)


def _attempt(function: Callable[[], T]) -> T | Exception:
    """Call a function ahead of the caller; an error is for later, when its turn has come."""
    try:
        return function()
    except Exception as error:
        return error
