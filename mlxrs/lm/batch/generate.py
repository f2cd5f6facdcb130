"""Texts in, texts out, all at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

import mlxc as mx

from ..models import LanguageModel
from ..params import GenConfig
from ..pick import Constraint
from ..reply import Reply
from ..response import GenerationResponse
from .generator import BatchGenerator, encode_prompts

if TYPE_CHECKING:
    from ...tokenizer import Tokenizer


def batch_stream_generate(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompts: Sequence[str | Sequence[int] | mx.array],
    *,
    params: GenConfig | Sequence[GenConfig] | None = None,
    constraints: Sequence[Constraint | None] | None = None,
    prefill_step_size: int = 2048,
    prefill_batch_size: int = 8,
    completion_batch_size: int = 32,
) -> Iterator[tuple[int, GenerationResponse]]:
    """Continue many prompts at once, one response a token of a row.

    Args:
        model: The model.
        tokenizer: Its tokenizer; its ending tokens end rows.
        prompts: Texts, encoded with the tokenizer's special tokens, or token ids `(L,)` each.
        params: The settings, for all or one a prompt; greedy and at most 256 tokens where it is
            None.
        constraints: What each row may say, advanced by every token; None for all.
        prefill_step_size: The most tokens of a prompt read at once.
        prefill_batch_size: The most prompts read at once.
        completion_batch_size: The most rows that run at once; others wait.

    Returns:
        An iterator of pairs: the number of the prompt, from 0 on, and its next response; the last
        of each has a `finish_reason`. Nothing is computed before it is read.

    Raises:
        ValueError: A prompt is empty, or a setting is invalid.
        ContextLengthError: A prompt exceeds the model's context.
        ExceptionGroup: From the iterator, after all other rows have ended: processors, samplers
            or constraints failed, each with a note of its row.

    Example:
        for row, response in batch_stream_generate(model, tokenizer, prompts):
            texts[row] += response.text
    """
    batch = BatchGenerator(
        model,
        tokenizer,
        prefill_step_size=prefill_step_size,
        prefill_batch_size=prefill_batch_size,
        completion_batch_size=completion_batch_size,
    )
    # The ids of a new generator count from 0 on, as the rows do.
    batch.insert(prompts, params, constraints=constraints)
    return _responses(batch)


def batch_generate(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompts: Sequence[str | Sequence[int] | mx.array],
    *,
    params: GenConfig | Sequence[GenConfig] | None = None,
    constraints: Sequence[Constraint | None] | None = None,
    prefill_step_size: int = 2048,
    prefill_batch_size: int = 8,
    completion_batch_size: int = 32,
) -> list[Reply]:
    """Continue many prompts at once and return the whole texts, in the order of the prompts.

    Arguments and errors are those of `batch_stream_generate`.

    Example:
        for reply in batch_generate(model, tokenizer, ["One river:", "One city:"]):
            print(reply)
    """
    started = perf_counter()
    encoded = encode_prompts(tokenizer, prompts)
    segments: list[list[str]] = [[] for _ in encoded]
    ttfts = [0.0] * len(encoded)
    last: list[GenerationResponse | None] = [None] * len(encoded)
    responses = batch_stream_generate(
        model,
        tokenizer,
        encoded,
        params=params,
        constraints=constraints,
        prefill_step_size=prefill_step_size,
        prefill_batch_size=prefill_batch_size,
        completion_batch_size=completion_batch_size,
    )
    for row, response in responses:
        if last[row] is None:
            ttfts[row] = perf_counter() - started
        segments[row].append(response.text)
        last[row] = response
    return [
        Reply.of(
            segments[row],
            last[row],
            ttft=ttfts[row],
            prompt_tokens=len(prompt),
            cached_tokens=0,
        )
        for row, prompt in enumerate(encoded)
    ]


def _responses(batch: BatchGenerator) -> Iterator[tuple[int, GenerationResponse]]:
    failures: list[Exception] = []
    with batch:
        for row, event in batch:
            if isinstance(event, Exception):
                event.add_note(f"in row {row} of the batch")
                # Rows that are sampled together fail together.
                failures += [event] if event not in failures else []
            else:
                yield row, event
    if failures:
        raise ExceptionGroup("rows of the batch failed", failures)
