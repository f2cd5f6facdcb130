"""Memory of arrays: what is in use, what is kept for reuse, and limits. All in bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ._errors import check
from ._ffi import ffi, lib
from ._handle import Handle
from ._structs import c_vector
from .tree import tree_flatten

__all__ = [
    "cache_limit",
    "clear_cache",
    "get_active_memory",
    "get_array_buffer_size",
    "get_cache_memory",
    "get_memory_limit",
    "get_peak_memory",
    "memory_limit",
    "reset_peak_memory",
    "set_cache_limit",
    "set_memory_limit",
    "set_wired_limit",
    "trim_memory",
    "wired_limit",
]


def get_active_memory() -> int:
    """How much memory arrays use now; what the cache keeps does not count.

    Example:
        >>> import mlxc as mx
        >>> a = mx.ones((256,))
        >>> mx.eval(a)
        >>> mx.get_active_memory() >= 1024
        True
    """
    return _read(lib.mlx_get_active_memory)


def get_array_buffer_size(*args: Any) -> int:
    """How much memory stands behind arrays, counting what they share once.

    Args:
        *args: arrays, or trees of them; other leaves do not count.

    Returns:
        The size of the buffers as they were allocated, which may be more than the arrays need.

    Raises:
        ValueError: an array has not been evaluated.

    Example:
        >>> import mlxc as mx
        >>> a = mx.ones((256,))
        >>> mx.eval(a)
        >>> mx.get_array_buffer_size(a, {"again": a}) == mx.get_array_buffer_size(a) >= 1024
        True
    """
    arrays: list[Any] = [leaf for _, leaf in tree_flatten(args) if isinstance(leaf, Handle)]
    with c_vector(arrays) as vector:
        return _read(lambda size: lib.mlxc_get_array_buffer_size(size, vector))


def get_peak_memory() -> int:
    """The most memory that arrays used since the start or the last `reset_peak_memory`.

    Example:
        >>> import mlxc as mx
        >>> mx.eval(mx.ones((256,)))
        >>> mx.get_peak_memory() >= 1024
        True
    """
    return _read(lib.mlx_get_peak_memory)


def reset_peak_memory() -> None:
    """Begin to measure the peak again, from 0.

    Example:
        >>> import mlxc as mx
        >>> mx.reset_peak_memory()
        >>> mx.get_peak_memory()
        0
    """
    check(lib.mlx_reset_peak_memory())


def get_cache_memory() -> int:
    """How much memory is kept for new arrays after its own were freed.

    Example:
        >>> import mlxc as mx
        >>> mx.clear_cache()
        >>> mx.get_cache_memory()
        0
    """
    return _read(lib.mlx_get_cache_memory)


def get_memory_limit() -> int:
    """The limit that `set_memory_limit` sets.

    Example:
        >>> import mlxc as mx
        >>> before = mx.set_memory_limit(2**30)
        >>> mx.get_memory_limit()
        1073741824
        >>> mx.set_memory_limit(before)
        1073741824
    """
    return _read(lib.mlx_get_memory_limit)


def set_memory_limit(limit: int) -> int:
    """Set how much memory arrays should use at most.

    Above the limit, evaluation waits for arrays to be freed before it makes new ones; where
    there is nothing to wait for, the limit is exceeded.

    Args:
        limit: in bytes.

    Returns:
        The limit before.

    Raises:
        TypeError: `limit` is negative or no integer.

    Example:
        >>> import mlxc as mx
        >>> before = mx.set_memory_limit(2**30)
        >>> mx.set_memory_limit(before)
        1073741824
    """
    return _set(lib.mlx_set_memory_limit, limit)


def set_cache_limit(limit: int) -> int:
    """Set how much freed memory is kept for new arrays.

    Args:
        limit: in bytes; 0 gives everything back to the system at once.

    Returns:
        The limit before.

    Raises:
        TypeError: `limit` is negative or no integer.

    Example:
        >>> import mlxc as mx
        >>> before = mx.set_cache_limit(2**20)
        >>> mx.set_cache_limit(before)
        1048576
    """
    return _set(lib.mlx_set_cache_limit, limit)


def set_wired_limit(limit: int) -> int:
    """Set how much memory of arrays the system may not swap out. Only Metal has such a limit.

    Args:
        limit: in bytes; 0 wires none.

    Returns:
        The limit before; 0 without Metal.

    Raises:
        TypeError: `limit` is negative or no integer.
        ValueError: the limit exceeds what the system allows.

    Example:
        >>> import mlxc as mx
        >>> before = mx.set_wired_limit(0)
        >>> mx.set_wired_limit(before)
        0
    """
    return _set(lib.mlx_set_wired_limit, limit)


def clear_cache() -> None:
    """Give the freed memory that is kept for new arrays back to the system.

    Example:
        >>> import mlxc as mx
        >>> mx.clear_cache()
        >>> mx.get_cache_memory()
        0
    """
    check(lib.mlx_clear_cache())


def trim_memory() -> None:
    """Give the system what the C library keeps of freed memory: whole pages, wherever they lie.

    Small arrays, and large ones on a CPU, come from `malloc`, which keeps tens of megabytes for
    whoever asks next. Call this when much was freed that nothing will need soon, behind
    `clear_cache`; it takes about a millisecond for 10 MB. Nothing happens where the C library is
    not glibc.

    Example:
        >>> import mlxc as mx
        >>> mx.clear_cache()
        >>> mx.trim_memory()
    """
    lib.mlxc_trim_memory()


def memory_limit(limit: int) -> Any:
    """A context with a memory limit of its own; see `set_memory_limit`.

    Example:
        >>> import mlxc as mx
        >>> with mx.memory_limit(2**30):
        ...     mx.get_memory_limit()
        1073741824
    """
    return _limited(set_memory_limit, limit)


def cache_limit(limit: int) -> Any:
    """A context with a cache limit of its own; see `set_cache_limit`.

    Example:
        >>> import mlxc as mx
        >>> with mx.cache_limit(0):
        ...     a = mx.ones((1024,)) + 1
    """
    return _limited(set_cache_limit, limit)


def wired_limit(limit: int) -> Any:
    """A context with a wired limit of its own; see `set_wired_limit`.

    Example:
        >>> import mlxc as mx
        >>> with mx.wired_limit(2**20):
        ...     mx.eval(mx.ones((256,)) + 1)
    """
    return _limited(set_wired_limit, limit)


@contextmanager
def _limited(set_limit: Callable[[int], int], limit: int) -> Iterator[None]:
    before = set_limit(limit)
    try:
        yield
    finally:
        set_limit(before)


def _read(function: Any) -> int:
    result = ffi.new("size_t*")
    check(function(result))
    return int(result[0])


def _set(function: Any, limit: int) -> int:
    if limit < 0:
        raise TypeError(f"limit must not be negative, got {limit}")
    before = ffi.new("size_t*")
    check(function(before, limit))
    return int(before[0])
