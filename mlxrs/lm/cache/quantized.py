"""The plain cache in a few bits a value."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Self

import mlxc as mx

from .base import Cache, KeysOrValues
from .codec import Affine, Packing
from .full import FullCache
from .row_cache import parse_numbers
from .rows import Rows

if TYPE_CHECKING:
    from .batching import BatchCache


class QuantizedKVCache(FullCache):
    """Keep all keys and values, packed; see `KVCache`.

    Attention reads them packed, and a new token is packed alone: neither cost nor memory of what
    was there before changes.

    Args:
        group_size: Neighbouring features sharing a scale: 32, 64 or 128.
        bits: Bits a value: 2, 3, 4, 5, 6 or 8.
        start: How many tokens are held in full precision before all are packed.

    Raises:
        ValueError: A setting is out of range.
    """

    def __init__(self, group_size: int = 64, bits: int = 8, start: int = 0) -> None:
        self._packing = Packing(Affine(group_size, bits), start)
        super().__init__(Rows())

    @property
    def group_size(self) -> int:
        return self._packing.codec.group_size

    @property
    def bits(self) -> int:
        return self._packing.codec.bits

    def update_and_fetch(
        self, keys: mx.array, values: mx.array
    ) -> tuple[KeysOrValues, KeysOrValues]:
        self._rows.check(keys, values)
        self._packing.check(keys, values)
        if self._packing.due(self.offset):
            self._rows.recode(self._packing.codec)
        return super().update_and_fetch(keys, values)

    @property
    def state(self) -> list[mx.array]:
        """Weight, scales and biases of the keys, then of the values."""
        return self._rows.slices_as(self._packing.codec, 0, self.offset) if self.offset else []

    @property
    def meta_state(self) -> tuple[str, ...]:
        return str(self.offset), str(self.group_size), str(self.bits)

    @classmethod
    def from_state(cls, state: Sequence[mx.array], meta_state: Sequence[str] = ()) -> Self:
        meta = tuple(meta_state)
        # Some writers put the step of growth in front.
        meta = meta[1:] if len(meta) == 4 else meta
        names = ("offset", "group_size", "bits")
        offset, group_size, bits = parse_numbers(cls.__name__, meta, names)
        cache = cls(group_size, bits)
        if state:
            cache._rows.recode(cache._packing.codec)
            cache._rows.load(state)
        if cache._rows.room != offset:
            raise ValueError(
                f"the state of a {cls.__name__} holds {cache._rows.room} tokens, but its "
                f"meta_state says {offset}"
            )
        cache.offset = offset
        return cache

    def to_quantized(self, group_size: int = 64, bits: int = 4, start: int = 0) -> Cache:
        if (group_size, bits) != (self.group_size, self.bits):
            raise ValueError(
                f"the cache is already quantized to {self.bits} bits in groups of "
                f"{self.group_size}; make a new one for other settings"
            )
        return self

    @property
    def batch_kind(self) -> Hashable | None:
        # Rows of a batch are packed all or none.
        if not self._packing.due(self.offset):
            return None
        return type(self).__name__, self.group_size, self.bits

    @classmethod
    def merge(cls, caches: Sequence[Self]) -> BatchCache:
        from .batch_quantized import BatchQuantizedKVCache

        return BatchQuantizedKVCache.of_packed(caches)
