"""Transforms along several axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .._ffi import lib
from .._handle import at, only_array, wrap
from ..ops._arguments import ints
from ._arguments import length, scaling

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice


def fftn(
    a: array,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str = "backward",
    stream: StreamOrDevice = None,
) -> array:
    """The Fourier transform along several axes, one after another.

    Args:
        a: real or complex.
        s: the length of the transform along each axis, which is cut or filled up with zeros to
            it; only together with `axes`. None is the lengths of the axes.
        axes: the axes; None is all.
        norm: "backward", "ortho" or "forward", as the package says.

    Returns:
        complex64, of the lengths `s` along `axes`.

    Raises:
        ValueError: a length is not positive, `s` and `axes` differ in number, an axis is given
            twice, `a` has none, or `norm` is unknown.
        IndexError: there is no such axis.

    Example:
        >>> import mlxc as mx
        >>> mx.fft.fftn(mx.ones((2, 2)))
        array([[4+0j, 0+0j],
               [0+0j, 0+0j]], dtype=complex64)
        >>> mx.fft.fftn(mx.ones((3, 4, 5)), s=(8, 8), axes=(0, 2)).shape
        (8, 4, 8)
    """
    return _several(lib.h_fft_fftn, "fftn", a, s, axes, norm, stream)


def ifftn(
    a: array,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str = "backward",
    stream: StreamOrDevice = None,
) -> array:
    """The inverse of `fftn`.

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
        >>> mx.fft.ifftn(mx.fft.fftn(mx.ones((1, 1, 2))))
        array([[[1+0j, 1+0j]]], dtype=complex64)
    """
    return _several(lib.h_fft_ifftn, "ifftn", a, s, axes, norm, stream)


def rfftn(
    a: array,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str = "backward",
    stream: StreamOrDevice = None,
) -> array:
    """`rfft` along the last of several axes, then `fft` along the others.

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
        >>> mx.fft.rfftn(mx.ones((2, 3, 4))).shape
        (2, 3, 3)
    """
    return _several(lib.h_fft_rfftn, "rfftn", a, s, axes, norm, stream)


def irfftn(
    a: array,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: str = "backward",
    stream: StreamOrDevice = None,
) -> array:
    """The inverse of `rfftn`.

    Args:
        a: complex.
        s: the lengths of the result, only together with `axes`; of the last axis `s[-1] // 2 + 1`
            elements are taken. None is the lengths of the axes, but 2 (length - 1) for the last.
        axes: the axes; None is all.
        norm: "backward", "ortho" or "forward", as the package says.

    Returns:
        float32, of the lengths `s` along `axes`.

    Raises:
        ValueError, IndexError: as in `fftn`.

    Example:
        >>> import mlxc as mx
        >>> mx.fft.irfftn(mx.fft.rfftn(mx.ones((1, 2, 2))))
        array([[[1, 1],
                [1, 1]]], dtype=float32)
    """
    return _several(lib.h_fft_irfftn, "irfftn", a, s, axes, norm, stream)


def _several(
    function: Callable[..., int],
    name: str,
    a: array,
    s: Sequence[int] | None,
    axes: Sequence[int] | None,
    norm: str,
    stream: StreamOrDevice,
) -> array:
    """A transform along several axes."""
    a, by = only_array(a), scaling(norm, name)
    if axes is None:
        if s is not None:
            raise ValueError(f"[{name}] `axes` should not be `None` if `s` is not `None`.")
        axes = range(a.ndim)
    along = ints(axes, "axes")
    if s is None:
        lengths: Sequence[int] = [length(a, axis) for axis in along]
        if name == "irfftn" and lengths:
            lengths = [*lengths[:-1], 2 * (lengths[-1] - 1)]
    else:
        lengths = ints(s, "s")
    return wrap(function(a._h, lengths, len(lengths), along, len(along), by, at(stream)))
