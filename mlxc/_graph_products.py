"""Products of matrices in an exported function: dense, chosen and packed ones, and convolutions."""

from __future__ import annotations

from functools import partial
from math import prod
from typing import TYPE_CHECKING

from ._graph_calls import pick, within
from .ops import conv, matmul, quantize

if TYPE_CHECKING:
    from ._array import array
    from ._graph_calls import Operation
    from ._graph_file import Node

MODES = "affine", "mxfp4", "mxfp8", "nvfp4"


def block_masked(block_size: int, a: array, b: array, *masks: array) -> array:
    out = masks[0] if len(masks) != 2 and masks else None
    return matmul.block_masked_mm(a, b, block_size, out, *masks[-2:] if len(masks) > 1 else ())


def gather_mm(ordered: bool, a: array, b: array, left: array, right: array) -> array:
    left, right = of_matrices(a, left), of_matrices(b, right)
    return matmul.gather_mm(a, b, left, right, sorted_indices=ordered)


def of_matrices(a: array, index: array) -> array:
    """Indices of matrices, in the order in which they lie."""
    return within(index, prod(a.shape[:-2]))


def gather_qmm(
    node: Node, size: int, bits: int, mode: int, transpose: bool, left: bool, right: bool
) -> Operation:
    name, ordered = pick(MODES, mode), left or right

    def multiply(x: array, w: array, *rest: array) -> array:
        scales, *biases, of_x, of_w = rest
        of_x, of_w = of_matrices(x, of_x), of_matrices(w, of_w)
        indexed = partial(
            quantize.gather_qmm, x, w, scales, biases[0] if biases else None, of_x, of_w
        )
        return indexed(transpose, size, bits, name, sorted_indices=ordered)

    return multiply


def quantized_matmul(node: Node, size: int, bits: int, mode: int, transpose: bool) -> Operation:
    name = pick(MODES, mode)

    def multiply(x: array, w: array, scales: array, biases: array | None = None) -> array:
        return quantize.quantized_matmul(x, w, scales, biases, transpose, size, bits, name)

    return multiply


def convolution(
    node: Node,
    stride: list[int],
    low: list[int],
    high: list[int],
    kernel_dilation: list[int],
    input_dilation: list[int],
    groups: int,
    flip: bool,
) -> Operation:
    def convolve(a: array, weight: array) -> array:
        padding = low, high
        return conv.conv_general(
            a, weight, stride, padding, kernel_dilation, input_dilation, groups, flip
        )

    return convolve


def packing(node: Node, size: int, bits: int, mode: int, back: bool) -> Operation:
    name, dtype = pick(MODES, mode), node.forms[0][1]

    def pack(w: array, *scale: array) -> list[array]:
        return quantize.quantize(w, size, bits, name, global_scale=scale[0] if scale else None)

    def unpack(w: array, scales: array, other: array | None = None) -> array:
        biases, scale = (other, None) if name == "affine" else (None, other)
        return quantize.dequantize(w, scales, biases, size, bits, name, scale, dtype)

    return unpack if back else pack
