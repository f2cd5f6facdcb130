"""Diagonals of matrices, and the triangles on both sides.

Every function takes `stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._dtype import code_of, float32
from .._ffi import lib
from .._handle import at, only_array, wrap
from .create import zeros
from .reduce import sum as sum_

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice
    from .._dtype import Dtype

__all__ = [
    "diag",
    "diagonal",
    "eye",
    "identity",
    "trace",
    "tri",
    "tril",
    "triu",
]


def eye(
    n: int,
    m: int | None = None,
    k: int = 0,
    dtype: Dtype | None = float32,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """A matrix with ones on a diagonal and zeros elsewhere.

    Args:
        n: the number of rows.
        m: the number of columns; None is `n`.
        k: which diagonal; positive ones lie above the main one.
        dtype: the type; None is float32.

    Example:
        >>> import mlxc as mx
        >>> mx.eye(2)
        array([[1, 0],
               [0, 1]], dtype=float32)
    """
    columns = n if m is None else m
    return wrap(lib.h_eye(n, columns, k, code_of(dtype or float32), at(stream)))


def identity(n: int, dtype: Dtype | None = float32, *, stream: StreamOrDevice = None) -> array:
    """The identity matrix of shape (n, n).

    Args:
        n: the number of rows and of columns.
        dtype: the type; None is float32.

    Raises:
        ValueError: `n` is negative.

    Example:
        >>> import mlxc as mx
        >>> mx.identity(2)
        array([[1, 0],
               [0, 1]], dtype=float32)
    """
    return wrap(lib.h_identity(n, code_of(dtype or float32), at(stream)))


def tri(
    n: int,
    m: int | None = None,
    k: int = 0,
    dtype: Dtype | None = None,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """A matrix with ones on and below a diagonal and zeros above.

    Args:
        n: the number of rows.
        m: the number of columns; None is `n`.
        k: which diagonal; positive ones lie above the main one.
        dtype: the type; None is float32.

    Example:
        >>> import mlxc as mx
        >>> mx.tri(2, 3)
        array([[1, 0, 0],
               [1, 1, 0]], dtype=float32)
    """
    columns = n if m is None else m
    if columns <= 0:  # MLX counts the rows one by one, however many
        return zeros((n, 0), dtype, stream=stream)
    return wrap(lib.h_tri(n, columns, k, code_of(dtype or float32), at(stream)))


def tril(x: array, k: int = 0, *, stream: StreamOrDevice = None) -> array:
    """Matrices with zeros above a diagonal.

    Args:
        x: shape (..., N, M).
        k: which diagonal; positive ones lie above the main one.

    Example:
        >>> import mlxc as mx
        >>> mx.tril(mx.ones((2, 2)))
        array([[1, 0],
               [1, 1]], dtype=float32)
    """
    x = only_array(x)
    return wrap(lib.h_tril(x._h, k, at(stream)))


def triu(x: array, k: int = 0, *, stream: StreamOrDevice = None) -> array:
    """Matrices with zeros below a diagonal.

    Args:
        x: shape (..., N, M).
        k: which diagonal; positive ones lie above the main one.

    Example:
        >>> import mlxc as mx
        >>> mx.triu(mx.ones((2, 2)))
        array([[1, 1],
               [0, 1]], dtype=float32)
    """
    x = only_array(x)
    return wrap(lib.h_triu(x._h, k, at(stream)))


def diag(a: array, /, k: int = 0, *, stream: StreamOrDevice = None) -> array:
    """A diagonal of a matrix, or the matrix of a diagonal.

    Args:
        a: a matrix, or the elements of the diagonal of one that is zero elsewhere.
        k: which diagonal; positive ones lie above the main one.

    Raises:
        ValueError: `a` has neither one axis nor two.

    Example:
        >>> import mlxc as mx
        >>> mx.diag(mx.array([1, 2]))
        array([[1, 0],
               [0, 2]], dtype=int32)
    """
    a = only_array(a)
    return wrap(lib.h_diag(a._h, k, at(stream)))


def diagonal(
    a: array,
    offset: int = 0,
    axis1: int = 0,
    axis2: int = 1,
    stream: StreamOrDevice = None,
) -> array:
    """The diagonals of the matrices along two axes.

    Args:
        a: at least two axes.
        offset: which diagonal; positive ones lie above the main one.
        axis1: the axis of the rows.
        axis2: the axis of the columns.

    Returns:
        The shape of `a` without the two axes, and with the diagonal as the last.

    Raises:
        ValueError: `a` has fewer than two axes, or the two are the same.
        IndexError: there is no such axis.

    Example:
        >>> import mlxc as mx
        >>> mx.diagonal(mx.array([[1, 2, 3], [4, 5, 6]]), offset=1)
        array([2, 6], dtype=int32)
    """
    a = only_array(a)
    return wrap(lib.h_diagonal(a._h, offset, axis1, axis2, at(stream)))


def trace(
    a: array,
    /,
    offset: int = 0,
    axis1: int = 0,
    axis2: int = 1,
    dtype: Dtype | None = None,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The sum of a diagonal.

    Args:
        a: at least two axes.
        offset: which diagonal; positive ones lie above the main one.
        axis1: the axis of the rows.
        axis2: the axis of the columns.
        dtype: the type to sum in; None is that of `sum`.

    Returns:
        The shape of `a` without the two axes.

    Example:
        >>> import mlxc as mx
        >>> mx.trace(mx.array([[1, 2], [3, 4]]))
        array(5, dtype=int32)
    """
    a = only_array(a)
    diagonal = wrap(lib.h_diagonal(a._h, offset, axis1, axis2, at(stream)))
    if dtype is None:
        return sum_(diagonal, -1, stream=stream)
    # MLX's own trace never ends where the diagonal is empty.
    diagonal = wrap(lib.h_astype(diagonal._h, code_of(dtype), at(stream)))
    return sum_(diagonal, -1, stream=stream)
