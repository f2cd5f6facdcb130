"""Memory of arrays: what is in use, what is kept for reuse, and limits. All in bytes."""

from __future__ import annotations

from typing import Any

from ._errors import check
from ._ffi import ffi, lib

__all__ = [
    "clear_cache",
    "get_active_memory",
    "get_cache_memory",
    "get_memory_limit",
    "get_peak_memory",
    "reset_peak_memory",
    "set_cache_limit",
    "set_memory_limit",
    "set_wired_limit",
]


def get_active_memory() -> int:
    """How much memory arrays use now; what the cache keeps does not count."""
    return _read(lib.mlx_get_active_memory)


def get_peak_memory() -> int:
    """The most memory that arrays used since the start or the last `reset_peak_memory`."""
    return _read(lib.mlx_get_peak_memory)


def reset_peak_memory() -> None:
    """Begin to measure the peak again, from 0."""
    check(lib.mlx_reset_peak_memory())


def get_cache_memory() -> int:
    """How much memory is kept for new arrays after its own were freed."""
    return _read(lib.mlx_get_cache_memory)


def get_memory_limit() -> int:
    """The limit that `set_memory_limit` sets."""
    return _read(lib.mlx_get_memory_limit)


def set_memory_limit(limit: int) -> int:
    """Set how much memory arrays should use at most.

    Above the limit, evaluation waits for arrays to be freed before it makes new ones; where
    there is nothing to wait for, the limit is exceeded.

    Args:
        limit: in bytes.

    Returns:
        The limit before.
    """
    return _set(lib.mlx_set_memory_limit, limit)


def set_cache_limit(limit: int) -> int:
    """Set how much freed memory is kept for new arrays.

    Args:
        limit: in bytes; 0 gives everything back to the system at once.

    Returns:
        The limit before.
    """
    return _set(lib.mlx_set_cache_limit, limit)


def set_wired_limit(limit: int) -> int:
    """Set how much memory of arrays the system may not swap out. Only Metal has such a limit.

    Args:
        limit: in bytes; 0 wires none.

    Returns:
        The limit before.

    Raises:
        ValueError: the limit exceeds what the system allows.
    """
    return _set(lib.mlx_set_wired_limit, limit)


def clear_cache() -> None:
    """Give the freed memory that is kept for new arrays back to the system."""
    check(lib.mlx_clear_cache())


def _read(function: Any) -> int:
    result = ffi.new("size_t*")
    check(function(result))
    return int(result[0])


def _set(function: Any, limit: int) -> int:
    if limit < 0:
        raise ValueError(f"limit must not be negative, got {limit}")
    before = ffi.new("size_t*")
    check(function(before, limit))
    return int(before[0])
