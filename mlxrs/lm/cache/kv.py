"""The plain cache: every key and value, in one growing buffer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import mlxc as mx

from ..mask import Mask, create_attention_mask
from .base import Cache


class KVCache(Cache):
    """Keep all keys and values, `(B, H, S, D)`; features of keys and values may differ.

    The buffers grow by 256 tokens at a time and are written in place, so a token costs its own
    size and not that of its past.
    """

    STEP = 256

    def __init__(self) -> None:
        self.offset = 0
        self._buffers: tuple[mx.array, mx.array] | None = None
        self._layout: tuple[int, ...] | None = None  # (B, H, D of keys, D of values)

    def update_and_fetch(self, keys: mx.array, values: mx.array) -> tuple[mx.array, mx.array]:
        self._check(keys, values)
        start, end = self.offset, self.offset + keys.shape[2]
        if self._buffers is None or end > self._buffers[0].shape[2]:
            room = -(-end // self.STEP) * self.STEP
            old_keys, old_values = self._buffers or (None, None)
            self._buffers = (
                _grown(old_keys, start, keys, room),
                _grown(old_values, start, values, room),
            )
        held_keys, held_values = self._buffers
        held_keys[:, :, start:end] = keys
        held_values[:, :, start:end] = values
        self.offset = end
        return held_keys[:, :, :end], held_values[:, :, :end]

    def make_mask(self, length: int, window_size: int | None = None) -> Mask:
        return create_attention_mask(length, self.offset, window_size)

    def is_trimmable(self) -> bool:
        return True

    def trim(self, count: int) -> int:
        count = max(0, min(count, self.offset))
        self.offset -= count
        return count

    @property
    def state(self) -> list[mx.array]:
        if self._buffers is None or self.offset == 0:
            return []
        return [buffer[:, :, : self.offset] for buffer in self._buffers]

    @property
    def meta_state(self) -> tuple[str, ...]:
        return ()

    @classmethod
    def from_state(cls, state: Sequence[mx.array], meta_state: Sequence[str] = ()) -> Self:
        if len(state) not in (0, 2) or any(meta_state):
            raise ValueError(
                f"the state of a KVCache is [] or [keys, values] without meta_state, got "
                f"{len(state)} arrays and meta_state {list(meta_state)}"
            )
        cache = cls()
        if state:
            keys, values = state
            cache._check(keys, values)
            # Views of its own: what is written in place later must not reach the caller's arrays.
            cache._buffers = keys[...], values[...]
            cache.offset = keys.shape[2]
        return cache

    @property
    def nbytes(self) -> int:
        return 0 if self._buffers is None else sum(buffer.nbytes for buffer in self._buffers)

    def copy(self) -> Self:
        return type(self).from_state(self.state)

    def _check(self, keys: mx.array, values: mx.array) -> None:
        if keys.ndim != 4 or values.ndim != 4 or keys.shape[:3] != values.shape[:3]:
            raise ValueError(
                "keys and values must be (B, H, S, D) and differ in D at most, got "
                f"{tuple(keys.shape)} and {tuple(values.shape)}"
            )
        layout = (*keys.shape[:2], keys.shape[3], values.shape[3])
        if self._layout is None:
            self._layout = layout
        elif layout != self._layout:
            raise ValueError(
                "keys and values must fit the cache, (B, H, D of keys, D of values) = "
                f"{self._layout}, got {layout}; use a new cache for another batch or model"
            )


def _grown(old: mx.array | None, kept: int, new: mx.array, room: int) -> mx.array:
    """Return a buffer of `room` tokens like `new`, holding the first `kept` tokens of `old`."""
    B, H, _, D = new.shape
    if old is None or kept == 0:
        return mx.zeros((B, H, room, D), dtype=new.dtype)
    empty = mx.zeros((B, H, room - kept, D), dtype=old.dtype)
    return mx.concatenate([old[:, :, :kept], empty], axis=2)
