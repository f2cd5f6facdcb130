"""Weights in few bits, and products with them.

The modes, with their defaults first:

    mode     group size   bits            scales            biases
    affine   64, 32, 128  4, 1-3, 5, 6, 8 type of the input yes
    mxfp4    32           4 (E2M1)        E8M0, in uint8    no
    mxfp8    32           8 (E4M3)        E8M0, in uint8    no
    nvfp4    16           4 (E2M1)        E4M3, in uint8    no

Letters: D the length that is divided into groups of G, b the bits. A quantized matrix holds
32 / b elements in each uint32, the first in the lowest bits. Every function takes `stream`,
the stream or device to run on; None is the default.

Source: OCP Microscaling Formats (MX) Specification 1.0 for the mx modes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._dtype import Dtype, code_of, uint32
from .._ffi import lib
from .._handle import at, only_array, unpack, wrap
from ._arguments import choice, optional, positive, text
from .create import zeros

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice

__all__ = ["dequantize", "gather_qmm", "gather_qqmm", "qqmm", "quantize", "quantized_matmul"]


def quantize(
    w: array,
    /,
    group_size: int | None = None,
    bits: int | None = None,
    mode: str = "affine",
    *,
    global_scale: array | None = None,
    stream: StreamOrDevice = None,
) -> list[array]:
    """A matrix in few bits, with a scale for every group of neighbours in a row.

    In the mode "affine" an element is `scale * q + bias`, where q is the unsigned integer.

    Args:
        w: floating point, shape (..., D), at least two axes; the group size divides D.
        group_size: how many elements share a scale; None is the mode's default.
        bits: how many bits an element has; None is the mode's default.
        mode: how numbers are represented.
        global_scale: a float32 scale of the whole matrix for "nvfp4".

    Returns:
        The matrix as uint32 of shape (..., D b / 32), the scales of shape (..., D / G), and for
        "affine" the biases of the same shape.

    Raises:
        ValueError: the mode is unknown, or does not have the group size or bits.

    Example:
        >>> import mlxc as mx
        >>> packed, scales, biases = mx.quantize(mx.ones((2, 64)), bits=4)
        >>> packed.shape, scales.shape
        ((2, 8), (2, 1))
    """
    w = only_array(w)
    scale = optional(global_scale, "global_scale")
    name, s = text(mode, "mode"), at(stream)
    return unpack(lib.h_quantize(w._h, *positive(group_size), *positive(bits), name, scale, s))


def dequantize(
    w: array,
    /,
    scales: array,
    biases: array | None = None,
    group_size: int | None = None,
    bits: int | None = None,
    mode: str = "affine",
    global_scale: array | None = None,
    dtype: Dtype | None = None,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The numbers that a quantized matrix stands for.

    Args:
        w: uint32 of shape (..., D b / 32).
        scales: shape (..., D / G).
        biases: shape (..., D / G), for "affine".
        group_size: as in `quantize`.
        bits: as in `quantize`.
        mode: as in `quantize`.
        global_scale: as in `quantize`.
        dtype: the type of the result; None is that of the scales, or bfloat16.

    Returns:
        Shape (..., D).

    Raises:
        ValueError: the shapes do not fit, the mode is unknown, or its biases are missing.

    Example:
        >>> import mlxc as mx
        >>> w = mx.broadcast_to(mx.arange(16.0), (2, 4, 16)).reshape(2, 64)
        >>> mx.dequantize(*mx.quantize(w))[0, :4]
        array([0, 1, 2, 3], dtype=float32)
    """
    w, scales = only_array(w), only_array(scales)
    bias, scale = optional(biases, "biases"), optional(global_scale, "global_scale")
    return wrap(
        lib.h_cpu_dequantize(
            w._h,
            scales._h,
            bias,
            *positive(group_size),
            *positive(bits),
            text(mode, "mode"),
            scale,
            0 if dtype is None else code_of(dtype),
            dtype is not None,
            at(stream),
        )
    )


