"""The Metal backend."""

from __future__ import annotations

from ._errors import check
from ._ffi import ffi, lib

__all__ = ["is_available"]


def is_available() -> bool:
    """Whether arrays can be computed on a GPU through Metal."""
    result = ffi.new("bool*")
    check(lib.mlx_metal_is_available(result))
    return bool(result[0])
