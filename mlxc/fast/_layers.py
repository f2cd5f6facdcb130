"""Normalization, rotary positions and the loss of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._ffi import foreign, lib
from .._handle import as_array, at, only_array, wrap
from ..ops._arguments import optional
from . import _composed

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice


def rms_norm(x: array, weight: array | None, eps: float, *, stream: StreamOrDevice = None) -> array:
    """The last axis divided by its root mean square: `x / sqrt(mean(x**2) + eps) * weight`.

    Args:
        x: shape (..., D).
        weight: shape (D,); None is 1.
        eps: what is added to the mean square.

    Returns:
        The shape of `x`, in the dtype that `x` and `weight` promote to.

    Example:
        >>> import mlxc as mx
        >>> mx.fast.rms_norm(mx.array([3.0, 3.0]), None, 0.0)
        array([1, 1], dtype=float32)
    """
    x = only_array(x)
    return wrap(lib.h_cpu_rms_norm(x._h, optional(weight, "weight"), eps, at(stream)))


def layer_norm(
    x: array,
    weight: array | None,
    bias: array | None,
    eps: float,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The last axis with mean 0 and variance 1, then scaled and shifted.

    `(x - mean(x)) / sqrt(var(x) + eps) * weight + bias`.

    Args:
        x: shape (..., D).
        weight: shape (D,); None is 1.
        bias: shape (D,); None is 0.
        eps: what is added to the variance.

    Returns:
        The shape of `x`, in the dtype that `x`, `weight` and `bias` promote to.

    Raises:
        ValueError: `x` has no axis or is not of floats, or `weight` or `bias` not of its length D.

    Example:
        >>> import mlxc as mx
        >>> mx.fast.layer_norm(mx.array([1.0, 3.0]), None, None, 0.0)
        array([-1, 1], dtype=float32)
    """
    x = only_array(x)
    scale, shift = optional(weight, "weight"), optional(bias, "bias")
    return wrap(lib.h_cpu_layer_norm(x._h, scale, shift, eps, at(stream)))


def rope(
    a: array,
    dims: int,
    *,
    traditional: bool,
    base: float | None,
    scale: float,
    offset: int | array,
    freqs: array | None = None,
    stream: StreamOrDevice = None,
) -> array:
    """Rotary positions: pairs of features turned by angles that grow with the position.

    The pair i of position l turns by `scale * (offset + l) / base**(2 * i / dims)` radians.
    Source: Su et al., "RoFormer", https://arxiv.org/abs/2104.09864.

    Args:
        a: shape (B, ..., L, D).
        dims: how many features turn, an even number; those behind stay as they are.
        traditional: pair neighbours; otherwise the first half with the second.
        base: as above; None if `freqs` is given.
        scale: as above.
        offset: the position of the first element, or int32 of shape (B,), one an example.
        freqs: shape (dims / 2,): what positions are divided by, in place of `base` and power.

    Returns:
        The shape of `a`.

    Raises:
        ValueError: not just one of `base` and `freqs` is given, or `dims` is odd or beyond D, or
            `offset` is no integer.

    Example:
        >>> import mlxc as mx
        >>> a = mx.array([[[1.0, 0.0], [1.0, 0.0]]])
        >>> b = mx.fast.rope(a, 2, traditional=False, base=10000.0, scale=mx.pi / 2, offset=0)
        >>> mx.round(b).astype(mx.int32).tolist()  # the second position turns by a right angle
        [[[1, 0], [0, 1]]]
    """
    a = only_array(a)
    frequencies = optional(freqs, "freqs")
    period, has_period = (0.0, False) if base is None else (base, True)
    if not isinstance(offset, int):
        offset = as_array(offset)
        return wrap(
            lib.h_cpu_rope_dynamic(
                a._h,
                dims,
                traditional,
                period,
                has_period,
                scale,
                offset._h,
                frequencies,
                at(stream),
            )
        )
    return wrap(
        lib.h_cpu_rope(
            a._h, dims, traditional, period, has_period, scale, offset, frequencies, at(stream)
        )
    )


def cross_entropy(logits: array, targets: array, *, stream: StreamOrDevice = None) -> array:
    """Minus the logarithm of the probability that logits give to a class.

    `logsumexp(logits, -1) - logits[..., target]`; GPUs sum it in float32, CPUs in the dtype of the
    logits.

    Args:
        logits: floating point of shape (..., V), not normalized.
        targets: class indices, integers in [0, V) of shape (...).

    Returns:
        float32 of shape (...).

    Raises:
        ValueError: the shape of `targets` is not that of `logits` without its last axis, or the
            dtypes do not fit.

    Example:
        >>> import mlxc as mx
        >>> mx.fast.cross_entropy(mx.zeros((1, 8)), mx.array([3]))
        array([2.07944], dtype=float32)
    """
    logits, targets = only_array(logits), only_array(targets)
    if foreign:
        return _composed.cross_entropy(logits, targets, stream)
    return wrap(lib.h_cross_entropy(logits._h, targets._h, at(stream)))
