"""mlx-lm, on a checkpoint as the hub has them.

It is so slow on x86 that its contexts are not read: the caches are filled with random keys and
values of the length. Only what is measured is computed.
"""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from support import peak_memory

from .work import Figures, Work, seconds, token_ids, writing_speed

if TYPE_CHECKING:
    import mlx.core as mx

NEW_TOKENS = 32
ROW_PROMPT = 16


def measure(work: Work, *, float32: bool) -> Figures:
    import mlx.core as mx
    from mlx_lm.generate import generate_step
    from mlx_lm.utils import load_model

    model, _ = load_model(Path(work.model))
    if float32:
        model.set_dtype(mx.float32)
    dtype = mx.float32 if float32 else mx.bfloat16
    mx.eval(model.parameters())
    next(generate_step(mx.array([1]), model, max_tokens=1))
    figures: Figures = {}
    speeds: dict[int, float] = {}
    for length in work.prompts:
        read = min(length, work.at_most)
        if read not in speeds:
            tokens = generate_step(mx.array(token_ids(read)), model, max_tokens=1)
            speeds[read] = read / seconds(lambda tokens=tokens: next(tokens))
        figures[f"prefill {length}{'*' * (read < length)}"] = speeds[read]
    for context in work.contexts:
        cache = filled_cache(model, 1, context, dtype)
        tokens = generate_step(
            mx.array([1]), model, max_tokens=work.written + 1, prompt_cache=cache
        )
        next(tokens)
        figures[f"decode at {context}"] = writing_speed(tokens)
    for rows in work.batches:
        cache = filled_cache(model, rows, ROW_PROMPT, dtype)
        figures[f"batch {rows}"] = batch_speed(model, rows, cache, work.written)
    if work.conversation:
        cache = filled_cache(model, 1, work.conversation, dtype)
        prompt = mx.array(token_ids(NEW_TOKENS))
        tokens = generate_step(prompt, model, max_tokens=1, prompt_cache=cache)
        figures["second turn, reused"] = seconds(lambda: next(tokens))
    starred = any(length > work.at_most for length in work.prompts)
    return figures | {f"memory{'*' * starred}": peak_memory()}


def batch_speed(model, rows: int, cache: list, written: int) -> float:
    import mlx.core as mx

    tokens = mx.ones((rows, 1), mx.int32)
    started = perf_counter()
    for _ in range(written):
        tokens = mx.argmax(model(tokens, cache=cache)[:, -1:], axis=-1)
        mx.eval(tokens)
    return rows * written / (perf_counter() - started)


def filled_cache(model, rows: int, length: int, dtype: mx.Dtype) -> list:
    """Returns caches as if `length` tokens had been read, with room for those to come."""
    import mlx.core as mx
    from mlx_lm.models.cache import make_prompt_cache

    args, caches = model.args, make_prompt_cache(model)
    dims = getattr(args, "head_dim", None) or args.hidden_size // args.num_attention_heads
    shape = (rows, args.num_key_value_heads, length, dims)
    if length:
        for cache in caches:
            cache.update_and_fetch(*(mx.random.normal(shape).astype(dtype) for _ in range(2)))
            mx.eval(cache.state)
    return caches
