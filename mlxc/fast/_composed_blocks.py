"""Layers of a decoder made of other operations: for an mlx-c that was built elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, TypeAlias

from .._device import stream as on_stream
from ..ops.quantize import quantized_matmul
from ..ops.shape import reshape, transpose
from . import _composed
from ._activations import GATES
from ._attention import scaled_dot_product_attention
from ._layers import rms_norm, rope

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice
    from ._decoder import AttentionHalf, FeedForwardHalf

#: Group size and bits of the matrices that see x, and those of the matrix behind them.
Forms: TypeAlias = tuple[tuple[int, int], tuple[int, int]]


def decoder_layers(
    layers: Sequence[tuple[AttentionHalf, FeedForwardHalf | None]],
    x: array,
    keys: Sequence[array],
    values: Sequence[array],
    start: int,
    mask: str | None,
    stream: StreamOrDevice,
) -> tuple[array, list[array], list[array]]:
    """As `mlxc.fast.DecoderLayers` computes them."""
    written: list[tuple[array, array]] = []
    for (attention, feed_forward), k, v in zip(layers, keys, values, strict=True):
        x, *new = _attention(attention, x, k, v, start, mask, stream)
        written.append((new[0], new[1]))
        if feed_forward is not None:
            form = GATES[feed_forward.activation]
            half = feed_forward
            x = feed_forward_block(x, half.weights, half.forms, half.eps, form, stream)
    return x, [k for k, _ in written], [v for _, v in written]


def _attention(
    half: AttentionHalf,
    x: array,
    keys: array,
    values: array,
    start: int,
    mask: str | None,
    stream: StreamOrDevice,
) -> tuple[array, array, array]:
    (B, L, _), D, D_v = x.shape, keys.shape[3], values.shape[3]
    weights, forms = half.weights, half.forms
    norm, q, k, v, o = weights[0], weights[1:4], weights[4:7], weights[7:10], weights[10:13]
    freqs = weights[-1] if half.base is None else None
    with nullcontext() if stream is None else on_stream(stream):
        h = rms_norm(x, norm, half.eps)

        def heads(matrix: Sequence[array], features: int) -> array:
            return reshape(_times(h, matrix, forms[0]), (B, L, -1, features))

        def turned(matrix: Sequence[array], head_norm: int) -> array:
            y = heads(matrix, D)
            if half.head_eps is not None:
                y = rms_norm(y, weights[head_norm], half.head_eps)
            return rope(
                transpose(y, (0, 2, 1, 3)),
                half.dims,
                traditional=half.traditional,
                base=half.base,
                scale=half.rope_scale,
                offset=start,
                freqs=freqs,
            )

        rows = [turned(k, 14), transpose(heads(v, D_v), (0, 2, 1, 3))]
        end = start + L
        (keys, values), seen = _composed.write_rows([keys, values], rows, start, end, None)
        out = scaled_dot_product_attention(turned(q, 13), *seen, scale=half.scale, mask=mask)
        out = reshape(transpose(out, (0, 2, 1, 3)), (B, L, -1))
        return x + _times(out, o, forms[1]), keys, values


def feed_forward_block(
    x: array,
    weights: Sequence[array],
    forms: Forms,
    eps: float,
    activation: int,
    stream: StreamOrDevice,
) -> array:
    """As `mlxc.fast.feed_forward_block`, with the activation as C counts them."""
    norm, gate, up, down = weights[0], weights[1:4], weights[4:7], weights[7:10]
    with nullcontext() if stream is None else on_stream(stream):
        h = rms_norm(x, norm, eps)
        hidden = _composed.activation(
            _times(h, gate, forms[0]), _times(h, up, forms[0]), activation, None
        )
        return x + _times(hidden, down, forms[1])


def _times(x: array, matrix: Sequence[array], form: tuple[int, int]) -> array:
    words, scales, biases = matrix
    return quantized_matmul(
        x, words, scales=scales, biases=biases, group_size=form[0], bits=form[1]
    )
