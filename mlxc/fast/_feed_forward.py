"""The half of a decoder's layer that maps each token, with quantized matrices, as one operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._ffi import foreign, lib
from .._handle import addresses, at, only_array, wrap
from . import _composed_blocks
from ._activations import GATES

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice
    from ._composed_blocks import Forms


def feed_forward_block(
    x: array,
    weights: Sequence[array],
    *,
    forms: Forms,
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
    if activation not in GATES:
        raise ValueError(f"activation must be one of {[*GATES]}, got {activation!r}")
    form = GATES[activation]
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
