"""Linear algebra: norms, decompositions, inverses and solutions of matrices.

Matrices lie along the last two axes; further axes are a batch. Unless said otherwise they are
float32 or float64. Most functions here run on the CPU only: where the default device is a GPU,
pass `stream=mlxc.cpu`. Every function takes `stream`, the stream or device to run on; None is
the default.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ._dtype import DtypeCategory, complex64, float32, issubdtype
from ._ffi import ffi, lib
from ._handle import as_array, at, unpack, wrap
from ._structs import c_stream, two_results
from .ops._arguments import ints
from .ops.arithmetic import multiply, remainder, subtract
from .ops.cast import astype
from .ops.compare import not_equal
from .ops.create import arange
from .ops.elementwise import abs as abs_
from .ops.elementwise import conjugate, log, sign
from .ops.reduce import prod
from .ops.reduce import sum as sum_
from .ops.shape import diagonal

if TYPE_CHECKING:
    from ._array import array
    from ._device import StreamOrDevice
    from ._handle import ArrayLike

__all__ = [
    "cholesky",
    "cholesky_inv",
    "cross",
    "det",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "inv",
    "lu",
    "lu_factor",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "tri_inv",
]


def norm(
    a: ArrayLike,
    /,
    ord: float | str | None = None,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The length of vectors, or the norm of matrices.

    Args:
        a: any shape.
        ord: for vectors p, the root of the sum of `abs(a)**p`: inf is the largest, -inf the
            smallest absolute value, 0 counts what is not zero. For matrices "fro" the root of
            the sum of squares, "nuc" the sum of the singular values, 2 and -2 the largest and
            smallest of them, 1 and -1 the largest and smallest sum of absolute values of a
            column, inf and -inf of a row. None is 2 for vectors and "fro" for matrices.
        axis: the axis of the vectors or the two axes of the matrices; None is all of `a`,
            which may then have more than two only without `ord`.
        keepdims: keep the axes with length 1.

    Raises:
        ValueError: there is no such norm for so many axes.

    Example:
        >>> import mlxc as mx
        >>> mx.linalg.norm(mx.array([3.0, 4.0]))
        array(5, dtype=float32)
    """
    a = as_array(a)
    axes, count = ffi.NULL, 0
    if axis is not None:
        axes = ints(axis, "axis")
        count = len(axes)
    if ord is None:
        return wrap(lib.h_linalg_norm_l2(a._h, axes, count, keepdims, at(stream)))
    if isinstance(ord, str):
        name = ord.encode()
        return wrap(lib.h_linalg_norm_matrix(a._h, name, axes, count, keepdims, at(stream)))
    return wrap(lib.h_linalg_norm(a._h, ord, axes, count, keepdims, at(stream)))


def cross(a: ArrayLike, b: ArrayLike, axis: int = -1, *, stream: StreamOrDevice = None) -> array:
    """The cross product of vectors with two or three elements.

    Args:
        a: any shape with 2 or 3 along the axis; a missing third element is 0.
        b: any shape with 2 or 3 along the axis, which broadcasts with `a`.
        axis: the axis of the vectors.
    """
    a, b = as_array(a), as_array(b)
    return wrap(lib.h_linalg_cross(a._h, b._h, axis, at(stream)))


def qr(a: ArrayLike, *, stream: StreamOrDevice = None) -> tuple[array, array]:
    """The QR decomposition: `a = q @ r`.

    Args:
        a: shape (..., M, N).

    Returns:
        `q` of shape (..., M, K) with orthonormal columns, and `r` of shape (..., K, N), zero
        below the diagonal, where K is the smaller of M and N.
    """
    return two_results(lib.mlx_linalg_qr, as_array(a), c_stream(stream))


def svd(
    a: ArrayLike, compute_uv: bool = True, *, stream: StreamOrDevice = None
) -> array | tuple[array, ...]:
    """The singular value decomposition: `a = u[..., :K] * s @ vt[..., :K, :]`.

    Args:
        a: shape (..., M, N), float32, float64 or complex64; K is the smaller of M and N.
        compute_uv: whether to compute `u` and `vt` too.

    Returns:
        `(u, s, vt)` of shapes (..., M, M), (..., K) and (..., N, N), the singular values in
        descending order; without `compute_uv` just `s`.
    """
    a = as_array(a)
    results = unpack(lib.h_linalg_svd(a._h, compute_uv, at(stream)))
    return tuple(results) if compute_uv else results[0]


