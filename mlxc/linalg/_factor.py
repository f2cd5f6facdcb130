"""Matrices as products of simpler ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._ffi import lib
from .._handle import at, only_array, unpack, wrap
from .._structs import c_stream, two_results
from ._matrices import with_elements

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice


def qr(a: array, *, stream: StreamOrDevice = None) -> tuple[array, array]:
    """The QR decomposition: `a = q @ r`.

    Args:
        a: shape (..., M, N).

    Returns:
        `q` of shape (..., M, K) with orthonormal columns, and `r` of shape (..., K, N), zero
        below the diagonal, where K is the smaller of M and N.

    Example:
        >>> import mlxc as mx
        >>> q, r = mx.linalg.qr(mx.eye(2))
        >>> q.shape, r.shape
        ((2, 2), (2, 2))
    """
    return two_results(lib.mlx_linalg_qr, only_array(a), c_stream(stream))


def svd(
    a: array, compute_uv: bool = True, *, stream: StreamOrDevice = None
) -> array | tuple[array, ...]:
    """The singular value decomposition: `a = u[..., :K] * s[..., None, :] @ vt[..., :K, :]`.

    Args:
        a: shape (..., M, N), float32, float64 or complex64; K is the smaller of M and N.
        compute_uv: whether to compute `u` and `vt` too.

    Returns:
        `(u, s, vt)` of shapes (..., M, M), (..., K) and (..., N, N), the singular values in
        descending order; without `compute_uv` just `s`.

    Raises:
        ValueError: `a` has fewer than two axes, or another type.

    Example:
        >>> import mlxc as mx
        >>> mx.linalg.svd(mx.array([[0.0, 2.0], [3.0, 0.0]]), compute_uv=False)
        array([3, 2], dtype=float32)
        >>> [part.shape for part in mx.linalg.svd(mx.ones((3, 2)))]
        [(3, 3), (2,), (2, 2)]
    """
    a = only_array(a)
    results = unpack(lib.h_linalg_svd(a._h, compute_uv, at(stream)))
    return tuple(results) if compute_uv else results[0]


def cholesky(a: array, upper: bool = False, *, stream: StreamOrDevice = None) -> array:
    """The Cholesky decomposition of symmetric positive definite matrices.

    Args:
        a: shape (..., N, N).
        upper: give `u` with `a = u.T @ u` instead of `l` with `a = l @ l.T`.

    Returns:
        The shape of `a`; if a matrix is not positive definite, the result is undefined.

    Example:
        >>> import mlxc as mx
        >>> mx.linalg.cholesky(mx.array([[4.0, 0.0], [0.0, 9.0]]))
        array([[2, 0],
               [0, 3]], dtype=float32)
    """
    a = only_array(a)
    return wrap(lib.h_linalg_cholesky(a._h, upper, at(stream)))


def lu(a: array, *, stream: StreamOrDevice = None) -> tuple[array, array, array]:
    """The LU decomposition with exchanged rows: `a = l[p] @ u` for each matrix.

    Args:
        a: shape (..., M, N).

    Returns:
        `p`, uint32 of shape (..., M); `l` of shape (..., M, K) with ones on the diagonal and
        zeros above; `u` of shape (..., K, N) with zeros below the diagonal. K is the smaller
        of M and N.

    Raises:
        ValueError: `a` has fewer than two axes, or another type, or the matrices are empty.

    Example:
        >>> import mlxc as mx
        >>> p, l, u = mx.linalg.lu(mx.array([[0.0, 2.0], [4.0, 6.0]]))
        >>> p, u
        (array([1, 0], dtype=uint32), array([[4, 6],
               [0, 2]], dtype=float32))
        >>> l[p] @ u
        array([[0, 2],
               [4, 6]], dtype=float32)
    """
    a = with_elements(a, "lu")
    p, lower, upper = unpack(lib.h_linalg_lu(a._h, at(stream)))
    return p, lower, upper


def lu_factor(a: array, *, stream: StreamOrDevice = None) -> tuple[array, array]:
    """The LU decomposition in compact form.

    Args:
        a: shape (..., M, N).

    Returns:
        Both triangles in one matrix of the shape of `a`, without the ones of the lower, and
        the pivots: uint32 of shape (..., K), the row that row i was exchanged with at step i.

    Raises:
        ValueError: `a` has fewer than two axes, or another type, or the matrices are empty.

    Example:
        >>> import mlxc as mx
        >>> compact, pivots = mx.linalg.lu_factor(mx.array([[1.0, 2.0], [2.0, 2.0]]))
        >>> compact
        array([[2, 2],
               [0.5, 1]], dtype=float32)
        >>> pivots
        array([1, 1], dtype=uint32)
    """
    return two_results(lib.mlx_linalg_lu_factor, with_elements(a, "lu_factor"), c_stream(stream))