def quantized_matmul(
    x: array,
    w: array,
    /,
    scales: array,
    biases: array | None = None,
    transpose: bool = True,
    group_size: int | None = None,
    bits: int | None = None,
    mode: str = "affine",
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The product of a matrix with a quantized one.

    On a CPU each group of 32 neighbours in a row of `x` is rounded to 23 bits below a common power
    of two, or to bytes with `cpu_kernels(activations="int8")`.

    Args:
        x: shape (..., D), or (..., N) without `transpose`.
        w: a quantized matrix of shape (N, D), stored as (N, D b / 32).
        scales: shape (N, D / G).
        biases: shape (N, D / G), for "affine".
        transpose: multiply with the transpose of `w`, as a linear layer does.
        group_size: as in `quantize`.
        bits: as in `quantize`.
        mode: as in `quantize`.

    Returns:
        Shape (..., N), or (..., D) without `transpose`.

    Raises:
        ValueError: the shapes do not fit, the mode is unknown, or its biases are missing.

    Example:
        >>> import mlxc as mx
        >>> packed, scales, biases = mx.quantize(mx.ones((2, 64)))
        >>> mx.quantized_matmul(mx.ones((1, 64)), packed, scales, biases)
        array([[64, 64]], dtype=float32)
    """
    x, w, scales = only_array(x), only_array(w), only_array(scales)
    bias = optional(biases, "biases")
    return _computable(
        wrap(
            lib.h_cpu_quantized_matmul(
                x._h,
                w._h,
                scales._h,
                bias,
                transpose,
                *positive(group_size),
                *positive(bits),
                text(mode, "mode"),
                at(stream),
            )
        )
    )


def gather_qmm(
    x: array,
    w: array,
    /,
    scales: array,
    biases: array | None = None,
    lhs_indices: array | None = None,
    rhs_indices: array | None = None,
    transpose: bool = True,
    group_size: int | None = None,
    bits: int | None = None,
    mode: str = "affine",
    global_scale: array | None = None,
    *,
    sorted_indices: bool = False,
    stream: StreamOrDevice = None,
) -> array:
    """Products with quantized matrices chosen by index, as in a mixture of experts.

    Args:
        x: shape (..., M, D), or (..., M, N) without `transpose`; its leading axes are counted
            as one.
        w: quantized matrices of shape (E, N, D), stored as (E, N, D b / 32).
        scales: shape (E, N, D / G).
        biases: shape (E, N, D / G), for "affine".
        lhs_indices: which matrices of `x` to take, any shape; None is all in order.
        rhs_indices: which of the E matrices to take, broadcast with `lhs_indices`.
        transpose: multiply with the transposes, as a linear layer does.
        group_size: as in `quantize`.
        bits: as in `quantize`.
        mode: as in `quantize`.
        global_scale: shape (E,), float32: a further scale of each matrix, for "nvfp4" on a GPU.
        sorted_indices: the indices ascend, which may be faster.

    Returns:
        The broadcast shape of the indices, then (M, N), or (M, D) without `transpose`.

    Raises:
        ValueError: the shapes do not fit, indices choose from no matrices, or `global_scale` is
            given on a CPU.

    Example:
        >>> import mlxc as mx
        >>> experts = mx.quantize(mx.ones((3, 2, 64)))
        >>> mx.gather_qmm(mx.ones((1, 64)), *experts, rhs_indices=mx.array([2, 0])).tolist()
        [[[64.0, 64.0]], [[64.0, 64.0]]]
    """
    x, w, scales = only_array(x), only_array(w), only_array(scales)
    bias = optional(biases, "biases")
    lhs, rhs = choice(x, lhs_indices, "lhs_indices"), choice(w, rhs_indices, "rhs_indices")
    given = (
        *(x._h, w._h, scales._h, bias, lhs, rhs, transpose),
        *(*positive(group_size), *positive(bits), text(mode, "mode")),
    )
    if global_scale is None:
        return _computable(wrap(lib.h_cpu_gather_qmm(*given, sorted_indices, at(stream))))
    scale = optional(global_scale, "global_scale")
    return wrap(lib.h_gather_qmm_scaled(*given, scale, sorted_indices, at(stream)))


def gather_qqmm(
    x: array,
    w: array,
    /,
    scales: array | None = None,
    lhs_indices: array | None = None,
    rhs_indices: array | None = None,
    group_size: int | None = None,
    bits: int | None = None,
    mode: str = "nvfp4",
    global_scale_x: array | None = None,
    global_scale_w: array | None = None,
    *,
    sorted_indices: bool = False,
    stream: StreamOrDevice = None,
) -> array:
    """Products of two quantized matrices chosen by index; as `gather_qmm`, but see `qqmm`.

    Only GPUs can compute it.

    Args:
        x: shape (..., M, D), floating point; its leading axes are counted as one.
        w: shape (E, N, D): floating point, then quantized here too, or quantized as uint32.
        scales: shape (E, N, D / G) for a quantized `w`.
        lhs_indices: which matrices of `x` to take, any shape; None is all in order.
        rhs_indices: which of the E matrices to take, broadcast with `lhs_indices`.
        group_size: as in `quantize`.
        bits: as in `quantize`.
        mode: "nvfp4" or "mxfp8".
        global_scale_x: a float32 scale of the whole `x` for "nvfp4".
        global_scale_w: a float32 scale of each matrix of `w` for "nvfp4".
        sorted_indices: the indices ascend, which may be faster.

    Returns:
        The broadcast shape of the indices, then (M, N).

    Raises:
        ValueError: the shapes do not fit.
        RuntimeError: when evaluated on a CPU.

    Example:
        >>> import mlxc as mx
        >>> experts = mx.ones((3, 2, 64))
        >>> mx.gather_qqmm(mx.ones((1, 64)), experts, rhs_indices=mx.array([2, 0])).shape
        (2, 1, 2)
    """
    x, w = only_array(x), only_array(w)
    if scales is None and w.dtype is uint32:
        raise ValueError("scales must be given for a quantized w, which is uint32")
    of_w = optional(scales, "scales")
    lhs, rhs = choice(x, lhs_indices, "lhs_indices"), choice(w, rhs_indices, "rhs_indices")
    scale_x = optional(global_scale_x, "global_scale_x")
    scale_w = optional(global_scale_w, "global_scale_w")
    return wrap(
        lib.h_gather_qqmm(
            x._h,
            w._h,
            of_w,
            lhs,
            rhs,
            *positive(group_size),
            *positive(bits),
            text(mode, "mode"),
            scale_x,
            scale_w,
            sorted_indices,
            at(stream),
        )
    )


def qqmm(
    x: array,
    w: array,
    scales: array | None = None,
    group_size: int | None = None,
    bits: int | None = None,
    mode: str = "nvfp4",
    global_scale_x: array | None = None,
    global_scale_w: array | None = None,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The product of two quantized matrices, the first of which is quantized here.

    The CPU multiplies one row with a quantized matrix only.

    Args:
        x: shape (..., D), floating point.
        w: shape (N, D): floating point, then quantized here too, or quantized as uint32.
        scales: shape (N, D / G) for a quantized `w`.
        group_size: as in `quantize`.
        bits: as in `quantize`.
        mode: "nvfp4" or "mxfp8".
        global_scale_x: a float32 scale of the whole `x` for "nvfp4".
        global_scale_w: a float32 scale of the whole `w` for "nvfp4".

    Returns:
        Shape (..., N).

    Raises:
        ValueError: the shapes do not fit.
        RuntimeError: when evaluated, if the device cannot do it.

    Example:
        >>> import mlxc as mx
        >>> packed, scales = mx.quantize(mx.ones((2, 64)), mode="mxfp8")
        >>> mx.qqmm(mx.ones((1, 64)), packed, scales, mode="mxfp8")
        array([[64, 64]], dtype=float32)
    """
    x, w = only_array(x), only_array(w)
    of_w = optional(scales, "scales")
    scale_x = optional(global_scale_x, "global_scale_x")
    scale_w = optional(global_scale_w, "global_scale_w")
    return wrap(
        lib.h_qqmm(
            x._h,
            w._h,
            of_w,
            *positive(group_size),
            *positive(bits),
            text(mode, "mode"),
            scale_x,
            scale_w,
            at(stream),
        )
    )


def _computable(product: array) -> array:
    """The product itself; an empty one of its own, because MLX would divide by its rows."""
    return product if product.size else zeros(product.shape, product.dtype)
