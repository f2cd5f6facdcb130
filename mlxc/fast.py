"""Layers of neural networks as single operations.

Letters: B batch, H heads, L queries or sequence, S keys, D features. Every function takes
`stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._dtype import float32
from ._ffi import lib
from ._handle import Handle, as_array, at, wrap
from .ops._arguments import optional
from .ops.arithmetic import subtract
from .ops.exponential import logsumexp
from .ops.shape import expand_dims, squeeze
from .ops.take import take_along_axis

if TYPE_CHECKING:
    from ._array import array
    from ._device import StreamOrDevice
    from ._handle import ArrayLike

__all__ = ["cross_entropy", "layer_norm", "rms_norm", "rope", "scaled_dot_product_attention"]


def rms_norm(
    x: ArrayLike, weight: array | None, eps: float, *, stream: StreamOrDevice = None
) -> array:
    """The last axis divided by its root mean square: `x / sqrt(mean(x**2) + eps) * weight`.

    Args:
        x: shape (..., D).
        weight: shape (D,); None is 1.
        eps: what is added to the mean square.

    Returns:
        The shape of `x`.

    Example:
        >>> import mlxc as mx
        >>> mx.fast.rms_norm(mx.array([3.0, 3.0]), None, 0.0)
        array([1, 1], dtype=float32)
    """
    x = as_array(x)
    return wrap(lib.h_fast_rms_norm(x._h, optional(weight, "weight"), eps, at(stream)))


def layer_norm(
    x: ArrayLike,
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
        The shape of `x`.
    """
    x = as_array(x)
    scale, shift = optional(weight, "weight"), optional(bias, "bias")
    return wrap(lib.h_fast_layer_norm(x._h, scale, shift, eps, at(stream)))


def rope(
    a: ArrayLike,
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
        ValueError: not just one of `base` and `freqs` is given, or `dims` is odd or beyond D.
    """
    a = as_array(a)
    frequencies = optional(freqs, "freqs")
    period, has_period = (0.0, False) if base is None else (base, True)
    if isinstance(offset, Handle):
        return wrap(
            lib.h_fast_rope_dynamic(
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
        lib.h_fast_rope(
            a._h, dims, traditional, period, has_period, scale, offset, frequencies, at(stream)
        )
    )


def scaled_dot_product_attention(
    q: ArrayLike,
    k: ArrayLike,
    v: ArrayLike,
    *,
    scale: float,
    mask: str | array | None = None,
    sinks: array | None = None,
    stream: StreamOrDevice = None,
) -> array:
    """Attention: `softmax(scale * q @ k.T + mask) @ v`, with the softmax in float32.

    Several heads of `q` may share one of `k` and `v`, which are not to be repeated for it.
    Source: Vaswani et al., "Attention Is All You Need", https://arxiv.org/abs/1706.03762;
    shared heads: Ainslie et al., "GQA", https://arxiv.org/abs/2305.13245.

    Args:
        q: queries, shape (B, H, L, D).
        k: keys, shape (B, H_kv, S, D), where H_kv divides H.
        v: values, shape (B, H_kv, S, D).
        scale: what multiplies the scores, as a rule `D ** -0.5`.
        mask: "causal" hides the keys behind each query, the last query being at the last key;
            a bool array hides where it is False, another is added to the scores; it broadcasts
            to (B, H, L, S). None hides nothing.
        sinks: shape (H,): a further score in each softmax, for a value of zero.

    Returns:
        Shape (B, H, L, D).

    Raises:
        ValueError: the shapes do not fit, or `mask` is another string.

    Example:
        >>> import mlxc as mx
        >>> x = mx.random.normal((1, 8, 16, 64))
        >>> mx.fast.scaled_dot_product_attention(x, x, x, scale=64**-0.5, mask="causal").shape
        (1, 8, 16, 64)
    """
    q, k, v = as_array(q), as_array(k), as_array(v)
    sink, hidden, mode = optional(sinks, "sinks"), 0, b""
    if isinstance(mask, str):
        if mask != "causal":
            raise ValueError(f"mask must be 'causal', an array or None, got {mask!r}")
        mode = b"causal"
    elif mask is not None:
        hidden, mode = optional(mask, "mask"), b"array"
    return wrap(
        lib.h_fast_scaled_dot_product_attention(
            q._h, k._h, v._h, scale, mode, hidden, sink, at(stream)
        )
    )


def cross_entropy(logits: ArrayLike, targets: ArrayLike, *, stream: StreamOrDevice = None) -> array:
    """Minus the logarithm of the probability that logits give to a class.

    Args:
        logits: shape (..., V), not normalized.
        targets: class indices, integers in [0, V) of shape (...).

    Returns:
        float32 of shape (...).

    Raises:
        ValueError: the shape of `targets` is not that of `logits` without its last axis.
    """
    logits, targets = as_array(logits), as_array(targets)
    if targets.shape != logits.shape[:-1]:
        raise ValueError(
            f"targets must have the shape of logits without the last axis, {logits.shape[:-1]}, "
            f"got {targets.shape}"
        )
    logits = wrap(lib.h_astype(logits._h, float32._code, at(stream)))
    chosen = take_along_axis(logits, expand_dims(targets, -1, stream=stream), -1, stream=stream)
    total = logsumexp(logits, -1, stream=stream)
    return subtract(total, squeeze(chosen, -1, stream=stream), stream=stream)
