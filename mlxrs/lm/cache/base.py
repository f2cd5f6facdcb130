"""What a model and a generation loop may ask of a KV cache."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Self

import mlxc as mx

from ..mask import Mask


class Cache(ABC):
    """The keys and values one attention layer remembers.

    A model holds one cache a layer, asks it for the mask, rotates its queries and keys from
    `offset` on, and hands the new keys and values to `update_and_fetch`. A generation loop takes
    tokens back with `trim` where `is_trimmable`, and evaluates `state`. Nobody else looks inside.

    All arrays are `(B, H, S, D)`: batch, key/value heads, sequence, features of a head.
    """

    offset: int
    """Tokens seen so far: the position of the next one."""

    @abstractmethod
    def update_and_fetch(self, keys: mx.array, values: mx.array) -> tuple[mx.array, mx.array]:
        """Append `(B, H, L, D)` keys and values; return all that the new queries attend to.

        Raises:
            ValueError: The arrays do not fit each other or what is held; nothing has changed.
        """

    @abstractmethod
    def make_mask(self, length: int, window_size: int | None = None) -> Mask:
        """Return the mask for `length` queries about to be appended.

        Args:
            length: New queries, L.
            window_size: How many keys a query sees, itself included; None for all.
        """

    @abstractmethod
    def is_trimmable(self) -> bool:
        """Whether `trim` can take back the tokens appended last, as things stand."""

    @abstractmethod
    def trim(self, count: int) -> int:
        """Forget the last `count` tokens, at most all; return how many were forgotten."""

    @property
    @abstractmethod
    def state(self) -> list[mx.array]:
        """The arrays that, with `meta_state`, make up this cache; [] while it is empty."""

    @property
    @abstractmethod
    def meta_state(self) -> tuple[str, ...]:
        """The numbers that belong to `state`, as strings; () where there are none."""

    @classmethod
    @abstractmethod
    def from_state(cls, state: Sequence[mx.array], meta_state: Sequence[str] = ()) -> Self:
        """Rebuild a cache from its `state` and `meta_state`.

        Raises:
            ValueError: They are not what a cache of this class writes.
        """

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Memory held, in bytes, room kept for growth included."""

    @abstractmethod
    def copy(self) -> Self:
        """Return an independent cache of the same contents; neither sees the other's updates."""
