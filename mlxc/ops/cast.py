"""The same elements in another data type.

Every function takes `stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._dtype import Dtype, bfloat16, code_of
from .._ffi import lib
from .._handle import as_array, at, only_array, wrap

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice
    from .._handle import ArrayLike

__all__ = ["astype", "from_fp8", "to_fp8", "view"]


def astype(a: array, dtype: Dtype, /, *, stream: StreamOrDevice = None) -> array:
    """The elements converted to a type.

    Args:
        a: any shape and type.
        dtype: the type; a fraction is cut off where it holds integers only.

    Example:
        >>> import mlxc as mx
        >>> mx.astype(mx.array([1.7, -1.7]), mx.int32)
        array([1, -1], dtype=int32)
    """
    a = only_array(a)
    return wrap(lib.h_cpu_astype(a._h, code_of(dtype), at(stream)))


def view(a: ArrayLike, dtype: Dtype, stream: StreamOrDevice = None) -> array:
    """The bytes of the elements read as another type.

    Args:
        a: any shape; the last axis grows or shrinks as the sizes of the types differ.
        dtype: the type to read.

    Raises:
        ValueError: the last axis does not hold a whole number of the larger elements.

    Example:
        >>> import mlxc as mx
        >>> mx.view(mx.array([1.0]), mx.uint32)
        array([1065353216], dtype=uint32)
    """
    a = as_array(a)
    return wrap(lib.h_view(a._h, code_of(dtype), at(stream)))


def to_fp8(x: array, *, stream: StreamOrDevice = None) -> array:
    """The elements as 8-bit floats of format E4M3, stored as uint8.

    Args:
        x: any shape, floating point; beyond 448 it becomes 448, of the same sign.

    Raises:
        ValueError: `x` is not floating point.

    Example:
        >>> import mlxc as mx
        >>> mx.to_fp8(mx.array([1.0, -2.0, 1000.0]))
        array([56, 192, 126], dtype=uint8)
    """
    x = only_array(x)
    return wrap(lib.h_to_fp8(x._h, at(stream)))


def from_fp8(x: array, dtype: Dtype = bfloat16, *, stream: StreamOrDevice = None) -> array:
    """What 8-bit floats of format E4M3 stand for.

    Args:
        x: any shape, uint8.
        dtype: the floating-point type to convert to.

    Raises:
        ValueError: `x` is not uint8, or `dtype` not floating point.

    Example:
        >>> import mlxc as mx
        >>> mx.from_fp8(mx.to_fp8(mx.array([1.0, 0.3, 1000.0])))
        array([1, 0.3125, 448], dtype=bfloat16)
    """
    x = only_array(x)
    return wrap(lib.h_from_fp8(x._h, code_of(dtype), at(stream)))
