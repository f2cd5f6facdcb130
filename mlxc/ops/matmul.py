"""Products of matrices and of vectors.

Every function takes `stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._errors import check
from .._ffi import ffi, lib
from .._handle import addresses, at, only_array, wrap
from .._structs import c_vector
from ._arguments import choice, integer, ints, optional, text
from .arithmetic import multiply
from .elementwise import conjugate
from .reduce import sum as sum_

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice

__all__ = [
    "addmm",
    "block_masked_mm",
    "einsum",
    "einsum_path",
    "gather_mm",
    "hadamard_transform",
    "inner",
    "kron",
    "matmul",
    "outer",
    "segmented_mm",
    "tensordot",
    "vecdot",
]


def matmul(a: array, b: array, /, *, stream: StreamOrDevice = None) -> array:
    """The matrix product `a @ b`.

    Args:
        a: shape (..., M, K), or (K,) for a row.
        b: shape (..., K, N), or (K,) for a column; leading axes broadcast.

    Returns:
        Shape (..., M, N), without the axis of a row or column. The type is floating point.

    Raises:
        ValueError: the shapes do not fit, an argument has no axes, or both are integers.

    Example:
        >>> import mlxc as mx
        >>> mx.matmul(mx.array([[1.0, 2.0]]), mx.array([[3.0], [4.0]]))
        array([[11]], dtype=float32)
    """
    a, b = only_array(a), only_array(b)
    product = wrap(lib.h_cpu_matmul(a._h, b._h, at(stream)))
    return product if product.size else empty_product(a, b, at(stream))


def empty_product(a: array, b: array, stream: int = 0) -> array:
    """The product of matrices one of which has no rows or columns.

    MLX would free a copy of the other while it is made, so it gets none that it has to copy.
    """
    a, b = _contiguous(a, b, stream)
    return wrap(lib.h_matmul(a._h, b._h, stream))


def _contiguous(a: array, b: array, stream: int) -> tuple[array, array]:
    first = wrap(lib.h_contiguous(a._h, False, stream))
    return first, wrap(lib.h_contiguous(b._h, False, stream))


def addmm(
    c: array,
    a: array,
    b: array,
    /,
    alpha: float = 1.0,
    beta: float = 1.0,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """`alpha * (a @ b) + beta * c` in one step.

    Args:
        c: broadcasts to the shape of the product.
        a: shape (..., M, K), or (K,) for a row.
        b: shape (..., K, N), or (K,) for a column.
        alpha: the weight of the product.
        beta: the weight of `c`.

    Example:
        >>> import mlxc as mx
        >>> mx.addmm(mx.array([1.0]), mx.ones((1, 2)), mx.ones((2, 1)), alpha=2.0)
        array([[5]], dtype=float32)
    """
    c, a, b = only_array(c), only_array(a), only_array(b)
    result = wrap(lib.h_cpu_addmm(c._h, a._h, b._h, alpha, beta, at(stream)))
    if result.size == 0:
        a, b = _contiguous(a, b, at(stream))
        result = wrap(lib.h_addmm(c._h, a._h, b._h, alpha, beta, at(stream)))
    return result


def inner(a: array, b: array, /, *, stream: StreamOrDevice = None) -> array:
    """The sums of products along the last axes.

    Args:
        a: shape (..., K).
        b: shape (..., K).

    Returns:
        The axes of `a` but the last, then those of `b` but the last.

    Example:
        >>> import mlxc as mx
        >>> mx.inner(mx.array([1.0, 2.0]), mx.array([3.0, 4.0]))
        array(11, dtype=float32)
    """
    a, b = only_array(a), only_array(b)
    return wrap(lib.h_inner(a._h, b._h, at(stream)))


def vecdot(a: array, b: array, /, *, axis: int = -1, stream: StreamOrDevice = None) -> array:
    """The dot products of the vectors along an axis; those of `a` are conjugated.

    Args:
        a: any shape.
        b: any shape that broadcasts with `a`.
        axis: the axis of the vectors.

    Returns:
        The broadcast shape without the axis.

    Raises:
        ValueError: the shapes do not broadcast.

    Example:
        >>> import mlxc as mx
        >>> mx.vecdot(mx.array([[1, 2], [3, 4]]), mx.array([1, 1]))
        array([3, 7], dtype=int32)
    """
    a, b = only_array(a), only_array(b)
    products = multiply(conjugate(a, stream=stream), b, stream=stream)
    return sum_(products, axis, stream=stream)


def outer(a: array, b: array, /, *, stream: StreamOrDevice = None) -> array:
    """The products of each element of one array with each of the other.

    Args:
        a: M elements; its shape is flattened.
        b: N elements; its shape is flattened.

    Returns:
        Shape (M, N).

    Example:
        >>> import mlxc as mx
        >>> mx.outer(mx.array([1, 2]), mx.array([3, 4]))
        array([[3, 4],
               [6, 8]], dtype=int32)
    """
    a, b = only_array(a), only_array(b)
    return wrap(lib.h_outer(a._h, b._h, at(stream)))


def kron(a: array, b: array, *, stream: StreamOrDevice = None) -> array:
    """The Kronecker product: `b` scaled by each element of `a`, as blocks.

    Args:
        a: any shape.
        b: any shape.

    Returns:
        Each axis has the product of both lengths.

    Example:
        >>> import mlxc as mx
        >>> mx.kron(mx.array([[1, 2]]), mx.array([[1], [3]]))
        array([[1, 2],
               [3, 6]], dtype=int32)
    """
    a, b = only_array(a), only_array(b)
    return wrap(lib.h_kron(a._h, b._h, at(stream)))


def tensordot(
    a: array,
    b: array,
    /,
    axes: int | Sequence[Sequence[int]] = 2,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """The sums of products along pairs of axes.

    Args:
        a: any shape, floating point.
        b: any shape, floating point.
        axes: how many of the last axes of `a` meet the first of `b`, or the axes of `a` and
            those of `b`.

    Returns:
        The other axes of `a`, then those of `b`.

    Raises:
        ValueError: the axes differ in number or length.

    Example:
        >>> import mlxc as mx
        >>> mx.tensordot(mx.ones((2, 3, 4)), mx.ones((3, 4, 5)), axes=2).shape
        (2, 5)
    """
    a, b = only_array(a), only_array(b)
    if (count := integer(axes)) is not None:
        return wrap(lib.h_tensordot_axis(a._h, b._h, count, at(stream)))
    if len(axes) != 2:  # type: ignore[arg-type]
        raise ValueError(f"axes must be an integer or the axes of a and those of b, got {axes!r}")
    of_a, of_b = (ints(one, "axes") for one in axes)  # type: ignore[union-attr]
    return wrap(lib.h_tensordot(a._h, b._h, of_a, len(of_a), of_b, len(of_b), at(stream)))


def einsum(subscripts: str, *operands: array, stream: StreamOrDevice = None) -> array:
    """Sums of products written in Einstein's notation.

    Args:
        subscripts: a letter for each axis of each operand, then "->" and those of the result;
            a letter that is not in the result is summed over.
        operands: the arrays, floating point where they are multiplied.

    Example:
        >>> import mlxc as mx
        >>> mx.einsum("ij,j->i", mx.ones((2, 3)), mx.array([1.0, 2.0, 3.0]))
        array([6, 6], dtype=float32)
    """
    rule = text(subscripts, "subscripts")
    result = wrap(lib.h_einsum(rule, addresses(operands), len(operands), at(stream)))
    if all(operand.size for operand in operands):
        return result
    # Every sum is one of nothing, which MLX looks for without end.
    return wrap(lib.h_zeros(result.shape, result.ndim, lib.h_dtype(result._h), at(stream)))


def einsum_path(subscripts: str, *operands: array) -> tuple[list[tuple[int, ...]], str]:
    """The order in which `einsum` would multiply its operands.

    Args:
        subscripts: as in `einsum`.
        *operands: as in `einsum`; only their shapes matter.

    Returns:
        The operands of each step, counted among those that are left, the result of a step being
        put last; and a text about the cost.

    Raises:
        ValueError: the subscripts do not fit the operands.

    Example:
        >>> import mlxc as mx
        >>> a, b, c = mx.ones((2, 9)), mx.ones((9, 9)), mx.ones((9, 1))
        >>> mx.einsum_path("ij,jk,kl->il", a, b, c)[0]
        [(1, 2), (0, 1)]
    """
    inputs = list(map(only_array, operands))
    path, cost = ffi.new("mlx_vector_int*"), ffi.new("mlx_string*")
    try:
        with c_vector(inputs) as vector:
            check(lib.mlxc_einsum_path(path, cost, text(subscripts, "subscripts"), vector))
        return _steps(path[0]), ffi.string(lib.mlx_string_data(cost[0])).decode()
    finally:
        lib.mlx_vector_int_free(path[0])
        lib.mlx_string_free(cost[0])


def _steps(path: Any) -> list[tuple[int, ...]]:
    """Reads steps written one after another, the length of each before it."""
    number = ffi.new("int*")

    def read(index: int) -> int:
        check(lib.mlx_vector_int_get(number, path, index))
        return int(number[0])

    steps, place, size = [], 0, lib.mlx_vector_int_size(path)
    while place < size:
        length = read(place)
        steps.append(tuple(read(place + 1 + i) for i in range(length)))
        place += 1 + length
    return steps


def block_masked_mm(
    a: array,
    b: array,
    /,
    block_size: int = 64,
    mask_out: array | None = None,
    mask_lhs: array | None = None,
    mask_rhs: array | None = None,
    *,
    stream: StreamOrDevice = None,
) -> array:
    """A matrix product of which only some blocks are read and computed.

    Args:
        a: shape (..., M, K).
        b: shape (..., K, N).
        block_size: the length C of a block's sides, 32 or 64.
        mask_out: shape (..., ceil(M / C), ceil(N / C)); blocks that are not true are zero.
        mask_lhs: shape (..., ceil(M / C), ceil(K / C)): the blocks of `a`, or their weights.
        mask_rhs: shape (..., ceil(K / C), ceil(N / C)): the blocks of `b`, or their weights.

    Returns:
        Shape (..., M, N).

    Raises:
        ValueError: the shapes do not fit, there is no such block size, or both are integers.

    Example:
        >>> import mlxc as mx
        >>> mask = mx.array([[True, False]])
        >>> mx.block_masked_mm(mx.ones((32, 8)), mx.ones((8, 64)), 32, mask_out=mask)[0, ::32]
        array([8, 0], dtype=float32)
    """
    a, b = only_array(a), only_array(b)
    out = optional(mask_out, "mask_out")
    lhs, rhs = optional(mask_lhs, "mask_lhs"), optional(mask_rhs, "mask_rhs")
    product = wrap(lib.h_block_masked_mm(a._h, b._h, block_size, out, lhs, rhs, at(stream)))
    return product if product.size else empty_product(a, b, at(stream))


def gather_mm(
    a: array,
    b: array,
    /,
    lhs_indices: array | None = None,
    rhs_indices: array | None = None,
    *,
    sorted_indices: bool = False,
    stream: StreamOrDevice = None,
) -> array:
    """Products of matrices chosen by index, as in a mixture of experts.

    Args:
        a: shape (..., M, K); its leading axes are counted as one.
        b: shape (..., K, N); its leading axes are counted as one.
        lhs_indices: which matrices of `a` to take, any shape; None is all in order.
        rhs_indices: which matrices of `b` to take, broadcast with `lhs_indices`.
        sorted_indices: the indices ascend, which may be faster.

    Returns:
        The broadcast shape of the indices, then (M, N).

    Raises:
        ValueError: the shapes do not fit, both operands are integers, or indices are not integers
            or choose from no matrices.

    Example:
        >>> import mlxc as mx
        >>> experts = mx.array([[[1.0], [2.0]], [[3.0], [4.0]]])
        >>> mx.gather_mm(mx.ones((1, 2)), experts, rhs_indices=mx.array([1, 0])).tolist()
        [[[7.0]], [[3.0]]]
    """
    a, b = only_array(a), only_array(b)
    lhs, rhs = choice(a, lhs_indices, "lhs_indices"), choice(b, rhs_indices, "rhs_indices")
    return wrap(lib.h_cpu_gather_mm(a._h, b._h, lhs, rhs, sorted_indices, at(stream)))


def segmented_mm(a: array, b: array, /, segments: array, *, stream: StreamOrDevice = None) -> array:
    """A matrix product for each of several ranges of the inner axis.

    Args:
        a: shape (M, K).
        b: shape (K, N).
        segments: integers of shape (..., 2): where each range starts and stops. Neither they
            nor K are checked: beyond an operand, MLX reads memory that is not its own.

    Returns:
        Shape (..., M, N).

    Raises:
        ValueError: an operand is not a matrix, both are integers, or `segments` has another shape
            or type.

    Example:
        >>> import mlxc as mx
        >>> a, b = mx.array([[1.0, 2.0, 3.0]]), mx.ones((3, 1))
        >>> mx.segmented_mm(a, b, mx.array([[0, 2], [2, 3]])).tolist()
        [[[3.0]], [[3.0]]]
    """
    a, b, segments = only_array(a), only_array(b), only_array(segments)
    return wrap(lib.h_segmented_mm(a._h, b._h, segments._h, at(stream)))


def hadamard_transform(
    a: array, scale: float | None = None, stream: StreamOrDevice = None
) -> array:
    """The product of a Hadamard matrix with the last axis.

    Args:
        a: shape (..., N), where N is a power of two times 1, 12, 20 or 28.
        scale: what multiplies the result; None is 1 / sqrt(N), which keeps lengths.

    Raises:
        ValueError: N is another number, or the array is empty.

    Example:
        >>> import mlxc as mx
        >>> mx.hadamard_transform(mx.array([1.0, 2.0]), scale=1.0)
        array([3, -1], dtype=float32)
    """
    a = only_array(a)
    return wrap(
        lib.h_hadamard_transform(a._h, 0 if scale is None else scale, scale is not None, at(stream))
    )
