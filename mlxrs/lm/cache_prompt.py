"""A prompt read once, and its caches kept in a file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from threading import Event
from typing import TYPE_CHECKING

from .cache import Cache, cached_tokens, make_prompt_cache, save_prompt_cache
from .models import LanguageModel
from .prefill import prefill
from .steps import Progress, prompt_row, room_after

if TYPE_CHECKING:
    from ..tokenizer import Tokenizer


def cache_prompt(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompt: str | Sequence[int],
    path: str | os.PathLike[str],
    *,
    model_id: str = "",
    tokenizer_config: Mapping[str, object] | None = None,
    metadata: Mapping[str, str] | None = None,
    fingerprint: str | None = None,
    cache: Sequence[Cache] | None = None,
    prefill_step_size: int = 2048,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> int:
    """Read a prompt and save the caches that hold all of it.

    `load_prompt_cache` gives them back, with the token ids, and generation goes on behind them. The
    file is one that mlx-lm reads too.

    Args:
        model: The model.
        tokenizer: Its tokenizer. Where it has a chat template, a text becomes a message of the
            user without an end, so that what follows belongs to the same message.
        prompt: A text, or token ids, which are read as they are.
        path: The file; `.safetensors` is appended where it is missing. It appears whole or not at
            all.
        model_id: Where the model comes from; kept as `model` in the metadata.
        tokenizer_config: What mlx-lm shall load the tokenizer with; kept as `tokenizer_config`.
        metadata: Names to strings, kept beside them; those two names are overridden.
        fingerprint: Which model filled the caches; `load_prompt_cache` can insist on it.
        cache: Empty caches to fill, for other kinds than the model makes itself.
        prefill_step_size: The most tokens the model reads at once.
        progress: Called with the number of tokens read and the number of all.
        cancel: Stops it when it is set: no file is written, and 0 returned.

    Returns:
        How many tokens were read.

    Raises:
        ValueError: The prompt is empty, `prefill_step_size` is below 1, or `cache` is not empty.
        ContextLengthError: The prompt exceeds the context of the model.
        ChatTemplateError: The chat template rejects the message.
        OSError: The file cannot be written.

    Example:
        cache_prompt(model, tokenizer, long_text, "long.safetensors")
        caches, _ = load_prompt_cache("long.safetensors")
        print(generate(model, tokenizer, " In one sentence:", cache=caches))
    """
    if prefill_step_size < 1:
        raise ValueError(f"prefill_step_size must be >= 1, got {prefill_step_size}")
    tokens = prompt_row(_encoded(tokenizer, prompt) if isinstance(prompt, str) else prompt)
    caches = make_prompt_cache(model) if cache is None else cache
    if cached_tokens(caches):
        raise ValueError(
            f"cache must be empty, it holds {cached_tokens(caches)} tokens; pass what "
            "make_prompt_cache gave"
        )
    room_after(model, 0, tokens.size)

    def report(read: int) -> None:
        if progress is not None:
            progress(read, tokens.size)

    if not prefill(
        model, tokens, caches, step_size=prefill_step_size, progress=report, cancel=cancel
    ):
        return 0
    told = {"model": model_id, "tokenizer_config": json.dumps(dict(tokenizer_config or {}))}
    ids: list[int] = tokens.tolist()
    save_prompt_cache(
        path, caches, {**(metadata or {}), **told}, token_ids=ids, fingerprint=fingerprint
    )
    return len(ids)


def _encoded(tokenizer: Tokenizer, text: str) -> list[int]:
    if tokenizer.chat_template is None:
        return tokenizer.encode(text)
    message = {"role": "user", "content": text}
    return tokenizer.apply_chat_template_ids(
        [message], add_generation_prompt=False, continue_final_message=True
    )
