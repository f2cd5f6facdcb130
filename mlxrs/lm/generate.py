"""Text in, text out: generation with a tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING

import mlxc as mx

from .cache import Cache
from .models import LanguageModel
from .params import GenConfig
from .reply import Reply
from .steps import generate_step
from .stream import ResponseStream

if TYPE_CHECKING:
    from ..tokenizer import Tokenizer


def stream_generate(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompt: str | Sequence[int] | mx.array,
    *,
    params: GenConfig | None = None,
    cache: Sequence[Cache] | None = None,
) -> ResponseStream:
    """Continue a prompt, one response a token.

    Args:
        model: The model.
        tokenizer: Its tokenizer; its ending tokens end the generation.
        prompt: A text, encoded with the tokenizer's special tokens, or token ids `(L,)`.
        params: The settings; greedy and at most 256 tokens where it is None.
        cache: The model's caches, holding what comes before the prompt; they are advanced.

    Returns:
        An iterator of `GenerationResponse`, which stops early when it is closed. Nothing is
        computed before it is read.

    Raises:
        ValueError: The prompt is empty, or a setting is invalid.
        ContextLengthError: What the cache holds and the prompt exceed the model's context.

    Example:
        for response in stream_generate(model, tokenizer, "Once upon a time"):
            print(response.text, end="", flush=True)
    """
    if isinstance(prompt, str):
        prompt = tokenizer.encode(prompt)
    steps = generate_step(
        model, prompt, params=params or GenConfig(), cache=cache, eos=tokenizer.eos_token_ids
    )
    return ResponseStream(steps, tokenizer.detokenizer(), prompt_tokens=len(prompt))


def generate(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompt: str | Sequence[int] | mx.array,
    *,
    params: GenConfig | None = None,
    cache: Sequence[Cache] | None = None,
) -> Reply:
    """Continue a prompt and return the whole text.

    Arguments and errors are those of `stream_generate`.

    Example:
        print(generate(model, tokenizer, "Once upon a time"))
    """
    started = perf_counter()
    with stream_generate(model, tokenizer, prompt, params=params, cache=cache) as responses:
        return Reply.collect(
            responses, started=started, prompt_tokens=responses.prompt_tokens, cached_tokens=0
        )
