"""Every kind of cache by its name in files."""

from __future__ import annotations

from ...errors import UnsupportedError
from .arrays import ArraysCache
from .base import Cache
from .batch import BatchKVCache
from .batch_quantized import BatchQuantizedKVCache
from .batch_rotating import BatchRotatingKVCache
from .chunked import ChunkedKVCache
from .composite import CacheList
from .kv import KVCache
from .quantized import QuantizedKVCache
from .rotating import RotatingKVCache
from .rotating_quantized import RotatingQuantizedKVCache

_KINDS: dict[str, type[Cache]] = {
    kind.__name__: kind
    for kind in (
        ArraysCache,
        BatchKVCache,
        BatchQuantizedKVCache,
        BatchRotatingKVCache,
        CacheList,
        ChunkedKVCache,
        KVCache,
        QuantizedKVCache,
        RotatingKVCache,
        RotatingQuantizedKVCache,
    )
}
# Other writers' names for kinds that hold the same.
_ALIASES: dict[str, type[Cache]] = {
    "ConcatenateKVCache": KVCache,
    "KVCacheSimple": KVCache,
    "MambaCache": ArraysCache,
}


def cache_kind(name: str) -> type[Cache]:
    """Return the class of a cache by its name.

    Raises:
        UnsupportedError: There is none of that name.
    """
    kind = _KINDS.get(name) or _ALIASES.get(name)
    if kind is None:
        raise UnsupportedError(f"unknown kind of cache {name[:80]!r}; known are {sorted(_KINDS)}")
    return kind
