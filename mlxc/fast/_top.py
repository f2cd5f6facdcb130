"""What stays of scores before a token is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._ffi import foreign, lib
from .._handle import at, only_array, wrap
from . import _composed

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice


def keep_top_k(a: array, /, k: int, *, stream: StreamOrDevice = None) -> array:
    """The k greatest elements of each row where they are, minus infinity elsewhere.

    Of equal elements some are kept, so that there are k. On a CPU float32 is not sorted for it;
    mlx.core lacks it.

    Args:
        a: floating point of shape (..., V).
        k: how many; all for V and more.

    Returns:
        The shape of `a`.

    Raises:
        ValueError: `a` is no array of floats with an axis, or `k` less than 1.

    Example:
        >>> import mlxc as mx
        >>> mx.fast.keep_top_k(mx.array([1.0, 3.0, 2.0]), 2)
        array([-inf, 3, 2], dtype=float32)
    """
    a = only_array(a)
    if foreign:
        return _composed.keep_top_k(a, k, stream)
    return wrap(lib.h_cpu_keep_top_k(a._h, k, at(stream)))


def keep_top_p(a: array, /, p: float, *, stream: StreamOrDevice = None) -> array:
    """The likeliest elements of each row that together reach the probability p.

    The others become minus infinity: those that, from the least on, add up to at most `1 - p`. The
    likeliest one always stays. On a CPU float32 is not sorted for it; mlx.core lacks it.
    Source: Holtzman et al., "The Curious Case of Neural Text Degeneration",
    https://arxiv.org/abs/1904.09751.

    Args:
        a: normalized log-probabilities, floating point of shape (..., V).
        p: above 0 and at most 1.

    Returns:
        The shape of `a`.

    Raises:
        ValueError: `a` is no array of floats with an axis, or `p` is out of range.

    Example:
        >>> import mlxc as mx
        >>> mx.exp(mx.fast.keep_top_p(mx.log(mx.array([0.125, 0.625, 0.25])), 0.75))
        array([0, 0.625, 0.25], dtype=float32)
    """
    a = only_array(a)
    if foreign:
        return _composed.keep_top_p(a, p, stream)
    return wrap(lib.h_cpu_keep_top_p(a._h, p, at(stream)))
