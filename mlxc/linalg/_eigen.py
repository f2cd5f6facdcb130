"""Eigenvalues and eigenvectors."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from .._dtype import complex64
from .._ffi import lib
from .._handle import at, only_array, wrap
from .._structs import c_stream, two_results
from ..ops.elementwise import conjugate
from ..ops.logic import isfinite
from ..ops.reduce import all as all_
from ..ops.shape import squeeze
from ..ops.take import where

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice


def eigvals(a: array, *, stream: StreamOrDevice = None) -> array:
    """The eigenvalues of square matrices, in no certain order.

    Args:
        a: shape (..., N, N), float32, float64 or complex64.

    Returns:
        complex64 of shape (..., N); NaN for a matrix that is not finite.

    Raises:
        ValueError: the matrices are not square, or of another type.

    Example:
        >>> import mlxc as mx
        >>> sorted(mx.linalg.eigvals(mx.array([[0.0, -1.0], [1.0, 0.0]])).imag.tolist())
        [-1.0, 1.0]
    """
    a, finite = _finite(only_array(a), stream)
    values = wrap(lib.h_linalg_eigvals(a._h, at(stream)))
    return where(squeeze(finite, -1, stream=stream), values, nan, stream=stream)


def eig(a: array, *, stream: StreamOrDevice = None) -> tuple[array, array]:
    """The eigenvalues and right eigenvectors of square matrices.

    Args:
        a: shape (..., N, N), float32, float64 or complex64.

    Returns:
        The eigenvalues, complex64 of shape (..., N), in no certain order, and the normalized
        eigenvectors, the columns of complex64 of shape (..., N, N); NaN for a matrix that is not
        finite.

    Raises:
        ValueError: the matrices are not square, or of another type.

    Example:
        >>> import mlxc as mx
        >>> a = mx.array([[0.0, -1.0], [1.0, 0.0]])
        >>> values, vectors = mx.linalg.eig(a)
        >>> mx.allclose(a @ vectors, values * vectors)
        array(True, dtype=bool)
    """
    a, finite = _finite(only_array(a), stream)
    values, vectors = two_results(lib.mlx_linalg_eig, a, c_stream(stream))
    if a.dtype is complex64:  # MLX 0.32 gives the conjugates of their eigenvectors
        vectors = conjugate(vectors, stream=stream)
    values = where(squeeze(finite, -1, stream=stream), values, nan, stream=stream)
    return values, where(finite, vectors, nan, stream=stream)


def _finite(a: array, stream: StreamOrDevice) -> tuple[array, array]:
    """`a` with zeros for matrices that are not finite, and (..., 1, 1) telling which are.

    LAPACK writes out of bounds for the others.
    """
    if a.ndim < 2:  # MLX refuses it
        return a, a
    finite = all_(isfinite(a, stream=stream), axis=(-2, -1), keepdims=True, stream=stream)
    return where(finite, a, 0, stream=stream), finite


def eigvalsh(a: array, UPLO: str = "L", *, stream: StreamOrDevice = None) -> array:
    """The eigenvalues of symmetric or Hermitian matrices, in ascending order.

    Args:
        a: shape (..., N, N), float32, float64 or complex64.
        UPLO: which triangle is read, "L" or "U".

    Returns:
        Real, of shape (..., N).

    Raises:
        ValueError: the matrices are not square, or of another type, or `UPLO` is unknown.

    Example:
        >>> import mlxc as mx
        >>> mx.linalg.eigvalsh(mx.array([[3.0, 0.0], [0.0, 2.0]]))
        array([2, 3], dtype=float32)
    """
    a = only_array(a)
    return wrap(lib.h_linalg_eigvalsh(a._h, _triangle(UPLO), at(stream)))


def eigh(a: array, UPLO: str = "L", *, stream: StreamOrDevice = None) -> tuple[array, array]:
    """The eigenvalues and eigenvectors of symmetric or Hermitian matrices.

    Args:
        a: shape (..., N, N), float32, float64 or complex64.
        UPLO: which triangle is read, "L" or "U".

    Returns:
        The eigenvalues, real, ascending, of shape (..., N), and the orthonormal eigenvectors,
        the columns of shape (..., N, N).

    Raises:
        ValueError: the matrices are not square, or of another type, or `UPLO` is unknown.

    Example:
        >>> import mlxc as mx
        >>> a = mx.array([[2.0, 1.0], [1.0, 2.0]])
        >>> values, vectors = mx.linalg.eigh(a)
        >>> mx.allclose(a @ vectors, values * vectors)
        array(True, dtype=bool)
    """
    triangle = _triangle(UPLO)
    return two_results(lib.mlx_linalg_eigh, only_array(a), triangle, c_stream(stream))


def _triangle(UPLO: str) -> bytes:
    if UPLO not in ("L", "U"):
        raise ValueError(f"UPLO must be 'L' for the lower or 'U' for the upper triangle: {UPLO!r}")
    return UPLO.encode()
