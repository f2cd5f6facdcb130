"""The Metal backend, and old places of functions that concern every backend."""

from __future__ import annotations

from collections.abc import Callable
from os import fsencode
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from . import _device, memory
from ._errors import check
from ._ffi import ffi, lib

if TYPE_CHECKING:
    from os import PathLike

P = ParamSpec("P")
R = TypeVar("R")

__all__ = [
    "clear_cache",
    "device_info",
    "get_active_memory",
    "get_cache_memory",
    "get_peak_memory",
    "is_available",
    "reset_peak_memory",
    "set_cache_limit",
    "set_memory_limit",
    "set_wired_limit",
    "start_capture",
    "stop_capture",
]


def is_available() -> bool:
    """Whether arrays can be computed on a GPU through Metal.

    Example:
        >>> import mlxc as mx
        >>> backend = "metal" if mx.metal.is_available() else "another"
    """
    result = ffi.new("bool*")
    check(lib.mlx_metal_is_available(result))
    return bool(result[0])


def start_capture(path: str | PathLike[str]) -> None:
    """Begin to record what runs on the GPU, for Xcode; without Metal, nothing happens.

    Args:
        path: a file to be made, with the ending `.gputrace`. The process needs
            `MTL_CAPTURE_ENABLED=1` in its environment.

    Raises:
        RuntimeError: the capture cannot begin.

    Example:
        >>> import mlxc as mx
        >>> def record(path, *arrays):
        ...     mx.metal.start_capture(path)
        ...     mx.eval(*arrays)
        ...     mx.metal.stop_capture()
    """
    check(lib.mlx_metal_start_capture(fsencode(path)))


def stop_capture() -> None:
    """End what `start_capture` began.

    Example:
        >>> import mlxc as mx
        >>> def record(path, *arrays):
        ...     mx.metal.start_capture(path)
        ...     try:
        ...         mx.eval(*arrays)
        ...     finally:
        ...         mx.metal.stop_capture()
    """
    check(lib.mlx_metal_stop_capture())


def device_info() -> dict[str, str | int]:
    """Deprecated: what `mlxc.device_info` tells of the GPU; empty without Metal.

    Example:
        >>> import mlxc as mx
        >>> size = mx.device_info(mx.gpu).get("memory_size")  # not mx.metal.device_info()
    """
    _deprecated("device_info")
    return _device.device_info(_device.gpu) if is_available() else {}


def get_active_memory() -> int:
    """Deprecated: `mlxc.get_active_memory`.

    Example:
        >>> import mlxc as mx
        >>> mx.get_active_memory() >= 0  # not mx.metal.get_active_memory()
        True
    """
    return _moved(memory.get_active_memory)()


def get_peak_memory() -> int:
    """Deprecated: `mlxc.get_peak_memory`.

    Example:
        >>> import mlxc as mx
        >>> mx.get_peak_memory() >= 0  # not mx.metal.get_peak_memory()
        True
    """
    return _moved(memory.get_peak_memory)()


def reset_peak_memory() -> None:
    """Deprecated: `mlxc.reset_peak_memory`.

    Example:
        >>> import mlxc as mx
        >>> mx.reset_peak_memory()  # not mx.metal.reset_peak_memory()
    """
    _moved(memory.reset_peak_memory)()


def get_cache_memory() -> int:
    """Deprecated: `mlxc.get_cache_memory`.

    Example:
        >>> import mlxc as mx
        >>> mx.get_cache_memory() >= 0  # not mx.metal.get_cache_memory()
        True
    """
    return _moved(memory.get_cache_memory)()


def set_memory_limit(limit: int) -> int:
    """Deprecated: `mlxc.set_memory_limit`.

    Example:
        >>> import mlxc as mx
        >>> before = mx.set_memory_limit(2**30)  # not mx.metal.set_memory_limit(2**30)
        >>> mx.set_memory_limit(before)
        1073741824
    """
    return _moved(memory.set_memory_limit)(limit)


def set_cache_limit(limit: int) -> int:
    """Deprecated: `mlxc.set_cache_limit`.

    Example:
        >>> import mlxc as mx
        >>> before = mx.set_cache_limit(2**20)  # not mx.metal.set_cache_limit(2**20)
        >>> mx.set_cache_limit(before)
        1048576
    """
    return _moved(memory.set_cache_limit)(limit)


def set_wired_limit(limit: int) -> int:
    """Deprecated: `mlxc.set_wired_limit`.

    Example:
        >>> import mlxc as mx
        >>> before = mx.set_wired_limit(0)  # not mx.metal.set_wired_limit(0)
        >>> mx.set_wired_limit(before)
        0
    """
    return _moved(memory.set_wired_limit)(limit)


def clear_cache() -> None:
    """Deprecated: `mlxc.clear_cache`.

    Example:
        >>> import mlxc as mx
        >>> mx.clear_cache()  # not mx.metal.clear_cache()
    """
    _moved(memory.clear_cache)()


def _moved(function: Callable[P, R]) -> Callable[P, R]:
    """The function itself, with a warning for who calls it by its old place."""
    _deprecated(function.__name__, 4)
    return function


def _deprecated(name: str, level: int = 3) -> None:
    import warnings

    words = f"mlxc.metal.{name} is deprecated; use mlxc.{name}"
    warnings.warn(words, DeprecationWarning, stacklevel=level)