def inv(a: ArrayLike, *, stream: StreamOrDevice = None) -> array:
    """The inverse of square matrices.

    Args:
        a: shape (..., N, N).

    Raises:
        ValueError: the matrices are not square.
        RuntimeError: when evaluated, if a matrix is singular.
    """
    a = as_array(a)
    return wrap(lib.h_linalg_inv(a._h, at(stream)))


def tri_inv(a: ArrayLike, upper: bool = False, *, stream: StreamOrDevice = None) -> array:
    """The inverse of triangular matrices.

    Args:
        a: shape (..., N, N); only the named triangle is read.
        upper: whether the matrices are zero below the diagonal, rather than above.
    """
    a = as_array(a)
    return wrap(lib.h_linalg_tri_inv(a._h, upper, at(stream)))


def cholesky(a: ArrayLike, upper: bool = False, *, stream: StreamOrDevice = None) -> array:
    """The Cholesky decomposition of symmetric positive definite matrices.

    Args:
        a: shape (..., N, N).
        upper: give `u` with `a = u.T @ u` instead of `l` with `a = l @ l.T`.

    Returns:
        The shape of `a`; if a matrix is not positive definite, the result is undefined.
    """
    a = as_array(a)
    return wrap(lib.h_linalg_cholesky(a._h, upper, at(stream)))


def cholesky_inv(a: ArrayLike, upper: bool = False, *, stream: StreamOrDevice = None) -> array:
    """The inverse of the matrix whose Cholesky decomposition is given.

    Args:
        a: what `cholesky` gives, shape (..., N, N).
        upper: as in `cholesky`.
    """
    a = as_array(a)
    return wrap(lib.h_linalg_cholesky_inv(a._h, upper, at(stream)))


def pinv(a: ArrayLike, *, stream: StreamOrDevice = None) -> array:
    """The Moore-Penrose inverse.

    Args:
        a: shape (..., M, N).

    Returns:
        Shape (..., N, M).
    """
    a = as_array(a)
    return wrap(lib.h_linalg_pinv(a._h, at(stream)))


def eigvals(a: ArrayLike, *, stream: StreamOrDevice = None) -> array:
    """The eigenvalues of square matrices, in no certain order.

    Args:
        a: shape (..., N, N), float32, float64 or complex64.

    Returns:
        complex64 of shape (..., N).
    """
    a = as_array(a)
    return wrap(lib.h_linalg_eigvals(a._h, at(stream)))


def eig(a: ArrayLike, *, stream: StreamOrDevice = None) -> tuple[array, array]:
    """The eigenvalues and right eigenvectors of square matrices.

    Args:
        a: shape (..., N, N), float32, float64 or complex64.

    Returns:
        The eigenvalues, complex64 of shape (..., N), in no certain order, and the normalized
        eigenvectors, the columns of complex64 of shape (..., N, N).
    """
    a = as_array(a)
    values, vectors = two_results(lib.mlx_linalg_eig, a, c_stream(stream))
    # For complex matrices MLX 0.32 gives the conjugates of the eigenvectors.
    return values, conjugate(vectors, stream=stream) if a.dtype is complex64 else vectors


def eigvalsh(a: ArrayLike, UPLO: str = "L", *, stream: StreamOrDevice = None) -> array:
    """The eigenvalues of symmetric or Hermitian matrices, in ascending order.

    Args:
        a: shape (..., N, N), float32, float64 or complex64.
        UPLO: which triangle is read, "L" or "U".

    Returns:
        Real, of shape (..., N).
    """
    a = as_array(a)
    return wrap(lib.h_linalg_eigvalsh(a._h, _triangle(UPLO), at(stream)))


def eigh(a: ArrayLike, UPLO: str = "L", *, stream: StreamOrDevice = None) -> tuple[array, array]:
    """The eigenvalues and eigenvectors of symmetric or Hermitian matrices.

    Args:
        a: shape (..., N, N), float32, float64 or complex64.
        UPLO: which triangle is read, "L" or "U".

    Returns:
        The eigenvalues, real, ascending, of shape (..., N), and the orthonormal eigenvectors,
        the columns of shape (..., N, N).
    """
    triangle = _triangle(UPLO)
    return two_results(lib.mlx_linalg_eigh, as_array(a), triangle, c_stream(stream))


