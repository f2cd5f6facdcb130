"""Functions that mlx-c lacks, made of others: for an mlx-c that was built elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

from .._device import stream as on_stream
from .._dtype import Dtype, DtypeCategory, bool_, float32, issubdtype
from ..ops.arrange import repeat
from ..ops.cast import astype
from ..ops.create import arange, full, zeros
from ..ops.elementwise import square
from ..ops.exponential import erf, exp, logsumexp, sigmoid
from ..ops.graph import stop_gradient
from ..ops.join import stack
from ..ops.layout import broadcast_to
from ..ops.quantize import dequantize
from ..ops.scan import cumsum
from ..ops.shape import expand_dims, squeeze
from ..ops.sort import argpartition, argsort
from ..ops.take import put_along_axis, take, take_along_axis, where

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice


def activation(gate: array, x: array | None, form: int, stream: StreamOrDevice) -> array:
    """As the functions of `mlxc.fast._activations`, in the order in which C counts them."""
    with nullcontext() if stream is None else on_stream(stream):
        if form == 0:
            y = gate * sigmoid(gate)
        elif form == 1:
            y = gate * (1 + erf(gate * math.sqrt(0.5))) * 0.5
        elif form == 2:
            y = gate * sigmoid(2 * math.sqrt(2 / math.pi) * gate * (1 + 0.044715 * square(gate)))
        else:
            y = gate * sigmoid(1.702 * gate)
        return y if x is None else y * x


def cross_entropy(logits: array, targets: array, stream: StreamOrDevice) -> array:
    """As `mlxc.fast.cross_entropy`, computed in float32."""
    if not logits.ndim:
        raise ValueError("[cross_entropy] logits must have at least 1 dimension")
    if targets.shape != logits.shape[:-1]:
        given = ",".join(map(str, targets.shape))
        raise ValueError(f"[cross_entropy] targets shape ({given}) does not match the logits")
    if not issubdtype(targets.dtype, DtypeCategory.integer):
        raise ValueError("[cross_entropy] targets must be integer class indices")
    if not issubdtype(logits.dtype, DtypeCategory.floating):
        raise ValueError(f"[cross_entropy] unsupported logits type {logits.dtype._name}")
    with nullcontext() if stream is None else on_stream(stream):
        logits = astype(logits, float32)
        chosen = take_along_axis(logits, expand_dims(targets, -1), -1)
        return logsumexp(logits, -1) - squeeze(chosen, -1)


def gated_delta_update(
    q: array,
    k: array,
    v: array,
    gamma: array,
    beta: array,
    initial_state: array | None,
    mask: array | None,
    stream: StreamOrDevice,
) -> list[array]:
    """As `mlxc.fast.gated_delta_update`, one position after another; the shapes are checked."""
    B, L, H_v, D_v = v.shape
    if not L:
        raise ValueError("[gated_delta_update] there must be at least one position")
    with nullcontext() if stream is None else on_stream(stream):
        q, k = (expand_dims(repeat(a, H_v // a.shape[2], 2), -2) for a in (q, k))  # (B,L,H_v,1,D)
        state = zeros((1,), v.dtype) if initial_state is None else initial_state
        state = broadcast_to(state, (B, H_v, D_v, q.shape[-1]))
        outputs = []
        for t in range(L):
            kept = state * gamma[:, t, :, None, None]
            error = v[:, t] - (kept * k[:, t]).sum(-1)  # (B, H_v, D_v)
            written = kept + expand_dims(beta[:, t, :, None] * error, -1) * k[:, t]
            read = (written * q[:, t]).sum(-1)
            if mask is not None:
                seen = mask[:, t, None, None, None]
                written, read = where(seen, written, state), where(seen[..., 0], read, 0)
            state = written
            outputs.append(read)
        return [stack(outputs, 1), state]


def keep_top_k(a: array, k: int, stream: StreamOrDevice) -> array:
    """As `mlxc.fast.keep_top_k`."""
    if not a.ndim or not issubdtype(a.dtype, DtypeCategory.floating):
        raise ValueError("[keep_top_k] There must be rows of floats.")
    if k < 1:
        raise ValueError("[keep_top_k] k must be at least 1.")
    if k >= a.shape[-1]:
        return a
    with nullcontext() if stream is None else on_stream(stream):
        others = argpartition(-stop_gradient(a), k - 1, -1)[..., k:]
        return put_along_axis(a, others, full((), -math.inf, a.dtype), -1)


def keep_top_p(a: array, p: float, stream: StreamOrDevice) -> array:
    """As `mlxc.fast.keep_top_p`: sorted, added up and brought back into order."""
    if not a.ndim or not issubdtype(a.dtype, DtypeCategory.floating):
        raise ValueError("[keep_top_p] There must be rows of floats.")
    if not 0 < p <= 1:
        raise ValueError("[keep_top_p] p must be above 0 and at most 1.")
    with nullcontext() if stream is None else on_stream(stream):
        scores = stop_gradient(a)
        order = argsort(scores, -1)
        reached = cumsum(exp(astype(take_along_axis(scores, order, -1), float32)), -1)
        # The rest's probability up to and including an element; in the last place is the likeliest.
        kept = (reached > 1 - p) | (arange(a.shape[-1]) == a.shape[-1] - 1)
        kept = put_along_axis(zeros(a.shape, bool_), order, kept, -1)
        return where(kept, a, full((), -math.inf, a.dtype))


def quantized_attention(
    q: array,
    packed: list[array],
    scale: float,
    group_size: int,
    bits: int,
    mask: str | array | None,
    sinks: array | None,
    stream: StreamOrDevice,
) -> array:
    """As `mlxc.fast.quantized_scaled_dot_product_attention`, with keys and values unpacked."""
    from ._attention import scaled_dot_product_attention

    k, v = (
        dequantize(weight, scales, biases, group_size, bits, stream=stream)
        for weight, scales, biases in (packed[:3], packed[3:])
    )
    return scaled_dot_product_attention(q, k, v, scale=scale, mask=mask, sinks=sinks, stream=stream)


def quantized_take(
    w: array,
    scales: array,
    biases: array | None,
    indices: array,
    group_size: int | None,
    bits: int | None,
    mode: str,
    dtype: Dtype | None,
    stream: StreamOrDevice,
) -> array:
    """As `mlxc.fast.quantized_take`: rows are taken, then unpacked."""
    if w.ndim != 2 or scales.ndim != 2 or (biases is not None and biases.ndim != 2):
        raise ValueError("[quantized_take] The table must have 2 dimensions.")
    with nullcontext() if stream is None else on_stream(stream):
        flat = indices.reshape(-1)
        scales = take(scales, flat, 0)
        biases = None if biases is None else take(biases, flat, 0)
        if dtype is not None and biases is not None:
            # Otherwise the rows would be rounded to the type of the scales first.
            scales, biases = astype(scales, dtype), astype(biases, dtype)
        rows = dequantize(take(w, flat, 0), scales, biases, group_size, bits, mode, dtype=dtype)
        return rows.reshape(*indices.shape, rows.shape[-1])


def write_rows(
    buffers: Sequence[array],
    rows: Sequence[array],
    start: int,
    shown: int,
    stream: StreamOrDevice,
) -> tuple[list[array], list[array]]:
    """As `mlxc.fast.write_rows`, one array after another."""
    written = [buffer[...] for buffer in buffers]
    with nullcontext() if stream is None else on_stream(stream):
        for buffer, row in zip(written, rows, strict=True):
            stop = start + row.shape[2]
            if start < 0 or max(stop, shown) > buffer.shape[2]:
                raise ValueError("[write_rows] the rows must lie within the buffers.")
            buffer[:, :, start:stop] = row
        return written, [buffer[:, :, :shown] for buffer in written] if shown else []
