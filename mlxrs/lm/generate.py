"""Text in, text out: generation with a tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event
from time import perf_counter
from typing import TYPE_CHECKING

import mlxc as mx

from .cache import Cache
from .drafter import Speculation
from .models import LanguageModel
from .params import GenConfig
from .pick import Constraint
from .reply import Reply
from .speculative import speculative_step
from .steps import Progress
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
    constraint: Constraint | None = None,
    speculative: Speculation | None = None,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> ResponseStream:
    """Continue a prompt, one response a token.

    Args:
        model: The model.
        tokenizer: Its tokenizer; its ending tokens end the generation.
        prompt: A text, encoded with the tokenizer's special tokens, or token ids `(L,)`.
        params: The settings; greedy and at most 256 tokens where it is None.
        cache: The model's caches, holding what comes before the prompt; they are advanced.
        constraint: What may be said; it is advanced by every token.
        speculative: Whether tokens are guessed and judged several at once, and by whom they are
            guessed: a `SpeculativeDecodingConfig` or a `PromptLookupConfig`.
        progress: Called with the number of prompt tokens read and the number of all.
        cancel: Ends the generation when it is set, from any thread: within a chunk of the prompt
            or one token. The last response has no `finish_reason` then.

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
    params = params or GenConfig()
    steps = speculative_step(
        model,
        prompt,
        params=params,
        speculative=speculative,
        cache=cache,
        eos=tokenizer.eos_token_ids,
        constraint=constraint,
        progress=progress,
        cancel=cancel,
    )
    return ResponseStream(
        steps,
        tokenizer.detokenizer(),
        prompt_tokens=len(prompt),
        stop_strings=params.stop_strings,
    )


def generate(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompt: str | Sequence[int] | mx.array,
    *,
    params: GenConfig | None = None,
    cache: Sequence[Cache] | None = None,
    constraint: Constraint | None = None,
    speculative: Speculation | None = None,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> Reply:
    """Continue a prompt and return the whole text.

    Arguments and errors are those of `stream_generate`.

    Example:
        print(generate(model, tokenizer, "Once upon a time"))
    """
    started = perf_counter()
    with stream_generate(
        model,
        tokenizer,
        prompt,
        params=params,
        cache=cache,
        constraint=constraint,
        speculative=speculative,
        progress=progress,
        cancel=cancel,
    ) as responses:
        return Reply.collect(
            responses, started=started, prompt_tokens=responses.prompt_tokens, cached_tokens=0
        )
