"""Transforms of short pieces of a signal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._dtype import complex64
from .._ffi import lib
from .._handle import at, only_array, wrap
from ..ops._arguments import optional, text
from ._arguments import scaling

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice


def stft(
    x: array,
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
        norm: "backward", "ortho" or "forward", as the package says.
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
    x = only_array(x)
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
            text(pad_mode, "pad_mode"),
            scaling(norm, "stft"),
            half,
            at(stream),
        )
    )


def istft(
    stft_matrix: array,
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
        norm: "backward", "ortho" or "forward", as the package says.
        onesided: as in `stft`; None is True.
        length: how long the signal is: it is cut there, or goes on with what it was extended by,
            then zeros.

    Returns:
        The signal, float32 of shape (..., L); of a complex one the real part.

    Raises:
        ValueError: the shapes do not fit.

    Example:
        >>> import mlxc as mx
        >>> spectra = mx.fft.stft(mx.ones((64,)), n_fft=16)
        >>> signal = mx.fft.istft(spectra)
        >>> signal.shape, mx.allclose(signal, mx.array(1.0)).item()
        ((64,), True)
    """
    stft_matrix = only_array(stft_matrix)
    taper = optional(window, "window")
    return wrap(
        lib.h_istft(
            stft_matrix._h,
            *_given(n_fft),
            *_given(hop_length),
            *_given(win_length),
            taper,
            center,
            scaling(norm, "istft"),
            True if onesided is None else onesided,
            *_given(length),
            at(stream),
        )
    )


def _given(value: int | None) -> tuple[int, bool]:
    """An optional integer as C takes it: the value, and whether there is one."""
    return (0, False) if value is None else (value, True)
