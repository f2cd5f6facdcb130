"""Reading a prompt into the caches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event

import mlxc as mx

from .cache import Cache, restore_prompt_cache, snapshot_prompt_cache
from .models import LanguageModel

#: On a CPU larger chunks are slower, where weights are packed, because what lies between two
#: products outgrows the caches; and they hold more memory.
CPU_STEP = 256


def prefill(
    model: LanguageModel,
    tokens: mx.array,
    caches: Sequence[Cache],
    *,
    step_size: int,
    progress: Callable[[int], None] | None = None,
    cancel: Event | None = None,
) -> bool:
    """Let the model read tokens, a chunk at a time, each evaluated before the next.

    Nothing is computed of the model but what the caches hold: no output head runs.

    Args:
        model: The model.
        tokens: Ids, `(L,)`.
        caches: Its caches, which are advanced. An error leaves them behind the last whole chunk.
        step_size: The most tokens of a chunk; on a CPU no chunk has more than `CPU_STEP`.
        progress: Called with the number of tokens read: first with 0, then after each chunk.
        cancel: Stops before the next chunk when it is set.

    Returns:
        Whether all was read.
    """
    if progress is not None:
        progress(0)
    on_cpu = mx.default_device() == mx.cpu
    if on_cpu:
        step_size = min(step_size, CPU_STEP)
    # What MLX keeps of caches and chunks of other lengths would lie beside these.
    mx.clear_cache()
    long = on_cpu and tokens.size >= CPU_STEP
    if long:
        mx.trim_memory()
    for start in range(0, tokens.size, step_size):
        if cancel is not None and cancel.is_set():
            return False
        chunk = tokens[start : start + step_size]
        snapshot = snapshot_prompt_cache(caches)
        try:
            model(chunk[None], caches)
            mx.eval([cache.state for cache in caches])
        except BaseException:
            restore_prompt_cache(caches, snapshot)
            raise
        mx.clear_cache()
        if progress is not None:
            progress(start + chunk.size)
    if long:
        mx.trim_memory()  # of what chunks took, a token needs nothing
    return cancel is None or not cancel.is_set()
