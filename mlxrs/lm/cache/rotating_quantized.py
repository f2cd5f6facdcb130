"""The cache of the last tokens in a few bits a value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import mlxc as mx

from .base import Cache, KeysOrValues
from .codec import Affine, Packing
from .ring import RingCache
from .row_cache import parse_numbers
from .rows import Rows


class RotatingQuantizedKVCache(RingCache):
    """Keep the first and the last tokens, packed; see `RotatingKVCache` and `QuantizedKVCache`.

    Args:
        max_size: Tokens held at most.
        keep: How many of the first ones stay.
        group_size: Neighbouring features sharing a scale: 32, 64 or 128.
        bits: Bits a value: 2, 3, 4, 5, 6 or 8.
        start: How many tokens are held in full precision before all are packed.

    Raises:
        ValueError: A setting is out of range.
    """

    def __init__(
        self, max_size: int, keep: int = 0, group_size: int = 64, bits: int = 8, start: int = 0
    ) -> None:
        self._packing = Packing(Affine(group_size, bits), start)
        super().__init__(Rows(), max_size, keep)

    @classmethod
    def of_plain(cls, plain: RingCache, group_size: int, bits: int, start: int = 0) -> Self:
        """Return a packed cache of the contents of a plain one."""
        cache = cls(plain.max_size, plain.keep, group_size, bits, start)
        cache._rows = plain._rows.copy()
        if cache._packing.due(plain.offset):
            cache._rows.recode(cache._packing.codec)
        cache.offset, cache._index = plain.offset, plain._index
        return cache

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
        return self._rows.slices_as(self._packing.codec, 0, self._held) if self.offset else []

    @property
    def meta_state(self) -> tuple[str, ...]:
        numbers = self.keep, self.max_size, self.offset, self._index, self.group_size, self.bits
        return tuple(map(str, numbers))

    @classmethod
    def from_state(cls, state: Sequence[mx.array], meta_state: Sequence[str] = ()) -> Self:
        names = ("keep", "max_size", "offset", "index", "group_size", "bits")
        numbers = parse_numbers(cls.__name__, tuple(meta_state), names)
        keep, max_size, offset, index, group_size, bits = numbers
        cache = cls(max_size, keep, group_size, bits)
        cache._rows.recode(cache._packing.codec)
        cache._load(state, offset, index)
        return cache

    def to_quantized(self, group_size: int = 64, bits: int = 4, start: int = 0) -> Cache:
        if (group_size, bits) != (self.group_size, self.bits):
            raise ValueError(
                f"the cache is already quantized to {self.bits} bits in groups of "
                f"{self.group_size}; make a new one for other settings"
            )
        return self
