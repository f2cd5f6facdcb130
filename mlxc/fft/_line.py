"""Transforms along one axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .._ffi import lib
from .._handle import at, only_array, wrap
from ._arguments import length, scaling

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice


def fft(
    a: array,
    n: int | None = None,
    axis: int = -1,
    norm: str = "backward",
    stream: StreamOrDevice = None,
) -> array:
    """The discrete Fourier transform along one axis: `sum(a[j] * exp(-2j * pi * j * k / n))`.

    Args:
        a: real or complex.
        n: the length of the transform; the axis is cut or filled up with zeros to it. None is
            the length of the axis.
        axis: the axis.
        norm: "backward", "ortho" or "forward", as the package says.

    Returns:
        complex64, of length `n` along `axis`.

    Raises:
        ValueError: `n` is not positive, or `norm` is unknown.
        IndexError: there is no such axis.

    Example:
        >>> import mlxc as mx
        >>> mx.fft.fft(mx.array([1.0, 0.0, 0.0, 0.0]))
        array([1+0j, 1+0j, 1+0j, 1+0j], dtype=complex64)
    """
    return _one(lib.h_fft_fft, "fft", a, n, axis, norm, stream)


def ifft(
    a: array,
    n: int | None = None,
    axis: int = -1,
    norm: str = "backward",
    stream: StreamOrDevice = None,
) -> array:
    """The inverse of `fft`.

    Args:
        a: real or complex.
        n: as in `fft`.
        axis: the axis.
        norm: "backward", "ortho" or "forward", as the package says.

    Returns:
        complex64, of length `n` along `axis`.

    Raises:
        ValueError, IndexError: as in `fft`.

    Example:
        >>> import mlxc as mx
        >>> mx.fft.ifft(mx.array([4.0, 0.0, 0.0, 0.0]))
        array([1+0j, 1+0j, 1+0j, 1+0j], dtype=complex64)
    """
    return _one(lib.h_fft_ifft, "ifft", a, n, axis, norm, stream)


def rfft(
    a: array,
    n: int | None = None,
    axis: int = -1,
    norm: str = "backward",
    stream: StreamOrDevice = None,
) -> array:
    """The half of the Fourier transform of real numbers that determines the other.

    Args:
        a: real; of complex numbers the imaginary part is dropped.
        n: as in `fft`.
        axis: the axis.
        norm: "backward", "ortho" or "forward", as the package says.

    Returns:
        complex64, of length `n // 2 + 1` along `axis`.

    Raises:
        ValueError, IndexError: as in `fft`.

    Example:
        >>> import mlxc as mx
        >>> mx.fft.rfft(mx.ones((4,)))
        array([4+0j, 0+0j, 0+0j], dtype=complex64)
    """
    return _one(lib.h_fft_rfft, "rfft", a, n, axis, norm, stream)


def irfft(
    a: array,
    n: int | None = None,
    axis: int = -1,
    norm: str = "backward",
    stream: StreamOrDevice = None,
) -> array:
    """The inverse of `rfft`.

    Args:
        a: complex.
        n: the length of the result, for which `n // 2 + 1` elements are taken; None is
            `2 * (length of the axis - 1)`.
        axis: the axis.
        norm: "backward", "ortho" or "forward", as the package says.

    Returns:
        float32, of length `n` along `axis`.

    Raises:
        ValueError, IndexError: as in `fft`.

    Example:
        >>> import mlxc as mx
        >>> mx.fft.irfft(mx.fft.rfft(mx.array([1.0, 2.0, 3.0])), n=3)
        array([1, 2, 3], dtype=float32)
    """
    a = only_array(a)
    if n is None:
        n = 2 * (length(a, axis) - 1)
    return _one(lib.h_fft_irfft, "irfft", a, n, axis, norm, stream)


def _one(
    function: Callable[..., int],
    name: str,
    a: array,
    n: int | None,
    axis: int,
    norm: str,
    stream: StreamOrDevice,
) -> array:
    """A transform along one axis."""
    a, by = only_array(a), scaling(norm, name)
    along = length(a, axis)
    return wrap(function(a._h, along if n is None else n, axis, by, at(stream)))
