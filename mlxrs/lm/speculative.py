"""Generation that reads several guessed tokens in one model call."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from dataclasses import replace
from threading import Event

import mlxc as mx

from .acceptance import Judge, make_judge
from .cache import Cache, cached_tokens, make_prompt_cache
from .drafter import Draft, Drafter, Speculation
from .models import LanguageModel
from .params import GenConfig
from .pick import Constraint, Pick, check_constraint
from .prefill import prefill
from .response import FinishReason, SpeculationStats
from .rewind import RewindableReader
from .sample import fresh_seed
from .steps import Progress, Step, generate_step, prompt_row, room_after


def speculative_step(
    model: LanguageModel,
    prompt: Sequence[int] | mx.array,
    *,
    params: GenConfig,
    speculative: Speculation | None,
    cache: Sequence[Cache] | None = None,
    eos: Collection[int] = frozenset(),
    constraint: Constraint | None = None,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> Generator[Step, None, None]:
    """Generate tokens behind a prompt, as `generate_step` does, with the help of guesses.

    Each call of the model judges all guesses at once; those that are right and one token more
    come out of it, one step each. However it ends, `cache` holds the prompt and every token
    yielded but the last, and so do the caches of a draft model, if its context has room.

    Args:
        model: The model.
        prompt: Token ids, `(L,)`, L >= 1.
        params: The settings; processors, samplers and penalties apply as without speculation.
        speculative: Where the guesses come from; None generates without.
        cache: The model's caches, of any kind; see `generate_step`.
        eos: Ids that end the generation beside those of `params`.
        constraint: What may be said; it is advanced by guesses too, and rolled back.
        progress: Called with the number of prompt tokens read and the number of all.
        cancel: Ends the generation when it is set.

    Returns:
        A generator of steps, which carry `from_draft` and `speculation`.

    Raises:
        ValueError: The prompt is empty, or a setting is invalid.
        ContextLengthError: What the cache holds and the prompt exceed the model's context.

    Example:
        small = SpeculativeDecodingConfig(draft_model)
        for step in speculative_step(model, ids, params=GenConfig(), speculative=small):
            print(step.token, step.from_draft)
    """
    if speculative is None or speculative.num_draft_tokens == 0:
        return generate_step(
            model,
            prompt,
            params=params,
            cache=cache,
            eos=eos,
            constraint=constraint,
            progress=progress,
            cancel=cancel,
        )
    params.validate()
    check_constraint(constraint)
    tokens = prompt_row(prompt)
    caches = make_prompt_cache(model) if cache is None else cache
    room = room_after(model, cached_tokens(caches), tokens.size)
    budget = params.max_tokens if room is None else min(params.max_tokens, room)
    seed = fresh_seed() if params.seed is None else params.seed
    params = replace(params, seed=seed)
    return _steps(
        model,
        tokens,
        params,
        speculative.num_draft_tokens,
        speculative.make_drafter(params),
        make_judge(params, speculative.acceptance),
        caches,
        budget,
        frozenset(eos) | frozenset(params.eos),
        _Trial(constraint),
        progress,
        cancel,
    )


def _steps(
    model: LanguageModel,
    prompt: mx.array,
    params: GenConfig,
    limit: int,
    drafter: Drafter,
    judge: Judge,
    caches: Sequence[Cache],
    budget: int,
    eos: Collection[int],
    trial: _Trial,
    progress: Progress | None,
    cancel: Event | None,
) -> Generator[Step, None, None]:
    if budget == 0:
        return

    def report(read: int) -> None:
        if progress is not None:
            progress(read, prompt.size)

    size = params.prefill_step_size
    if not prefill(model, prompt[:-1], caches, step_size=size, progress=report, cancel=cancel):
        return
    if not drafter.prefill(prompt, step_size=size, cancel=cancel):
        return
    reader = RewindableReader(model, caches)
    tokens: list[int] = prompt.tolist()
    produced = proposed = accepted = 0
    # How many tokens since the reader's mark the caches shall hold if it ends here.
    kept = 0
    try:
        while True:
            reader.mark()
            trial.begin()
            kept = 0
            # The token behind the last guess comes in addition.
            draft = drafter.propose(tokens, min(limit, budget - produced - 1))
            picks = _judged(reader, judge, tokens[-1], produced, draft, trial, eos)
            guesses: list[int] = draft.tokens.tolist()
            for place, pick in enumerate(picks):
                token = int(pick.token.item())
                right = place < len(guesses) and token == guesses[place]
                tokens.append(token)
                produced += 1
                kept += 1
                accepted += right
                proposed += 1 if right else len(guesses) - place
                if produced == 1:
                    report(prompt.size)
                reason = None
                if token in eos:
                    reason = FinishReason.EOS
                elif produced == budget:
                    reason = FinishReason.LENGTH
                if reason is not None:
                    trial.keep(place)
                    reader.keep(kept)
                elif not right:
                    trial.keep(place)
                    trial.accept(token)
                yield Step.of(pick, token, reason, right, SpeculationStats(proposed, accepted))
                if reason is not None or (cancel is not None and cancel.is_set()):
                    return
                if not right:
                    break
            reader.keep(kept)
            if judge.history is not None:
                judge.history.truncate(produced)
    finally:
        reader.keep(kept)
        trial.keep(kept)
        drafter.settle(tokens)


def _judged(
    reader: RewindableReader,
    judge: Judge,
    last: int,
    index: int,
    draft: Draft,
    trial: _Trial,
    eos: Collection[int],
) -> list[Pick]:
    """Start the computation of the tokens behind `last` and behind every guess."""
    shown = mx.concatenate([mx.array([last], dtype=mx.uint32), draft.tokens])
    logits = reader.read(shown)  # (K + 1, V)
    if draft.vocab_size is not None and draft.vocab_size > logits.shape[-1]:
        raise ValueError(
            f"draft_model must have no more tokens than the model, got {draft.vocab_size} and "
            f"{logits.shape[-1]}; choose one with the same tokenizer"
        )
    guesses: list[int] = []
    if trial.constrained:
        # What may follow is worked out here while the model computes there.
        mx.async_eval(draft.tokens, logits)
        guesses = draft.tokens.tolist()
    picks: list[Pick] = []
    for place in range(shown.size):
        here = slice(place, place + 1)
        allowed = trial.mask()
        picks.append(judge(shown[here], logits[here], index + place, allowed, draft, place))
        if place < len(guesses):
            guess = guesses[place]
            if guess in eos or not (allowed is None or _allows(allowed, guess)):
                break
            trial.accept(guess)
    mx.async_eval([array for pick in picks for array in pick.arrays()])
    return picks


def _allows(allowed: mx.array, token: int) -> bool:
    return token < allowed.size and bool(allowed[token].item())


class _Trial:
    """A constraint that hears of guesses, and can forget those that were wrong."""

    def __init__(self, constraint: Constraint | None) -> None:
        self._constraint = constraint
        self._heard = 0

    @property
    def constrained(self) -> bool:
        return self._constraint is not None

    def begin(self) -> None:
        """Make this the moment that `keep` counts from."""
        self._heard = 0

    def mask(self) -> mx.array | None:
        return None if self._constraint is None else self._constraint.mask()

    def accept(self, token: int) -> None:
        if self._constraint is not None:
            self._constraint.accept(token)
            self._heard += 1

    def keep(self, count: int) -> None:
        """Forget all tokens since the beginning but the first `count`."""
        if self._constraint is not None and self._heard > count:
            self._constraint.rollback(self._heard - count)
            self._heard = count
