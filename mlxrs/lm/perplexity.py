"""How surprised a model is by a text."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import mlxc as mx

from .cache import make_prompt_cache
from .models import LanguageModel

if TYPE_CHECKING:
    from ..tokenizer import Tokenizer

MIN_WINDOW = 2


@dataclass(frozen=True, slots=True)
class Perplexity:
    """The perplexity of a text, with what it was computed from.

    Attributes:
        perplexity: e to the power of `mean_loss`.
        std_error: The standard error of `perplexity`, as if tokens were independent.
        mean_loss: The mean of `losses`.
        num_tokens: How many tokens were predicted.
        losses: Minus the log-probability of each, float32 `(num_tokens,)`.
    """

    perplexity: float
    std_error: float
    mean_loss: float
    num_tokens: int
    losses: mx.array


def perplexity(
    model: LanguageModel,
    data: str | Sequence[int] | mx.array,
    *,
    tokenizer: Tokenizer | None = None,
    window_size: int = 512,
    batch_size: int = 8,
    step_size: int = 256,
    progress: Callable[[int, int], None] | None = None,
) -> Perplexity:
    """Measure how well a model predicts a text.

    The text is cut into windows; in each, every token but the first is predicted from those
    before it. What is left behind the last whole window is not read.

    Args:
        model: The model.
        data: A text, its token ids `(T,)`, or windows of token ids `(N, L)`.
        tokenizer: What a text is encoded with.
        window_size: Tokens of a window, L, at least 2. Larger ones give lower figures, so compare
            only those of one size.
        batch_size: How many windows the model reads at once.
        step_size: How many tokens of each it reads at once. Smaller needs less memory: at any time
            there are logits of `batch_size * step_size` tokens.
        progress: Called with the number of windows read and the number of all, first with 0.

    Raises:
        ValueError: A setting is out of range, a text came without a tokenizer, or it is shorter
            than one window.

    Example:
        model, tokenizer = load("smollm2-135m-instruct")
        print(perplexity(model, text, tokenizer=tokenizer).perplexity)
    """
    for name, value in (("batch_size", batch_size), ("step_size", step_size)):
        if value < 1:
            raise ValueError(f"{name} must be >= 1, got {value}")
    windows = _windows(data, tokenizer, window_size)
    count, size = windows.shape
    if model.context_length is not None and size - 1 > model.context_length:
        raise ValueError(
            f"window_size must be at most {model.context_length + 1} for the context of this "
            f"model, got {size}"
        )
    losses: list[mx.array] = []
    if progress is not None:
        progress(0, count)
    for start in range(0, count, batch_size):
        rows = windows[start : start + batch_size]
        losses.append(_losses(model, rows, step_size))
        if progress is not None:
            progress(start + rows.shape[0], count)
    return _summary(mx.concatenate(losses))


def make_windows(tokens: Sequence[int] | mx.array, window_size: int) -> mx.array:
    """Cut token ids `(T,)` into as many whole windows `(N, window_size)` as there are.

    Raises:
        ValueError: `window_size` is below 2, or there is no whole window.
    """
    row = tokens if isinstance(tokens, mx.array) else mx.array(list(tokens), dtype=mx.uint32)
    if window_size < MIN_WINDOW:
        raise ValueError(f"window_size must be >= {MIN_WINDOW}, got {window_size}")
    if row.ndim != 1:
        raise ValueError(f"tokens must be one row of ids, got shape {tuple(row.shape)}")
    count = row.size // window_size
    if count == 0:
        raise ValueError(
            f"window_size must be at most {row.size}, the number of tokens, got {window_size}; "
            "lower it or measure a longer text"
        )
    return row[: count * window_size].reshape(count, window_size)


def _windows(
    data: str | Sequence[int] | mx.array, tokenizer: Tokenizer | None, window_size: int
) -> mx.array:
    if isinstance(data, str):
        if tokenizer is None:
            raise ValueError("a text needs tokenizer=, to be encoded with; or pass token ids")
        data = tokenizer.encode(data)
    if isinstance(data, mx.array) and data.ndim == 2:
        if data.shape[0] < 1 or data.shape[1] < MIN_WINDOW:
            raise ValueError(
                f"data must be windows (N, L) of at least {MIN_WINDOW} token ids, got shape "
                f"{tuple(data.shape)}"
            )
        return data
    return make_windows(data, window_size)


def _losses(model: LanguageModel, windows: mx.array, step_size: int) -> mx.array:
    """Return the losses `(B * (L - 1),)` of windows `(B, L)`, evaluated."""
    caches = make_prompt_cache(model)
    inputs, targets = windows[:, :-1], windows[:, 1:]
    losses: list[mx.array] = []
    for start in range(0, inputs.shape[1], step_size):
        step = slice(start, start + step_size)
        logits = model(inputs[:, step], caches).astype(mx.float32)
        losses.append(mx.fast.cross_entropy(logits, targets[:, step]))
        mx.eval(losses[-1], [cache.state for cache in caches])
    joined = mx.concatenate(losses, axis=1).flatten()
    mx.eval(joined)
    return joined


def _summary(losses: mx.array) -> Perplexity:
    import numpy as np

    values = np.array(losses, dtype=np.float64)
    mean = float(values.mean())
    value = math.exp(mean) if mean < 700 else math.inf
    deviation = float(values.std(ddof=1)) if values.size > 1 else 0.0
    error = value * deviation / math.sqrt(values.size)
    return Perplexity(value, error, mean, values.size, losses)
