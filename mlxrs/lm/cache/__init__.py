"""KV caches: what a model remembers of the tokens it has seen."""

from .base import Cache, KeysOrValues, Quantized, Snapshot
from .kv import KVCache
from .prompt import (
    cached_tokens,
    can_trim_prompt_cache,
    make_prompt_cache,
    restore_prompt_cache,
    rewind_prompt_cache,
    snapshot_prompt_cache,
    trim_prompt_cache,
)

__all__ = [
    "Cache",
    "KVCache",
    "KeysOrValues",
    "Quantized",
    "Snapshot",
    "cached_tokens",
    "can_trim_prompt_cache",
    "make_prompt_cache",
    "restore_prompt_cache",
    "rewind_prompt_cache",
    "snapshot_prompt_cache",
    "trim_prompt_cache",
]
