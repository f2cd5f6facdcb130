"""How likely a model holds a given continuation to be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

import mlxc as mx

from .cache import (
    Cache,
    cached_tokens,
    make_prompt_cache,
    restore_prompt_cache,
    snapshot_prompt_cache,
)
from .models import LanguageModel
from .prefill import prefill
from .steps import room_after

if TYPE_CHECKING:
    from ..tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class Score:
    """How likely a continuation is.

    Attributes:
        tokens: Its ids.
        logprobs: The log-probability of each, given all before.
        greedy: Whether each is the likeliest in its place, so that greedy generation says it.
    """

    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    greedy: bool

    @property
    def total(self) -> float:
        """The log-probability of the whole."""
        return sum(self.logprobs)

    @property
    def mean(self) -> float:
        """That of a token on average, by which continuations of different lengths compare."""
        return self.total / len(self.logprobs)


def score(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompt: str | Sequence[int],
    continuation: str | Sequence[int],
    *,
    cache: Sequence[Cache] | None = None,
    step_size: int = 256,
    progress: Callable[[int, int], None] | None = None,
) -> Score:
    """Tell how likely a continuation of a prompt is.

    Two texts are encoded together, and what differs from the prompt alone is scored: a token that
    spans both belongs to the continuation.

    Args:
        model: The model.
        tokenizer: Its tokenizer.
        prompt: A text, encoded with the tokenizer's special tokens, or token ids.
        continuation: A text, or token ids.
        cache: The model's caches, holding what comes before the prompt; they stay as they are.
        step_size: How many tokens the model reads at once, and so of how many there are logits.
        progress: Called with the number of tokens read and the number of all, first with 0.

    Raises:
        ValueError: The prompt or the continuation is empty, or `step_size` is below 1.
        ContextLengthError: All together exceeds the context of the model.

    Example:
        question = "The capital of France is"
        max([" Paris", " Rome"], key=lambda city: score(model, tokenizer, question, city).total)
    """
    if step_size < 1:
        raise ValueError(f"step_size must be >= 1, got {step_size}")
    before, after = _encoded(tokenizer, prompt, continuation)
    if not before or not after:
        raise ValueError(
            "prompt and continuation must be of at least one token each, got "
            f"{len(before)} and {len(after)}"
        )
    caches = make_prompt_cache(model) if cache is None else cache
    total = len(before) + len(after) - 1
    room_after(model, cached_tokens(caches), total)

    def report(read: int) -> None:
        if progress is not None:
            progress(read, total)

    snapshot = snapshot_prompt_cache(caches)
    logprobs: list[float] = []
    greedy = True
    try:
        start = mx.array(before[:-1], dtype=mx.uint32)
        prefill(model, start, caches, step_size=step_size, progress=report)
        inputs = mx.array([before[-1], *after[:-1]], dtype=mx.uint32)
        targets = mx.array(after, dtype=mx.uint32)
        for first in range(0, len(after), step_size):
            step = slice(first, first + step_size)
            logits = model(inputs[None, step], caches)[0].astype(mx.float32)
            losses = mx.fast.cross_entropy(logits, targets[step])
            hits = mx.all(mx.argmax(logits, axis=-1) == targets[step])
            mx.eval(losses, hits, [each.state for each in caches])
            logprobs += (-losses).tolist()
            greedy = greedy and bool(hits.item())
            report(len(before) - 1 + len(logprobs))
    finally:
        restore_prompt_cache(caches, snapshot)
    return Score(tuple(after), tuple(logprobs), greedy)


def _encoded(
    tokenizer: Tokenizer, prompt: str | Sequence[int], continuation: str | Sequence[int]
) -> tuple[list[int], list[int]]:
    before = tokenizer.encode(prompt) if isinstance(prompt, str) else list(prompt)
    if not isinstance(continuation, str):
        return before, list(continuation)
    if not isinstance(prompt, str):
        return before, tokenizer.encode(continuation, add_special_tokens=False)
    whole = tokenizer.encode(prompt + continuation)
    pairs = zip(before, whole, strict=False)
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return whole[:shared], whole[shared:]
