"""Determinants: by formula up to three rows, from the LU decomposition beyond."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._dtype import DtypeCategory, float32, issubdtype
from .._ffi import foreign, lib
from .._handle import at, only_array, wrap
from .._structs import c_stream, two_results
from ..ops.arithmetic import multiply, remainder, subtract
from ..ops.cast import astype
from ..ops.compare import not_equal
from ..ops.create import arange
from ..ops.diagonals import diagonal
from ..ops.elementwise import abs as abs_
from ..ops.elementwise import sign
from ..ops.exponential import log
from ..ops.reduce import prod
from ..ops.reduce import sum as sum_
from ._factor import lu_factor

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice


def det(a: array, *, stream: StreamOrDevice = None) -> array:
    """The determinants of square matrices.

    Args:
        a: shape (..., N, N); integers are converted to float32.

    Returns:
        Shape (...).

    Raises:
        ValueError: the matrices are not square.

    Example:
        >>> import mlxc as mx
        >>> mx.linalg.det(mx.array([[2.0, 0.0], [0.0, 4.0]]))
        array(8, dtype=float32)
    """
    a = only_array(a)
    if _has_formula(a):
        return wrap(lib.h_det(a._h, at(stream)))
    factors, parity = _diagonal_and_parity(a, stream)
    return multiply(prod(factors, -1, stream=stream), parity, stream=stream)


def slogdet(a: array, *, stream: StreamOrDevice = None) -> tuple[array, array]:
    """The signs of determinants, and the logarithms of their absolute values.

    Args:
        a: shape (..., N, N); integers are converted to float32.

    Returns:
        Both of shape (...). The sign is -1, 0 or 1; for 0 the logarithm is -inf.

    Raises:
        ValueError: the matrices are not square.

    Example:
        >>> import mlxc as mx
        >>> mx.linalg.slogdet(mx.array([[0.0, 1.0], [1.0, 0.0]]))
        (array(-1, dtype=float32), array(0, dtype=float32))
    """
    a = only_array(a)
    if _has_formula(a):
        return two_results(lib.mlxc_slogdet, a, c_stream(stream))
    factors, parity = _diagonal_and_parity(a, stream)
    signs = prod(sign(factors, stream=stream), -1, stream=stream)
    logarithms = log(abs_(factors, stream=stream), stream=stream)
    return multiply(signs, parity, stream=stream), sum_(logarithms, -1, stream=stream)


def _has_formula(a: array) -> bool:
    """Whether MLX needs no LU decomposition, which could not be vmapped."""
    return a.ndim >= 2 and a.shape[-2] == a.shape[-1] <= 3 and not foreign


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
