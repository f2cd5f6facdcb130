"""Keys, and the sequence that gives them when there is none."""

from __future__ import annotations

from _thread import _local
from collections.abc import Iterator
from functools import cache
from operator import index
from time import time_ns
from typing import TYPE_CHECKING

from .._ffi import lib
from .._handle import Handle, at, only_array, wrap
from .._structs import c_stream, two_results

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice


def seed(seed: int) -> None:
    """Start the calling thread's sequence of keys.

    Args:
        seed: from 0 to 2**64 - 1.

    Raises:
        TypeError: the seed is another value.

    Example:
        >>> import mlxc as mx
        >>> mx.random.seed(7)
        >>> first = mx.random.uniform()
        >>> mx.random.seed(7)
        >>> mx.random.uniform() == first
        array(True, dtype=bool)
    """
    _sequence.key = key(seed)


def key(seed: int) -> array:
    """The key of a seed: uint32 of shape (2,).

    Args:
        seed: from 0 to 2**64 - 1.

    Raises:
        TypeError: the seed is another value.

    Example:
        >>> import mlxc as mx
        >>> mx.random.key(7)
        array([0, 7], dtype=uint32)
    """
    return wrap(lib.h_random_key(_checked_seed(seed)))


def _checked_seed(seed: int) -> int:
    number = index(seed)
    if not 0 <= number < 2**64:
        raise TypeError(f"seed must be from 0 to 2**64 - 1, got {number}")
    return number


class RandomState:
    """What `mlxc.random.state` is: the calling thread's key, as a sequence of one array.

    Every draw without a key replaces it.

    Example:
        >>> import mlxc as mx
        >>> mx.random.seed(3)
        >>> mx.random.state[0]
        array([0, 3], dtype=uint32)
    """

    __slots__ = ()

    def __len__(self) -> int:
        return 1

    def __getitem__(self, position: int) -> array:
        if index(position) not in (0, -1):
            raise IndexError("random state index out of range")
        return _sequence.now()

    def __iter__(self) -> Iterator[array]:
        yield _sequence.now()


class _Sequence(_local):
    """The calling thread's sequence of keys, begun by the clock unless it is seeded."""

    key: array | None = None

    def now(self) -> array:
        if self.key is None:
            self.key = key(_first_seed())
        return self.key

    def next(self) -> array:
        self.key, drawn = two_results(lib.mlx_random_split, self.now(), c_stream(None))
        return drawn


@cache
def _first_seed() -> int:
    return time_ns() // 1_000_000


_sequence = _Sequence()
state = RandomState()


def replace_key(key: array) -> None:
    """Go on with another key in the calling thread, as a compiled function does."""
    _sequence.key = key


def key_or_next(key: array | None) -> array:
    """The key given, or the next of the calling thread's sequence."""
    if key is None:
        return _sequence.next()
    if not isinstance(key, Handle):
        raise TypeError(f"key must be an array or None, got {type(key).__name__}")
    return key


def split(key: array, num: int = 2, stream: StreamOrDevice = None) -> array:
    """Independent keys made of one.

    Args:
        key: the key, not to be used again.
        num: how many.

    Returns:
        uint32 of shape (num, 2).

    Example:
        >>> import mlxc as mx
        >>> first, second = mx.random.split(mx.random.key(0))
    """
    key = only_array(key)
    return wrap(lib.h_random_split_num(key._h, num, at(stream)))
