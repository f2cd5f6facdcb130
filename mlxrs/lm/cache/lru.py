"""The caches of many conversations, found by what they have in common with a prompt."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from .base import Cache
from .prompt import can_trim_prompt_cache, trim_prompt_cache
from .trie import PromptTrie

BUCKETS = ("assistant", "user", "system")


@dataclass(frozen=True)
class _Entry:
    caches: list[Cache]
    nbytes: int
    bucket: str


@dataclass(frozen=True)
class BucketStats:
    """How much a bucket holds.

    Attributes:
        sequences: Entries.
        nbytes: Bytes of their caches.
    """

    sequences: int
    nbytes: int


class LruPromptCache:
    """Keep the prompt caches used last, within a number of entries and of bytes.

    Each entry lies under a model and the tokens its caches hold, in one of three buckets by what
    the tokens end with: "assistant", "user" or "system". Where room is short, the oldest entry
    goes from the first bucket that holds at least as many as the next one, so that the short
    prompts many conversations share outlive their replies.

    Nobody shares a cache: both `insert` and `fetch_nearest` copy, which costs nothing until one of
    the copies is written to.

    Args:
        max_size: Entries held at most.
        max_bytes: Bytes held at most; None for no limit.

    Raises:
        ValueError: A limit is below 0.

    Example:
        lru = LruPromptCache(max_bytes=4 * 2**30)
        caches, rest = lru.fetch_nearest("smollm2", ids)
        caches = caches or make_prompt_cache(model)
    """

    def __init__(self, max_size: int = 10, max_bytes: int | None = None) -> None:
        if max_size < 0 or (max_bytes is not None and max_bytes < 0):
            raise ValueError(f"limits must be >= 0, got {max_size} entries, {max_bytes} bytes")
        self.max_size = max_size
        self.max_bytes = max_bytes
        self._tries: dict[Hashable, PromptTrie[_Entry]] = {}
        self._orders: dict[str, OrderedDict[tuple[Hashable, tuple[int, ...]], int]] = {
            bucket: OrderedDict() for bucket in BUCKETS
        }
        self._nbytes = 0

    def __len__(self) -> int:
        return sum(map(len, self._orders.values()))

    @property
    def nbytes(self) -> int:
        """Bytes of all caches held."""
        return self._nbytes

    @property
    def stats(self) -> dict[str, BucketStats]:
        """How much each bucket holds."""
        return {
            bucket: BucketStats(len(order), sum(order.values()))
            for bucket, order in self._orders.items()
        }

    def fetch_nearest(
        self, model: Hashable, tokens: Sequence[int]
    ) -> tuple[list[Cache] | None, list[int]]:
        """Return copies of the caches that save most of a prompt.

        Caches of exactly these tokens are best, then those of a beginning of them, or of more that
        can be trimmed to their common beginning, whichever is longer.

        Args:
            model: What the caches were inserted under.
            tokens: The prompt.

        Returns:
            The caches, None where nothing fits, and the tokens they do not hold.
        """
        tokens = list(tokens)
        trie = self._tries.get(model)
        if trie is None:
            return None, tokens
        found = trie.search(tokens)
        if found.exact is not None:
            return self._copies(model, found.exact), []
        shorter = len(found.shorter or ())
        if found.longer is not None and found.common_prefix > shorter:
            # One token has to be left, whose logits the next one is drawn from.
            kept = min(len(tokens) - 1, found.common_prefix)
            if kept > shorter and can_trim_prompt_cache(trie.get(found.longer).caches):
                caches = self._copies(model, found.longer)
                trim_prompt_cache(caches, len(found.longer) - kept)
                return caches, tokens[kept:]
        if found.shorter is not None:
            return self._copies(model, found.shorter), tokens[shorter:]
        return None, tokens

    def insert(
        self,
        model: Hashable,
        tokens: Sequence[int],
        caches: Sequence[Cache],
        bucket: str = "assistant",
    ) -> None:
        """Keep a copy of the caches of a model, in place of any under the same tokens.

        What is held of their beginnings goes, if these can be trimmed to it.

        Args:
            model: Anything that tells models apart.
            tokens: The tokens the caches hold.
            caches: The caches, one a layer.
            bucket: "assistant", "user" or "system".

        Raises:
            ValueError: There is no such bucket.
        """
        if bucket not in BUCKETS:
            raise ValueError(f"bucket must be one of {BUCKETS}, got {bucket!r}")
        copies = [cache.copy() for cache in caches]
        entry = _Entry(copies, sum(cache.nbytes for cache in copies), bucket)
        trie = self._tries.setdefault(model, PromptTrie())
        key = model, tuple(tokens)
        replaced = trie.add(key[1], entry)
        if replaced is not None:
            self._forget(key, replaced)
        self._orders[bucket][key] = entry.nbytes
        self._nbytes += entry.nbytes
        if can_trim_prompt_cache(copies):
            for prefix in trie.prefixes(key[1]):
                self._drop((model, tuple(prefix)))
        self.trim_to(self.max_size, self.max_bytes)

    def trim_to(self, max_size: int | None = None, max_bytes: int | None = None) -> None:
        """Drop the oldest entries until no more are left than given; None for no limit."""
        while len(self) and (
            (max_size is not None and len(self) > max_size)
            or (max_bytes is not None and self._nbytes > max_bytes)
        ):
            self._drop(next(iter(self._orders[self._fullest()])))

    def clear(self) -> None:
        """Drop everything."""
        self.trim_to(0)

    def _copies(self, model: Hashable, tokens: list[int]) -> list[Cache]:
        entry, key = self._tries[model].get(tokens), (model, tuple(tokens))
        self._orders[entry.bucket].move_to_end(key)
        return [cache.copy() for cache in entry.caches]

    def _fullest(self) -> str:
        sizes = [len(self._orders[bucket]) for bucket in BUCKETS]
        for bucket, size, following in zip(BUCKETS, sizes, sizes[1:], strict=False):
            if size and size >= following:
                return bucket
        return next(bucket for bucket in reversed(BUCKETS) if self._orders[bucket])

    def _drop(self, key: tuple[Hashable, tuple[int, ...]]) -> None:
        model, tokens = key
        self._forget(key, self._tries[model].pop(tokens))

    def _forget(self, key: tuple[Hashable, tuple[int, ...]], entry: _Entry) -> None:
        del self._orders[entry.bucket][key]
        self._nbytes -= entry.nbytes
