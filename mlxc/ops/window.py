"""Window functions: weights that fade towards both ends, float32 of shape (M,).

Every function takes `stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._ffi import lib
from .._handle import at, wrap

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice

__all__ = ["bartlett", "blackman", "hamming", "hanning"]


def bartlett(M: int, *, stream: StreamOrDevice = None) -> array:
    """The triangular window, `1 - abs(2 n / (M - 1) - 1)`, with zeros at both ends.

    Args:
        M: the number of weights; none for 0 or less.

    Example:
        >>> import mlxc as mx
        >>> mx.bartlett(5)
        array([0, 0.5, 1, 0.5, 0], dtype=float32)
    """
    return wrap(lib.h_bartlett(M, at(stream)))


def hanning(M: int, *, stream: StreamOrDevice = None) -> array:
    """The raised cosine window, `0.5 - 0.5 cos(2 pi n / (M - 1))`, with zeros at both ends.

    Args:
        M: the number of weights; none for 0 or less.

    Example:
        >>> import mlxc as mx
        >>> mx.round(mx.hanning(5), 2)
        array([0, 0.5, 1, 0.5, 0], dtype=float32)
    """
    return wrap(lib.h_hanning(M, at(stream)))


def hamming(M: int, *, stream: StreamOrDevice = None) -> array:
    """The raised cosine window `0.54 - 0.46 cos(2 pi n / (M - 1))`.

    Args:
        M: the number of weights; none for 0 or less.

    Example:
        >>> import mlxc as mx
        >>> mx.round(mx.hamming(5), 2)
        array([0.08, 0.54, 1, 0.54, 0.08], dtype=float32)
    """
    return wrap(lib.h_hamming(M, at(stream)))


def blackman(M: int, *, stream: StreamOrDevice = None) -> array:
    """The window `0.42 - 0.5 cos(2 pi n / (M - 1)) + 0.08 cos(4 pi n / (M - 1))`.

    Args:
        M: the number of weights; none for 0 or less.

    Example:
        >>> import mlxc as mx
        >>> mx.round(mx.blackman(5), 2)
        array([0, 0.34, 1, 0.34, 0], dtype=float32)
    """
    return wrap(lib.h_blackman(M, at(stream)))
