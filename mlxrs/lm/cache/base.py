"""What a model and a generation loop may ask of a KV cache."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Self, TypeAlias

import mlxc as mx

from ..mask import Mask

if TYPE_CHECKING:
    from .batching import BatchCache


class Quantized(NamedTuple):
    """Packed keys or values `(B, H, S, D)`, as `mx.quantize` gives them in its affine mode.

    Attributes:
        weight: Several values a word, uint32 `(B, H, S, D * bits / 32)`.
        scales: One for each group of neighbours, `(B, H, S, D / group_size)`.
        biases: Likewise.
        group_size: Neighbours sharing a scale and a bias.
        bits: Bits a value.
    """

    weight: mx.array
    scales: mx.array
    biases: mx.array
    group_size: int
    bits: int


# What `update_and_fetch` returns and `scaled_dot_product_attention` takes.
KeysOrValues: TypeAlias = mx.array | Quantized


class Snapshot:
    """What a cache looked like once: only `restore` of the same cache can use it.

    As long as a snapshot is alive its cache keeps what it overwrites, so let it go when it is
    no longer needed.
    """

    def arrays(self) -> Iterator[mx.array]:
        """Yield the arrays that are kept for it, beside what its cache holds."""
        return iter(())


class Cache(ABC):
    """The keys and values one attention layer remembers.

    A model holds one cache a layer, asks it for the mask, rotates its queries and keys from
    `offset` on, and hands the new keys and values to `update_and_fetch`. A generation loop takes
    tokens back with `trim` where `is_trimmable`, with `restore` elsewhere, and evaluates `state`.
    Nobody else looks inside.

    All arrays are `(B, H, S, D)`: batch, key/value heads, sequence, features of a head.
    """

    offset: int | mx.array
    """The position of the next token, as rotary embeddings take it. Where the rows of a batch
    stand at different positions it is one a row, int32 `(B,)`."""

    @property
    @abstractmethod
    def position(self) -> int:
        """Tokens appended so far, in a batch those of a row with its padding."""

    @abstractmethod
    def update_and_fetch(
        self, keys: mx.array, values: mx.array
    ) -> tuple[KeysOrValues, KeysOrValues]:
        """Append `(B, H, L, D)` keys and values; return all that the new queries attend to.

        What is returned goes to `mlxrs.lm.attention.scaled_dot_product_attention`.

        Raises:
            ValueError: The arrays do not fit each other or what is held; nothing has changed.
        """

    def lend(
        self, length: int, layout: tuple[int, int, int], dtype: mx.Dtype
    ) -> tuple[mx.array, mx.array] | None:
        """Return keys and values `(B, H, S, D)` for somebody who appends to them himself.

        What is held does not change before `take_back`.

        Args:
            length: How many tokens there must be room for behind those held, L.
            layout: B, H and D of keys and values.
            dtype: Of both; what is held in another one is converted.

        Returns:
            None where this cache keeps no plain rows.

        Raises:
            ValueError: The layout is not that of what is held.
        """
        return None

    def take_back(self, length: int, keys: mx.array, values: mx.array) -> None:
        """Hold what was lent, with `length` tokens more in it."""
        raise TypeError(f"a {type(self).__name__} lends no rows")

    def reserve(self, tokens: int) -> None:  # noqa: B027
        """Be told that so many tokens are about to be appended: room for them is made at once."""

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

    @abstractmethod
    def snapshot(self) -> Snapshot:
        """Return what `restore` needs to come back to this moment, in constant time and space.

        Later updates do not reach it, whatever they overwrite.
        """

    @abstractmethod
    def restore(self, snapshot: Snapshot) -> None:
        """Become what the cache was when `snapshot` was taken; any number of times, in any order.

        Raises:
            ValueError: It is a snapshot of another cache.
        """

    @property
    @abstractmethod
    def state(self) -> list[mx.array]:
        """The arrays that, with `meta_state`, make up this cache; few or none while empty."""

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

    def nbytes_for(self, tokens: int) -> int:
        """Return the memory it would hold with so many tokens in it, in bytes.

        What a token costs is known as soon as one is in it.
        """
        return self.nbytes

    @abstractmethod
    def empty(self) -> bool:
        """Whether nothing was ever appended."""

    @abstractmethod
    def copy(self) -> Self:
        """Return an independent cache of the same contents; neither sees the other's updates."""

    @abstractmethod
    def branch(self, snapshots: Sequence[Snapshot]) -> tuple[Self, list[Snapshot]]:
        """Return an independent copy that can come back to moments of this cache as well.

        Args:
            snapshots: Snapshots of this cache, from older to newer.

        Returns:
            The copy, and snapshots of it, of the same moments.

        Raises:
            ValueError: One is a snapshot of another cache.
        """

    def to_quantized(self, group_size: int = 64, bits: int = 4, start: int = 0) -> Cache:
        """Return a cache of the same contents that packs keys and values.

        Args:
            group_size: Neighbours sharing a scale.
            bits: Bits a value.
            start: How many tokens are held in full precision before all are packed.

        Raises:
            ValueError: There is no packed form of this kind.
        """
        raise ValueError(f"a {type(self).__name__} cannot be quantized; leave kv_bits out")

    def to_rotating(self, max_size: int, keep: int = 4) -> Cache:
        """Return a cache of the same contents that holds `max_size` tokens at most.

        Kinds that do not grow without end as they are return themselves.

        Args:
            max_size: Tokens held at most.
            keep: How many of the first tokens are never dropped.
        """
        return self

    @property
    def batch_kind(self) -> Hashable | None:
        """What caches have in common that `merge` takes together; None for kinds it refuses."""
        return None

    @classmethod
    def merge(cls, caches: Sequence[Self]) -> BatchCache:
        """Return one cache whose rows are the single rows of several, in their order.

        Raises:
            ValueError: Caches of this kind have no batched form, or these do not fit together.
        """
        raise ValueError(f"caches of the kind {cls.__name__} cannot be batched")
