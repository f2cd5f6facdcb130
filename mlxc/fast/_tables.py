"""Tables of vectors, as models look tokens up in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._dtype import Dtype, code_of
from .._ffi import foreign, lib
from .._handle import at, only_array, wrap
from ..ops._arguments import optional, positive, text
from . import _composed

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice


def quantized_take(
    w: array,
    /,
    scales: array,
    biases: array | None,
    indices: array,
    *,
    group_size: int | None = None,
    bits: int | None = None,
    mode: str = "affine",
    dtype: Dtype | None = None,
    stream: StreamOrDevice = None,
) -> array:
    """Rows of a quantized table, unpacked: `dequantize(w, scales, biases)[indices]`.

    Only those rows are read; mlx.core lacks it. Packing is described at `mlxc.quantize`.

    Args:
        w: uint32 of shape (V, D b / 32), a table packed in b bits.
        scales: shape (V, D / G).
        biases: shape (V, D / G) for "affine", else None.
        indices: integers of shape (...), from -V to V - 1; beyond, some row is returned.
        group_size: as in `quantize`.
        bits: as in `quantize`.
        mode: as in `quantize`.
        dtype: the type of the result; None is that of the scales for "affine", else bfloat16.

    Returns:
        Shape (..., D).

    Raises:
        ValueError: the table has not two dimensions, its shapes do not fit, the mode is unknown, or
            `indices` are no integers.

    Example:
        >>> import mlxc as mx
        >>> table = mx.broadcast_to(mx.array([[0.0], [1.0], [2.0]]), (3, 64))
        >>> rows = mx.fast.quantized_take(*mx.quantize(table), mx.array([2, -3]))
        >>> rows.shape, rows[:, 0].tolist()
        ((2, 64), [2.0, 0.0])
    """
    w, scales, indices = only_array(w), only_array(scales), only_array(indices)
    if foreign:
        return _composed.quantized_take(
            w, scales, biases, indices, group_size, bits, mode, dtype, stream
        )
    return wrap(
        lib.h_cpu_quantized_take(
            w._h,
            scales._h,
            optional(biases, "biases"),
            indices._h,
            *positive(group_size),
            *positive(bits),
            text(mode, "mode"),
            0 if dtype is None else code_of(dtype),
            dtype is not None,
            at(stream),
        )
    )
