"""Inverses, and solutions of systems of linear equations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._ffi import lib
from .._handle import at, only_array, wrap
from ._matrices import with_elements

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice


def inv(a: array, *, stream: StreamOrDevice = None) -> array:
    """The inverse of square matrices.

    Args:
        a: shape (..., N, N).

    Raises:
        ValueError: the matrices are not square, or empty.
        RuntimeError: when evaluated, if a matrix is singular.

    Example:
        >>> import mlxc as mx
        >>> mx.linalg.inv(mx.array([[2.0, 0.0], [0.0, 4.0]]))
        array([[0.5, 0],
               [-0, 0.25]], dtype=float32)
    """
    a = with_elements(a, "inv")
    return wrap(lib.h_linalg_inv(a._h, at(stream)))


def tri_inv(a: array, upper: bool = False, *, stream: StreamOrDevice = None) -> array:
    """The inverse of triangular matrices.

    Args:
        a: shape (..., N, N); only the named triangle is read.
        upper: whether the matrices are zero below the diagonal, rather than above.

    Raises:
        ValueError: the matrices are not square, or empty, or of another type.
        RuntimeError: when evaluated, if a matrix has a zero on its diagonal.

    Example:
        >>> import mlxc as mx
        >>> mx.linalg.tri_inv(mx.array([[1.0, 0.0], [2.0, 1.0]]))
        array([[1, 0],
               [-2, 1]], dtype=float32)
    """
    a = with_elements(a, "tri_inv")
    return wrap(lib.h_linalg_tri_inv(a._h, upper, at(stream)))


def cholesky_inv(a: array, upper: bool = False, *, stream: StreamOrDevice = None) -> array:
    """The inverse of the matrix whose Cholesky decomposition is given.

    Args:
        a: what `cholesky` gives, shape (..., N, N).
        upper: as in `cholesky`.

    Raises:
        ValueError: the matrices are not square, or empty, or of another type.
        RuntimeError: when evaluated, if a matrix has a zero on its diagonal.

    Example:
        >>> import mlxc as mx
        >>> mx.linalg.cholesky_inv(mx.array([[2.0, 0.0], [0.0, 1.0]]))
        array([[0.25, 0],
               [0, 1]], dtype=float32)
    """
    a = with_elements(a, "cholesky_inv")
    return wrap(lib.h_linalg_cholesky_inv(a._h, upper, at(stream)))


def pinv(a: array, *, stream: StreamOrDevice = None) -> array:
    """The Moore-Penrose inverse.

    Args:
        a: shape (..., M, N).

    Returns:
        Shape (..., N, M).

    Raises:
        ValueError: `a` has fewer than two axes, or another type.

    Example:
        >>> import mlxc as mx
        >>> mx.linalg.pinv(mx.array([[1.0, 1.0]]))
        array([[0.5],
               [0.5]], dtype=float32)
    """
    a = only_array(a)
    return wrap(lib.h_linalg_pinv(a._h, at(stream)))


def solve(a: array, b: array, *, stream: StreamOrDevice = None) -> array:
    """The `x` with `a @ x = b`.

    Args:
        a: shape (..., N, N).
        b: shape (..., N, K), or (N,) beside a single matrix.

    Returns:
        The shape of `b`, broadcast.

    Example:
        >>> import mlxc as mx
        >>> mx.linalg.solve(mx.array([[2.0, 0.0], [0.0, 4.0]]), mx.array([2.0, 2.0]))
        array([1, 0.5], dtype=float32)
    """
    a, b = with_elements(a, "solve"), only_array(b)
    return wrap(lib.h_linalg_solve(a._h, b._h, at(stream)))


def solve_triangular(
    a: array, b: array, *, upper: bool = False, stream: StreamOrDevice = None
) -> array:
    """The `x` with `a @ x = b` for triangular `a`.

    Args:
        a: shape (..., N, N); only the named triangle is read.
        b: one vector of shape (N,), or shape (..., N, K).
        upper: whether the matrices are zero below the diagonal, rather than above.

    Returns:
        Shape (..., N) for one vector, or (..., N, K), broadcast.

    Raises:
        ValueError: the matrices are not square, or empty, or the shapes or types do not fit.
        RuntimeError: when evaluated, if a matrix has a zero on its diagonal.

    Example:
        >>> import mlxc as mx
        >>> a = mx.array([[2.0, 0.0], [1.0, 1.0]])
        >>> mx.linalg.solve_triangular(a, mx.array([2.0, 3.0]))
        array([1, 2], dtype=float32)
    """
    a, b = with_elements(a, "solve_triangular"), only_array(b)
    return wrap(lib.h_linalg_solve_triangular(a._h, b._h, upper, at(stream)))
