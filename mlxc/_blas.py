"""Which BLAS the matrix products and decompositions of the CPU run on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ._ffi import blas, ffi


@dataclass(frozen=True)
class BlasInfo:
    """What `blas_info` tells.

    Attributes:
        provider: "openblas", "accelerate", or "reference" (slow).
        library: path of the library, where it is not part of the backend.
        config: the library's own description of itself, empty if it gives none.
        threads: how many threads it uses.
        reason: why this one.
    """

    provider: str
    library: str | None
    config: str
    threads: int
    reason: str


def blas_info() -> BlasInfo:
    """Which BLAS is in force, and why.

    Example:
        >>> import mlxc as mx
        >>> mx.blas_info().provider in ("openblas", "accelerate", "reference")
        True
    """
    config, threads = "", 1
    if blas.openblas is not None:
        config = _config(blas.openblas)
        threads = _call(blas.openblas, "int(*)(void)", "scipy_openblas_get_num_threads")
    return BlasInfo(blas.provider, blas.library, config, threads, blas.reason)


def _config(library: Any) -> str:
    text = _call(library, "char*(*)(void)", "scipy_openblas_get_config")
    return str(ffi.string(text).decode()).strip()


def _call(library: Any, type: str, name: str) -> Any:
    return library.load_function(ffi.typeof(type), name)()
