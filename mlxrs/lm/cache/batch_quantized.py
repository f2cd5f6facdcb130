"""The plain cache of several sequences at once, in a few bits a value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import mlxc as mx

from .base import Cache, KeysOrValues
from .batch import BatchKVCache, read_counts
from .batching import check_rows, padded
from .codec import Affine
from .quantized import QuantizedKVCache
from .row_cache import parse_numbers
from .rows import Rows


class BatchQuantizedKVCache(BatchKVCache):
    """Keep all keys and values of several sequences, packed; see `QuantizedKVCache`.

    Args:
        left_padding: How many columns of padding there are in front of each sequence.
        group_size: Neighbouring features sharing a scale: 32, 64 or 128.
        bits: Bits a value: 2, 3, 4, 5, 6 or 8.

    Raises:
        ValueError: A setting is out of range.
    """

    def __init__(self, left_padding: Sequence[int], group_size: int = 64, bits: int = 8) -> None:
        super().__init__(left_padding)
        self._codec = Affine(group_size, bits)
        self._rows = Rows(self._codec)

    @classmethod
    def of_packed(cls, caches: Sequence[QuantizedKVCache]) -> Self:
        """Return one cache whose rows are the contents of several single ones, in their order.

        Raises:
            ValueError: They are packed in different ways.
        """
        first, length = caches[0], max(cache.offset for cache in caches)
        if any((c.group_size, c.bits) != (first.group_size, first.bits) for c in caches):
            raise ValueError(
                "quantized caches can be batched if they agree in group_size and bits, got "
                f" {[(cache.group_size, cache.bits) for cache in caches]}"
            )
        batch = cls([length - cache.offset for cache in caches], first.group_size, first.bits)
        batch._rows.stack([padded(cache.state, length) for cache in caches])
        batch._columns = length
        return batch

    def update_and_fetch(
        self, keys: mx.array, values: mx.array
    ) -> tuple[KeysOrValues, KeysOrValues]:
        self._codec.check(keys, values)
        return super().update_and_fetch(keys, values)

    def extract(self, row: int) -> Cache:
        check_rows([row], self.batch_size)
        state = [
            mx.contiguous(array[row : row + 1])
            for array in self._rows.slices(self._padding[row], self._columns)
        ]
        held = self._columns - self._padding[row]
        meta = str(held), str(self._codec.group_size), str(self._codec.bits)
        return QuantizedKVCache.from_state(state if held else [], meta)

    @property
    def meta_state(self) -> tuple[str, ...]:
        return str(self._codec.group_size), str(self._codec.bits)

    @classmethod
    def from_state(cls, state: Sequence[mx.array], meta_state: Sequence[str] = ()) -> Self:
        if len(state) not in (2, 8):
            raise ValueError(
                f"the state of a {cls.__name__} is weight, scales and biases of keys and values, "
                f"offset and left_padding, or the last two while empty, got {len(state)} arrays"
            )
        names = ("group_size", "bits")
        group_size, bits = parse_numbers(cls.__name__, tuple(meta_state), names)
        offset, padding = (read_counts(array) for array in state[-2:])
        cache = cls(padding, group_size, bits)
        if len(state) == 8:
            cache._rows.load(state[:6], batch=len(padding))
        cache._columns = cache._rows.room
        if cache.offset.tolist() != offset:
            raise ValueError(
                f"the offsets of a {cls.__name__} of {cache._columns} columns with left_padding "
                f"{padding} cannot be {offset}"
            )
        return cache
