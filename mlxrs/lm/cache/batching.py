"""What caches of several sequences at once offer beyond a cache."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Self

import mlxc as mx

from .base import Cache


class BatchCache(Cache):
    """A cache whose rows are sequences of their own, which may come and go.

    The tokens of all rows end at the same column, so a shorter sequence begins with padding, which
    no query sees. Several tokens at a time may end with padding instead: announce it with
    `prepare`, call the model as often as it takes, then `finalize` moves it to the front.
    """

    @property
    @abstractmethod
    def batch_size(self) -> int:
        """How many rows there are."""

    @abstractmethod
    def prepare(
        self,
        *,
        left_padding: Sequence[int] | None = None,
        lengths: Sequence[int] | None = None,
        right_padding: Sequence[int] | None = None,
    ) -> None:
        """Announce the padding of the tokens to come.

        Args:
            left_padding: Columns in front of each row, for a cache that is empty yet.
            lengths: Tokens to come of each row, without padding.
            right_padding: Columns behind each row.

        Raises:
            ValueError: There is not one number >= 0 a row, or the cache is not empty.
        """

    @abstractmethod
    def finalize(self) -> None:
        """Move announced padding behind the rows to their front."""

    @abstractmethod
    def filter(self, rows: Sequence[int]) -> None:
        """Keep the rows of the given numbers alone, in that order.

        Raises:
            IndexError: There is no such row.
        """

    @abstractmethod
    def extend(self, other: Self) -> None:
        """Add the rows of another cache of this kind behind one's own.

        Raises:
            ValueError: It does not fit; nothing has changed.
        """

    @abstractmethod
    def extract(self, row: int) -> Cache:
        """Return a cache of one row alone, without padding.

        Raises:
            IndexError: There is no such row.
        """


def check_counts(name: str, counts: Sequence[int], batch_size: int) -> tuple[int, ...]:
    """Return one number a row.

    Raises:
        ValueError: There are more or fewer, or one is below 0.
    """
    if len(counts) != batch_size or any(count < 0 for count in counts):
        raise ValueError(
            f"{name} must be one number >= 0 for each of {batch_size} rows, got {list(counts)}"
        )
    return tuple(counts)


def check_rows(rows: Sequence[int], batch_size: int) -> None:
    """Raise IndexError unless every number is that of a row."""
    for row in rows:
        if not 0 <= row < batch_size:
            raise IndexError(f"there is no row {row} in a batch of {batch_size}")


def dynamic_roll(x: mx.array, shifts: mx.array, axis: int) -> mx.array:
    """Roll every row of a batch by its own count, what leaves at the end entering in front.

    Args:
        x: `(B, …)`.
        shifts: By how much, integers `(B,)`.
        axis: Along which axis.
    """
    length = x.shape[axis]
    shape = [1] * x.ndim
    shape[axis] = length
    places = mx.arange(length).reshape(shape)
    sources = (places - shifts.reshape(-1, *[1] * (x.ndim - 1))) % length
    return mx.take_along_axis(x, sources, axis=axis)


def padded(arrays: Sequence[mx.array], length: int) -> list[mx.array]:
    """Return arrays `(B, H, S, ·)` with zeros in front of S up to a length."""
    missing = length - arrays[0].shape[2] if arrays else 0
    return [mx.pad(array, [(0, 0), (0, 0), (missing, 0), (0, 0)]) for array in arrays]
