"""KV caches: what a model remembers of the tokens it has seen."""

from .arrays import ArraysCache
from .base import Cache, KeysOrValues, Quantized, Snapshot
from .batch import BatchKVCache
from .batch_quantized import BatchQuantizedKVCache
from .batch_rotating import BatchRotatingKVCache
from .batching import BatchCache
from .chunked import ChunkedKVCache
from .composite import CacheList
from .files import load_prompt_cache, save_prompt_cache, token_ids_of
from .kv import KVCache
from .lru import BucketStats, LruPromptCache
from .prompt import (
    cached_tokens,
    can_trim_prompt_cache,
    make_prompt_cache,
    restore_prompt_cache,
    rewind_prompt_cache,
    snapshot_prompt_cache,
    trim_prompt_cache,
)
from .quantized import QuantizedKVCache
from .rotating import RotatingKVCache
from .rotating_quantized import RotatingQuantizedKVCache

__all__ = [
    "ArraysCache",
    "BatchCache",
    "BatchKVCache",
    "BatchQuantizedKVCache",
    "BatchRotatingKVCache",
    "BucketStats",
    "Cache",
    "CacheList",
    "ChunkedKVCache",
    "KVCache",
    "KeysOrValues",
    "LruPromptCache",
    "Quantized",
    "QuantizedKVCache",
    "RotatingKVCache",
    "RotatingQuantizedKVCache",
    "Snapshot",
    "cached_tokens",
    "can_trim_prompt_cache",
    "load_prompt_cache",
    "make_prompt_cache",
    "restore_prompt_cache",
    "rewind_prompt_cache",
    "save_prompt_cache",
    "snapshot_prompt_cache",
    "token_ids_of",
    "trim_prompt_cache",
]
