"""Fourier transforms.

Every transform takes `norm`, which says what is divided by the number of elements n:
"backward" the inverse by n, "forward" the forward transform by n, "ortho" both by sqrt(n). And
every function takes `stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from ._frequencies import fftfreq, fftshift, ifftshift, rfftfreq
from ._line import fft, ifft, irfft, rfft
from ._plane import fft2, ifft2, irfft2, rfft2
from ._several import fftn, ifftn, irfftn, rfftn
from ._short_time import istft, stft

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
