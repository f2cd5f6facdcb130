"""Fourier transforms.

Every transform takes `norm`, which says what is divided by the number of elements n:
"backward" the inverse by n, "forward" the forward transform by n, "ortho" both by sqrt(n). And
every function takes `stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ._dtype import complex64
from ._ffi import lib
from ._handle import as_array, at, wrap
from .ops._arguments import ints, optional

if TYPE_CHECKING:
    from ._array import array
    from ._device import StreamOrDevice
    from ._handle import ArrayLike

__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "irfft",
    "irfft2",
    "irfftn",
    "istft",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
    "stft",
]

NORMS = {"backward": 0, "ortho": 1, "forward": 2}


def fft(
    a: ArrayLike,
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
        norm: as above.

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
    a: ArrayLike,
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
        norm: as above.

    Returns:
        complex64, of length `n` along `axis`.

    Raises:
        ValueError, IndexError: as in `fft`.
    """
    return _one(lib.h_fft_ifft, "ifft", a, n, axis, norm, stream)


def rfft(
    a: ArrayLike,
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
        norm: as above.

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
    a: ArrayLike,
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
        norm: as above.

    Returns:
        float32, of length `n` along `axis`.

    Raises:
        ValueError, IndexError: as in `fft`.
    """
    a = as_array(a)
    if n is None:
        n = 2 * (_length(a, axis) - 1)
    return _one(lib.h_fft_irfft, "irfft", a, n, axis, norm, stream)


def fft2(
    a: ArrayLike,
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
        norm: as above.

    Returns:
        complex64, of the lengths `s` along `axes`.

    Raises:
        ValueError, IndexError: as in `fftn`.
    """
    return _several(lib.h_fft_fftn, "fftn", a, s, axes, norm, stream)


def ifft2(
    a: ArrayLike,
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
        norm: as above.

    Returns:
        complex64, of the lengths `s` along `axes`.

    Raises:
        ValueError, IndexError: as in `fftn`.
    """
    return _several(lib.h_fft_ifftn, "ifftn", a, s, axes, norm, stream)


def rfft2(
    a: ArrayLike,
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
        norm: as above.

    Returns:
        complex64, of the lengths `s` along `axes`, but `s[-1] // 2 + 1` along the last of them.

    Raises:
        ValueError, IndexError: as in `fftn`.
    """
    return _several(lib.h_fft_rfftn, "rfftn", a, s, axes, norm, stream)


def irfft2(
    a: ArrayLike,
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
        norm: as above.

    Returns:
        float32, of the lengths `s` along `axes`.

    Raises:
        ValueError, IndexError: as in `fftn`.
    """
    return _several(lib.h_fft_irfftn, "irfftn", a, s, axes, norm, stream)


def fftn(
    a: ArrayLike,
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
        norm: as above.

    Returns:
        complex64, of the lengths `s` along `axes`.

    Raises:
        ValueError: a length is not positive, `s` and `axes` differ in number, an axis is given
            twice, or `norm` is unknown.
        IndexError: there is no such axis.
    """
    return _several(lib.h_fft_fftn, "fftn", a, s, axes, norm, stream)


def ifftn(
    a: ArrayLike,
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
        norm: as above.

    Returns:
        complex64, of the lengths `s` along `axes`.

    Raises:
        ValueError, IndexError: as in `fftn`.
    """
    return _several(lib.h_fft_ifftn, "ifftn", a, s, axes, norm, stream)


def rfftn(
    a: ArrayLike,
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
        norm: as above.

    Returns:
        complex64, of the lengths `s` along `axes`, but `s[-1] // 2 + 1` along the last of them.

    Raises:
        ValueError, IndexError: as in `fftn`.
    """
    return _several(lib.h_fft_rfftn, "rfftn", a, s, axes, norm, stream)


def irfftn(
    a: ArrayLike,
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
        norm: as above.

    Returns:
        float32, of the lengths `s` along `axes`.

    Raises:
        ValueError, IndexError: as in `fftn`.
    """
    return _several(lib.h_fft_irfftn, "irfftn", a, s, axes, norm, stream)


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
    a: ArrayLike, axes: int | Sequence[int] | None = None, stream: StreamOrDevice = None
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
    a: ArrayLike, axes: int | Sequence[int] | None = None, stream: StreamOrDevice = None
) -> array:
    """The inverse of `fftshift`, which is another shift where a length is odd.

    Args:
        a: any shape.
        axes: the axes to be shifted; None is all.

    Raises:
        IndexError: there is no such axis.
    """
    return _shifted(lib.h_fft_ifftshift, a, axes, stream)


def stft(
    x: ArrayLike,
    n_fft: int = 2048,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: array | None = None,
    center: bool = True,
    pad_mode: str = "reflect",
    norm: str = "backward",
    onesided: bool | None = None,
    stream: StreamOrDevice = None,
) -> array:
    """The Fourier transforms of short, overlapping pieces of a signal.

    Args:
        x: the signal, shape (..., L).
        n_fft: the length of a piece.
        hop_length: from the beginning of one piece to that of the next; None is `n_fft // 4`.
        win_length: the length of the window; None is that of `window`, or `n_fft`.
        window: what a piece is multiplied by, in its middle; it is 0 beyond. Shape
            (win_length,); None is ones.
        center: extend the signal by `n_fft // 2` at both ends, so that a piece has its middle at
            every multiple of `hop_length`.
        pad_mode: what the signal is extended with: "reflect", "edge" or "constant", which is 0.
        norm: as above.
        onesided: leave out what a real signal determines; None does so for real signals.

    Returns:
        complex64 of shape (..., frequencies, pieces); there are `n_fft // 2 + 1` frequencies if
        `onesided`, else `n_fft`.

    Raises:
        ValueError: the signal is too short, or an argument does not fit.

    Example:
        >>> import mlxc as mx
        >>> mx.fft.stft(mx.ones((64,)), n_fft=16).shape
        (9, 17)
    """
    x = as_array(x)
    taper, half = optional(window, "window"), onesided
    if half is None:
        half = lib.h_dtype(x._h) != complex64._code
    return wrap(
        lib.h_stft(
            x._h,
            n_fft,
            *_given(hop_length),
            *_given(win_length),
            taper,
            center,
            pad_mode.encode(),
            _norm(norm, "stft"),
            half,
            at(stream),
        )
    )


def istft(
    stft_matrix: ArrayLike,
    n_fft: int | None = None,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: array | None = None,
    center: bool = True,
    norm: str = "backward",
    onesided: bool | None = None,
    length: int | None = None,
    stream: StreamOrDevice = None,
) -> array:
    """The signal whose `stft` is given, as the mean of the pieces, weighted by the window.

    Args:
        stft_matrix: shape (..., frequencies, pieces).
        n_fft: the length of a piece; None is the even number that fits the frequencies.
        hop_length: as in `stft`.
        win_length: as in `stft`.
        window: as in `stft`.
        center: as in `stft`: what the signal was extended by is cut off.
        norm: as above.
        onesided: as in `stft`; None is True.
        length: how long the signal is: it is cut or filled up with zeros.

    Returns:
        The signal, shape (..., L); real if `onesided`.

    Raises:
        ValueError: the shapes do not fit.
    """
    stft_matrix = as_array(stft_matrix)
    taper = optional(window, "window")
    return wrap(
        lib.h_istft(
            stft_matrix._h,
            *_given(n_fft),
            *_given(hop_length),
            *_given(win_length),
            taper,
            center,
            _norm(norm, "istft"),
            True if onesided is None else onesided,
            *_given(length),
            at(stream),
        )
    )


def _one(
    function: Callable[..., int],
    name: str,
    a: ArrayLike,
    n: int | None,
    axis: int,
    norm: str,
    stream: StreamOrDevice,
) -> array:
    """A transform along one axis."""
    a, scaling = as_array(a), _norm(norm, name)
    length = _length(a, axis)
    return wrap(function(a._h, length if n is None else n, axis, scaling, at(stream)))


def _several(
    function: Callable[..., int],
    name: str,
    a: ArrayLike,
    s: Sequence[int] | None,
    axes: Sequence[int] | None,
    norm: str,
    stream: StreamOrDevice,
) -> array:
    """A transform along several axes."""
    a, scaling = as_array(a), _norm(norm, name)
    if axes is None:
        if s is not None:
            raise ValueError(f"[{name}] `axes` should not be `None` if `s` is not `None`.")
        axes = range(a.ndim)
    along = ints(axes, "axes")
    if s is None:
        lengths: Sequence[int] = [_length(a, axis) for axis in along]
        if name == "irfftn" and lengths:
            lengths = [*lengths[:-1], 2 * (lengths[-1] - 1)]
    else:
        lengths = ints(s, "s")
    return wrap(function(a._h, lengths, len(lengths), along, len(along), scaling, at(stream)))


def _shifted(
    function: Callable[..., int],
    a: ArrayLike,
    axes: int | Sequence[int] | None,
    stream: StreamOrDevice,
) -> array:
    a = as_array(a)
    along = range(a.ndim) if axes is None else ints(axes, "axes")
    return wrap(function(a._h, list(along), len(along), at(stream)))


def _length(a: array, axis: int) -> int:
    try:
        return a.shape[axis]
    except IndexError:
        raise IndexError(
            f"axis {axis} is out of bounds for an array with {a.ndim} dimensions"
        ) from None


def _norm(norm: str, name: str) -> int:
    """The number of a norm in C."""
    if norm not in NORMS:
        raise ValueError(
            f"[{name}] Invalid norm. Expected one of {{'backward', 'ortho', 'forward'}}, "
            f"but got {norm!r}."
        )
    return NORMS[norm]


def _given(value: int | None) -> tuple[int, bool]:
    """An optional integer as C takes it: the value, and whether there is one."""
    return (0, False) if value is None else (value, True)
