"""Convolutions, with channels last.

As in neural networks, the filters are not flipped, but for `convolve`. Letters: N batch, L or
H, W, D extents, C channels. Every function takes `stream`, the stream or device to run on;
None is the default.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._ffi import lib
from .._handle import at, only_array, wrap
from ._arguments import convolved, ints, repeated

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice

__all__ = [
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_general",
    "convolve",
]


def conv1d(
    input: array,
    weight: array,
    /,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    groups: int = 1,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """A convolution along one axis.

    Args:
        input: shape (N, L, C_in).
        weight: shape (C_out, K, C_in / groups).
        stride: how far the filter moves at a time.
        padding: how many zeros are added at both ends.
        dilation: the distance of the filter's elements.
        groups: into how many parts the channels are divided.

    Returns:
        Shape (N, L_out, C_out).

    Raises:
        ValueError: the shapes do not fit, or the weight is longer than the padded input.

    Example:
        >>> import mlxc as mx
        >>> mx.conv1d(mx.ones((1, 5, 2)), mx.ones((4, 3, 2)), padding=1).shape
        (1, 5, 4)
    """
    x, w = convolved(input, weight, groups)
    _check_fit(x, w, (padding,), (padding,), (dilation,), (1,))
    return wrap(lib.h_conv1d(x._h, w._h, stride, padding, dilation, groups, at(stream)))


def conv2d(
    input: array,
    weight: array,
    /,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """A convolution along two axes.

    Args:
        input: shape (N, H, W, C_in).
        weight: shape (C_out, K_h, K_w, C_in / groups).
        stride: how far the filter moves at a time, for both axes or each.
        padding: how many zeros are added at both ends, for both axes or each.
        dilation: the distance of the filter's elements, for both axes or each.
        groups: into how many parts the channels are divided.

    Returns:
        Shape (N, H_out, W_out, C_out).

    Raises:
        ValueError: the shapes do not fit, or the weight is longer than the padded input.

    Example:
        >>> import mlxc as mx
        >>> mx.conv2d(mx.ones((1, 8, 8, 3)), mx.ones((16, 3, 3, 3)), stride=2, padding=1).shape
        (1, 4, 4, 16)
    """
    x, w = convolved(input, weight, groups)
    steps = repeated(stride, 2, "stride")
    margins = repeated(padding, 2, "padding")
    gaps = repeated(dilation, 2, "dilation")
    _check_fit(x, w, margins, margins, gaps, (1, 1))
    return wrap(lib.h_conv2d(x._h, w._h, *steps, *margins, *gaps, groups, at(stream)))


def conv3d(
    input: array,
    weight: array,
    /,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """A convolution along three axes.

    Args:
        input: shape (N, D, H, W, C_in).
        weight: shape (C_out, K_d, K_h, K_w, C_in / groups).
        stride: how far the filter moves at a time, for all axes or each.
        padding: how many zeros are added at both ends, for all axes or each.
        dilation: the distance of the filter's elements, for all axes or each.
        groups: into how many parts the channels are divided; CPU and GPU know 1 only.

    Returns:
        Shape (N, D_out, H_out, W_out, C_out).

    Raises:
        ValueError: the shapes do not fit, or the weight is longer than the padded input.

    Example:
        >>> import mlxc as mx
        >>> mx.conv3d(mx.ones((1, 4, 8, 8, 3)), mx.ones((16, 3, 3, 3, 3)), padding=1).shape
        (1, 4, 8, 8, 16)
    """
    x, w = convolved(input, weight, groups)
    steps = repeated(stride, 3, "stride")
    margins = repeated(padding, 3, "padding")
    gaps = repeated(dilation, 3, "dilation")
    _check_fit(x, w, margins, margins, gaps, (1, 1, 1))
    return wrap(lib.h_conv3d(x._h, w._h, *steps, *margins, *gaps, groups, at(stream)))


def conv_general(
    input: array,
    weight: array,
    /,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | tuple[Sequence[int], Sequence[int]] = 0,
    kernel_dilation: int | Sequence[int] = 1,
    input_dilation: int | Sequence[int] = 1,
    groups: int = 1,
    flip: bool = False,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """A convolution along one to three axes.

    Args:
        input: shape (N, ..., C_in).
        weight: shape (C_out, ..., C_in / groups), with as many axes.
        stride: how far the filter moves at a time, for all axes or each.
        padding: how many zeros are added at both ends, for all axes or each, or a pair of
            those before and those after.
        kernel_dilation: the distance of the filter's elements, for all axes or each.
        input_dilation: the distance of the input's elements, for all axes or each.
        groups: into how many parts the channels are divided; 1 for three axes.
        flip: reverse the filter along each axis.

    Returns:
        Shape (N, ..., C_out).

    Raises:
        ValueError: the shapes do not fit, or the weight is longer than the padded input.

    Example:
        >>> import mlxc as mx
        >>> mx.conv_general(mx.ones((1, 4, 1)), mx.ones((1, 3, 1)), padding=([2], [0]))[0, :, 0]
        array([1, 2, 3, 3], dtype=float32)
    """
    x, w = convolved(input, weight, groups)
    n = max(x.ndim - 2, 0)
    if isinstance(padding, tuple) and len(padding) == 2 and not isinstance(padding[0], int):
        low, high = (_per_axis(one, n, "padding") for one in padding)
    else:
        low = high = _per_axis(padding, n, "padding")
    steps = _per_axis(stride, n, "stride")
    gaps = _per_axis(kernel_dilation, n, "kernel_dilation")
    spread = _per_axis(input_dilation, n, "input_dilation")
    _check_fit(x, w, low, high, gaps, spread)
    s = at(stream)
    return wrap(
        lib.h_conv_general(
            x._h, w._h, steps, n, low, n, high, n, gaps, n, spread, n, groups, flip, s
        )
    )


def _check_fit(
    x: array,
    w: array,
    low: Sequence[int],
    high: Sequence[int],
    gaps: Sequence[int],
    spread: Sequence[int],
) -> None:
    """Raise a ValueError for a filter longer than its input, beyond which MLX might read."""
    lengths, sizes = x.shape[1:-1], w.shape[1:-1]
    if not len(lengths) == len(sizes) == len(low):
        return
    for i, (length, size) in enumerate(zip(lengths, sizes, strict=True)):
        covered = (length - 1) * spread[i] + 1 + low[i] + high[i]
        if (size - 1) * gaps[i] + 1 > covered:
            raise ValueError(
                f"weight must be no longer than the padded input, got shapes {w.shape} and "
                f"{x.shape}, of which {(size - 1) * gaps[i] + 1} meet {covered} along axis {i + 1}"
            )


def _per_axis(value: int | Sequence[int], count: int, name: str) -> Sequence[int]:
    """As `repeated`, where a sequence of one integer counts for all axes."""
    values = ints(value, name)
    return repeated(values[0] if len(values) == 1 else values, count, name)


def convolve(a: array, v: array, /, mode: str = "full", *, stream: StreamOrDevice = None) -> array:
    """The convolution of two sequences: the sums of `a[i] * v[n - i]`.

    Args:
        a: shape (N,), floating point.
        v: shape (K,), floating point; the shorter of both is the filter.
        mode: "full" gives every sum, N + K - 1; "valid" those where the filter lies within the
            sequence; "same" as many as the sequence has, from the middle.

    Raises:
        ValueError: the mode is unknown, or an argument does not have one axis or is empty.

    Example:
        >>> import mlxc as mx
        >>> mx.convolve(mx.array([1.0, 2.0, 3.0]), mx.array([1.0, 1.0]))
        array([1, 3, 5, 3], dtype=float32)
    """
    a, v = only_array(a), only_array(v)
    if a.ndim != 1 or v.ndim != 1 or not a.size or not v.size:
        raise ValueError(f"convolve needs two sequences, got shapes {a.shape} and {v.shape}")
    if v.size > a.size:
        a, v = v, a
    k = v.size
    margins = {"full": (k - 1, k - 1), "same": (k // 2, (k - 1) // 2), "valid": (0, 0)}
    if mode not in margins:
        raise ValueError(f"mode must be 'full', 'same' or 'valid', got {mode!r}")
    low, high = margins[mode]
    x = wrap(lib.h_reshape(a._h, (1, -1, 1), 3, at(stream)))
    w = wrap(lib.h_reshape(v._h, (1, -1, 1), 3, at(stream)))
    result = conv_general(x, w, padding=([low], [high]), flip=True, stream=stream)
    return wrap(lib.h_reshape(result._h, (-1,), 1, at(stream)))
