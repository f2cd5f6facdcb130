"""The frequencies of a spectrum, and their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .._ffi import lib
from .._handle import at, only_array, wrap
from ..ops._arguments import ints

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice


def fftfreq(n: int, d: float = 1.0, stream: StreamOrDevice = None) -> array:
    """The frequencies that the elements of an `fft` belong to.

    Args:
        n: the length of the transform.
        d: the distance of two samples; the frequencies are in cycles of its unit.

    Returns:
        float32 of shape (n,): from 0 upwards, then the negative ones.

    Raises:
        ValueError: `n` is not positive.

    Example:
        >>> import mlxc as mx
        >>> mx.fft.fftfreq(4)
        array([0, 0.25, -0.5, -0.25], dtype=float32)
    """
    return wrap(lib.h_fft_fftfreq(n, d, at(stream)))


def rfftfreq(n: int, d: float = 1.0, stream: StreamOrDevice = None) -> array:
    """The frequencies that the elements of an `rfft` belong to.

    Args:
        n: the length of the transform.
        d: as in `fftfreq`.

    Returns:
        float32 of shape (n // 2 + 1,).

    Raises:
        ValueError: `n` is not positive.

    Example:
        >>> import mlxc as mx
        >>> mx.fft.rfftfreq(4)
        array([0, 0.25, 0.5], dtype=float32)
    """
    return wrap(lib.h_fft_rfftfreq(n, d, at(stream)))


def fftshift(
    a: array, axes: int | Sequence[int] | None = None, stream: StreamOrDevice = None
) -> array:
    """A spectrum with the frequency 0 in the middle.

    Args:
        a: any shape.
        axes: the axes to be shifted; None is all.

    Raises:
        IndexError: there is no such axis.

    Example:
        >>> import mlxc as mx
        >>> mx.fft.fftshift(mx.fft.fftfreq(4))
        array([-0.5, -0.25, 0, 0.25], dtype=float32)
    """
    return _shifted(lib.h_fft_fftshift, a, axes, stream)


def ifftshift(
    a: array, axes: int | Sequence[int] | None = None, stream: StreamOrDevice = None
) -> array:
    """The inverse of `fftshift`, which is another shift where a length is odd.

    Args:
        a: any shape.
        axes: the axes to be shifted; None is all.

    Raises:
        IndexError: there is no such axis.

    Example:
        >>> import mlxc as mx
        >>> mx.fft.ifftshift(mx.fft.fftshift(mx.arange(3)))
        array([0, 1, 2], dtype=int32)
    """
    return _shifted(lib.h_fft_ifftshift, a, axes, stream)


def _shifted(
    function: Callable[..., int],
    a: array,
    axes: int | Sequence[int] | None,
    stream: StreamOrDevice,
) -> array:
    a = only_array(a)
    along = range(a.ndim) if axes is None else ints(axes, "axes")
    return wrap(function(a._h, list(along), len(along), at(stream)))
