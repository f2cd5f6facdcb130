"""Transposed convolutions, with channels last: the adjoints of those in `conv`.

Letters: N batch, L or H, W, D extents, C channels. Every function takes `stream`, the stream or
device to run on; None is the default.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._ffi import lib
from .._handle import at, wrap
from ._arguments import convolved, repeated

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice

__all__ = [
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
]


def conv_transpose1d(
    input: array,
    weight: array,
    /,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    output_padding: int = 0,
    groups: int = 1,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The transpose of `conv1d`, which spreads each element by the filter.

    Args:
        input: shape (N, L, C_in).
        weight: shape (C_out, K, C_in / groups).
        stride: how far the filter moves for each element.
        padding: how many elements are cut from both ends.
        dilation: the distance of the filter's elements.
        output_padding: how many elements are added at the far end.
        groups: into how many parts the channels are divided.

    Returns:
        Shape (N, L_out, C_out).

    Raises:
        ValueError: the shapes do not fit.

    Example:
        >>> import mlxc as mx
        >>> x = mx.array([[[1.0], [2.0]]])
        >>> mx.conv_transpose1d(x, mx.ones((1, 2, 1)), stride=2)[0, :, 0]
        array([1, 1, 2, 2], dtype=float32)
    """
    x, w = convolved(input, weight, groups)
    s = at(stream)
    return wrap(
        lib.h_conv_transpose1d(x._h, w._h, stride, padding, dilation, output_padding, groups, s)
    )


def conv_transpose2d(
    input: array,
    weight: array,
    /,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The transpose of `conv2d`, which spreads each element by the filter.

    Args:
        input: shape (N, H, W, C_in).
        weight: shape (C_out, K_h, K_w, C_in / groups).
        stride: how far the filter moves for each element, for both axes or each.
        padding: how many elements are cut from both ends, for both axes or each.
        dilation: the distance of the filter's elements, for both axes or each.
        output_padding: how many elements are added at the far end, for both axes or each.
        groups: into how many parts the channels are divided.

    Returns:
        Shape (N, H_out, W_out, C_out).

    Raises:
        ValueError: the shapes do not fit.

    Example:
        >>> import mlxc as mx
        >>> mx.conv_transpose2d(mx.ones((1, 4, 4, 3)), mx.ones((8, 2, 2, 3)), stride=2).shape
        (1, 8, 8, 8)
    """
    x, w = convolved(input, weight, groups)
    steps = repeated(stride, 2, "stride")
    margins = repeated(padding, 2, "padding")
    gaps = repeated(dilation, 2, "dilation")
    ends = repeated(output_padding, 2, "output_padding")
    s = at(stream)
    return wrap(lib.h_conv_transpose2d(x._h, w._h, *steps, *margins, *gaps, *ends, groups, s))


def conv_transpose3d(
    input: array,
    weight: array,
    /,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The transpose of `conv3d`, which spreads each element by the filter.

    Args:
        input: shape (N, D, H, W, C_in).
        weight: shape (C_out, K_d, K_h, K_w, C_in / groups).
        stride: how far the filter moves for each element, for all axes or each.
        padding: how many elements are cut from both ends, for all axes or each.
        dilation: the distance of the filter's elements, for all axes or each.
        output_padding: how many elements are added at the far end, for all axes or each.
        groups: into how many parts the channels are divided; CPU and GPU know 1 only.

    Returns:
        Shape (N, D_out, H_out, W_out, C_out).

    Raises:
        ValueError: the shapes do not fit.

    Example:
        >>> import mlxc as mx
        >>> mx.conv_transpose3d(mx.ones((1, 2, 4, 4, 3)), mx.ones((8, 2, 2, 2, 3)), stride=2).shape
        (1, 4, 8, 8, 8)
    """
    x, w = convolved(input, weight, groups)
    steps = repeated(stride, 3, "stride")
    margins = repeated(padding, 3, "padding")
    gaps = repeated(dilation, 3, "dilation")
    ends = repeated(output_padding, 3, "output_padding")
    s = at(stream)
    return wrap(lib.h_conv_transpose3d(x._h, w._h, *steps, *margins, *gaps, *ends, groups, s))
