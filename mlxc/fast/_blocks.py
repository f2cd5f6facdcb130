"""Halves of a block of a language model with quantized matrices, each as one operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._ffi import foreign, lib
from .._handle import addresses, at, only_array, unpack, wrap
from . import _composed_blocks

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice

#: The functions of gates by their names, as C counts them.
ACTIVATIONS = {"silu": 0, "gelu": 1, "gelu_tanh": 2, "gelu_sigmoid": 3}


def attention_block(
    x: array,
    keys: array,
    values: array,
    weights: Sequence[array],
    *,
    forms: tuple[tuple[int, int], tuple[int, int]],
    eps: float,
    start: int,
    scale: float,
    dims: int,
    traditional: bool,
    base: float | None,
    rope_scale: float = 1.0,
    head_eps: float | None = None,
    mask: str | None = None,
    stream: StreamOrDevice = None,
) -> tuple[array, array, array]:
    """`x + attention(rms_norm(x))` for new tokens and those a cache holds, which they join.

    The normed `x` is projected to queries, keys and values; the heads of the first two are normed
    where `head_eps` is given, and turned by `rope` from position `start` on; keys and values are
    written from row `start` on, and the queries attend to all rows up to the last one written. What
    they get is projected and added to `x`. Buffers that nobody else refers to are written in place.
    On a CPU it is one pass over the matrices; mlx.core lacks it.

    Args:
        x: shape (B, L, F), float32.
        keys: shape (B, H_kv, S, D), float32, of which the first `start` rows hold something.
        values: shape (B, H_kv, S, D_v), float32.
        weights: one array after the other: the weight of the norm (F,); words, scales and biases,
            as `quantize` gives them in its affine mode, of the matrices of queries (H * D, F), keys
            (H_kv * D, F), values (H_kv * D_v, F) and of the result (F, H * D_v); with `head_eps`
            the weights of the norms of queries and keys (D,); without `base` the `freqs` of
            `rope`.
        forms: group size and bits of the first three matrices, and those of the last.
        eps: that of the norm.
        start: how many tokens are held.
        scale: factor on the products of queries and keys.
        dims: as in `rope`.
        traditional: as in `rope`.
        base: as in `rope`; None where `weights` end with `freqs`.
        rope_scale: `scale` of `rope`.
        head_eps: that of the norms of heads; None is no such norms.
        mask: None, or "causal": each query sees the keys up to its own.

    Returns:
        The sum, shape (B, L, F), then keys and values.

    Raises:
        ValueError: the shapes or dtypes do not fit, rows lie outside, or `mask` is something else.

    Example:
        >>> import mlxc as mx
        >>> matrix, held = mx.quantize(mx.ones((64, 64))), mx.zeros((1, 2, 4, 32))
        >>> y, keys, values = mx.fast.attention_block(
        ...     mx.ones((1, 1, 64)),
        ...     held,
        ...     held,
        ...     [mx.ones((64,)), *matrix, *matrix, *matrix, *matrix],
        ...     forms=((64, 4), (64, 4)),
        ...     eps=0.0,
        ...     start=0,
        ...     scale=1.0,
        ...     dims=32,
        ...     traditional=False,
        ...     base=1e4,
        ... )
        >>> y[0, 0, 0].item(), values[0, 0, :, 0].tolist()  # 1 + 64 * 64
        (4097.0, [64.0, 0.0, 0.0, 0.0])
    """
    if mask not in (None, "causal"):
        raise ValueError(f"mask must be None or 'causal', got {mask!r}")
    if foreign:
        return _composed_blocks.attention_block(
            *(x, keys, values, weights, forms, eps, start, scale, dims, traditional, base),
            *(rope_scale, head_eps, mask, stream),
        )
    x, keys, values = only_array(x), only_array(keys), only_array(values)
    inner, outer = forms
    y, keys, values = unpack(
        lib.h_cpu_attention_block(
            x._h,
            keys._h,
            values._h,
            addresses(weights),
            len(weights),
            *inner,
            *outer,
            eps,
            head_eps or 0.0,
            head_eps is not None,
            start,
            scale,
            mask is not None,
            dims,
            traditional,
            base or 0.0,
            base is not None,
            rope_scale,
            at(stream),
        )
    )
    return y, keys, values


def feed_forward_block(
    x: array,
    weights: Sequence[array],
    *,
    forms: tuple[tuple[int, int], tuple[int, int]],
    eps: float,
    activation: str = "silu",
    stream: StreamOrDevice = None,
) -> array:
    """`x + down(activation(gate(h)) * up(h))` with `h = rms_norm(x)`.

    Source: Shazeer, "GLU Variants Improve Transformer", https://arxiv.org/abs/2002.05202. On a CPU
    it is one pass over the matrices; mlx.core lacks it.

    Args:
        x: shape (..., F), float32.
        weights: one array after the other: the weight of the norm (F,), then words, scales and
            biases, as `quantize` gives them in its affine mode, of gate (N, F), up (N, F) and down
            (F, N).
        forms: group size and bits of gate and up, and those of down.
        eps: that of the norm.
        activation: "silu", "gelu", "gelu_tanh" or "gelu_sigmoid".

    Returns:
        The shape of `x`.

    Raises:
        ValueError: the shapes or dtypes do not fit, or `activation` is unknown.

    Example:
        >>> import mlxc as mx
        >>> gate, up, down = (mx.quantize(mx.ones((64, 64))) for _ in range(3))
        >>> weights = [mx.ones((64,)), *gate, *up, *down]
        >>> form = (64, 4)
        >>> y = mx.fast.feed_forward_block(
        ...     mx.ones((1, 64)), weights, forms=(form, form), eps=0.0, activation="silu"
        ... )
        >>> y[0, 0].item()  # 1 + 64 * 64 * 64
        262145.0
    """
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {[*ACTIVATIONS]}, got {activation!r}")
    form = ACTIVATIONS[activation]
    if foreign:
        return _composed_blocks.feed_forward_block(x, weights, forms, eps, form, stream)
    x = only_array(x)
    inner, outer = forms
    return wrap(
        lib.h_cpu_feed_forward_block(
            x._h,
            addresses(weights),
            len(weights),
            *inner,
            *outer,
            eps,
            form,
            at(stream),
        )
    )