def _triangle(UPLO: str) -> bytes:
    if UPLO not in ("L", "U"):
        raise ValueError(f"UPLO must be 'L' for the lower or 'U' for the upper triangle: {UPLO!r}")
    return UPLO.encode()


def lu(a: ArrayLike, *, stream: StreamOrDevice = None) -> tuple[array, array, array]:
    """The LU decomposition with exchanged rows: `a = l[p] @ u`.

    Args:
        a: shape (..., M, N).

    Returns:
        `p`, uint32 of shape (..., M); `l` of shape (..., M, K) with ones on the diagonal and
        zeros above; `u` of shape (..., K, N) with zeros below the diagonal. K is the smaller
        of M and N.
    """
    a = as_array(a)
    p, lower, upper = unpack(lib.h_linalg_lu(a._h, at(stream)))
    return p, lower, upper


def lu_factor(a: ArrayLike, *, stream: StreamOrDevice = None) -> tuple[array, array]:
    """The LU decomposition in compact form.

    Args:
        a: shape (..., M, N).

    Returns:
        Both triangles in one matrix of the shape of `a`, without the ones of the lower, and
        the pivots: uint32 of shape (..., K), the row that row i was exchanged with at step i.
    """
    return two_results(lib.mlx_linalg_lu_factor, as_array(a), c_stream(stream))


def solve(a: ArrayLike, b: ArrayLike, *, stream: StreamOrDevice = None) -> array:
    """The `x` with `a @ x = b`.

    Args:
        a: shape (..., N, N).
        b: shape (..., N) or (..., N, K).

    Returns:
        The shape of `b`, broadcast.
    """
    a, b = as_array(a), as_array(b)
    return wrap(lib.h_linalg_solve(a._h, b._h, at(stream)))


def solve_triangular(
    a: ArrayLike, b: ArrayLike, *, upper: bool = False, stream: StreamOrDevice = None
) -> array:
    """The `x` with `a @ x = b` for triangular `a`.

    Args:
        a: shape (..., N, N); only the named triangle is read.
        b: shape (..., N) or (..., N, K).
        upper: whether the matrices are zero below the diagonal, rather than above.
    """
    a, b = as_array(a), as_array(b)
    return wrap(lib.h_linalg_solve_triangular(a._h, b._h, upper, at(stream)))


def det(a: ArrayLike, *, stream: StreamOrDevice = None) -> array:
    """The determinants of square matrices.

    Args:
        a: shape (..., N, N); integers are converted to float32.

    Returns:
        Shape (...).

    Raises:
        ValueError: the matrices are not square.
    """
    factors, parity = _diagonal_and_parity(as_array(a), stream)
    return multiply(prod(factors, -1, stream=stream), parity, stream=stream)


def slogdet(a: ArrayLike, *, stream: StreamOrDevice = None) -> tuple[array, array]:
    """The signs of determinants, and the logarithms of their absolute values.

    Args:
        a: shape (..., N, N).

    Returns:
        Both of shape (...). The sign is -1, 0 or 1; for 0 the logarithm is -inf.

    Raises:
        ValueError: the matrices are not square.
    """
    factors, parity = _diagonal_and_parity(as_array(a), stream)
    signs = prod(sign(factors, stream=stream), -1, stream=stream)
    logarithms = log(abs_(factors, stream=stream), stream=stream)
    return multiply(signs, parity, stream=stream), sum_(logarithms, -1, stream=stream)


def _diagonal_and_parity(a: array, stream: StreamOrDevice) -> tuple[array, array]:
    """The diagonal of U in `a = P L U`, and the determinant of P: 1 or -1."""
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ValueError(f"a determinant needs square matrices, got shape {a.shape}")
    if not issubdtype(a.dtype, DtypeCategory.inexact):
        a = astype(a, float32, stream=stream)
    compact, pivots = lu_factor(a, stream=stream)
    moved = not_equal(pivots, arange(a.shape[-1], stream=stream), stream=stream)
    odd = remainder(sum_(moved, -1, stream=stream), 2, stream=stream)
    parity = subtract(1, multiply(2, odd, stream=stream), stream=stream)
    return diagonal(compact, 0, -2, -1, stream=stream), parity
