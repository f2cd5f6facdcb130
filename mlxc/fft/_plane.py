"""Transforms along two axes: those along several, with the last two as the default."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ._several import fftn, ifftn, irfftn, rfftn

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice


def fft2(
    a: array,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = (-2, -1),
    norm: str = "backward",
    stream: StreamOrDevice = None,
) -> array:
    """The Fourier transform along two axes; the same as `fftn`, but for the default of `axes`.

    Args:
        a: real or complex.
        s: as in `fftn`.
        axes: the axes; None is all.
        norm: "backward", "ortho" or "forward", as the package says.

    Returns:
        complex64, of the lengths `s` along `axes`.

    Raises:
        ValueError, IndexError: as in `fftn`.

    Example:
        >>> import mlxc as mx
        >>> mx.fft.fft2(mx.ones((2, 2)))
        array([[4+0j, 0+0j],
               [0+0j, 0+0j]], dtype=complex64)
    """
    return fftn(a, s, axes, norm, stream)


def ifft2(
    a: array,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = (-2, -1),
    norm: str = "backward",
    stream: StreamOrDevice = None,
) -> array:
    """The inverse of `fft2`.

    Args:
        a: real or complex.
        s: as in `fftn`.
        axes: the axes; None is all.
        norm: "backward", "ortho" or "forward", as the package says.

    Returns:
        complex64, of the lengths `s` along `axes`.

    Raises:
        ValueError, IndexError: as in `fftn`.

    Example:
        >>> import mlxc as mx
        >>> mx.fft.ifft2(mx.ones((2, 2)))
        array([[1+0j, 0+0j],
               [0+0j, 0+0j]], dtype=complex64)
    """
    return ifftn(a, s, axes, norm, stream)


def rfft2(
    a: array,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = (-2, -1),
    norm: str = "backward",
    stream: StreamOrDevice = None,
) -> array:
    """`rfft` along the last of two axes, then `fft` along the other.

    Args:
        a: real; of complex numbers the imaginary part is dropped.
        s: as in `fftn`.
        axes: the axes; None is all.
        norm: "backward", "ortho" or "forward", as the package says.

    Returns:
        complex64, of the lengths `s` along `axes`, but `s[-1] // 2 + 1` along the last of them.

    Raises:
        ValueError, IndexError: as in `fftn`.

    Example:
        >>> import mlxc as mx
        >>> mx.fft.rfft2(mx.ones((2, 4)))
        array([[8+0j, 0+0j, 0+0j],
               [0+0j, 0+0j, 0+0j]], dtype=complex64)
    """
    return rfftn(a, s, axes, norm, stream)


def irfft2(
    a: array,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = (-2, -1),
    norm: str = "backward",
    stream: StreamOrDevice = None,
) -> array:
    """The inverse of `rfft2`.

    Args:
        a: complex.
        s: as in `irfftn`.
        axes: the axes; None is all.
        norm: "backward", "ortho" or "forward", as the package says.

    Returns:
        float32, of the lengths `s` along `axes`.

    Raises:
        ValueError, IndexError: as in `fftn`.

    Example:
        >>> import mlxc as mx
        >>> mx.fft.irfft2(mx.array([[8, 0j, 0], [0, 0, 0]]))
        array([[1, 1, 1, 1],
               [1, 1, 1, 1]], dtype=float32)
    """
    return irfftn(a, s, axes, norm, stream)
