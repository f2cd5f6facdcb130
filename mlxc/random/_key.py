"""Keys, and the sequence that gives them when there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._errors import check
from .._ffi import lib
from .._handle import as_array, at, wrap

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice
    from .._handle import ArrayLike


def seed(seed: int) -> None:
    """Start the calling thread's sequence of keys.

    Args:
        seed: from 0 to 2**64 - 1.
    """
    check(lib.mlx_random_seed(_checked_seed(seed)))


def key(seed: int) -> array:
    """The key of a seed: uint32 of shape (2,).

    Args:
        seed: from 0 to 2**64 - 1.
    """
    return wrap(lib.h_random_key(_checked_seed(seed)))


def _checked_seed(seed: int) -> int:
    if not 0 <= seed < 2**64:
        raise ValueError(f"seed must be from 0 to 2**64 - 1, got {seed}")
    return seed


def split(key: ArrayLike, num: int = 2, stream: StreamOrDevice = None) -> array:
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
    key = as_array(key)
    return wrap(lib.h_random_split_num(key._h, num, at(stream)))
