"""The CUDA backend."""

from __future__ import annotations

from ._errors import check
from ._ffi import ffi, lib

__all__ = ["is_available"]


def is_available() -> bool:
    """Whether arrays can be computed on a GPU through CUDA.

    Example:
        >>> import mlxc as mx
        >>> mx.cuda.is_available() and mx.metal.is_available()
        False
    """
    result = ffi.new("bool*")
    check(lib.mlx_cuda_is_available(result))
    return bool(result[0])
