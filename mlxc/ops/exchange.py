"""Arrays from the objects of other libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._convert import new_array
from .._dlpack import imported
from .._dtype import Dtype

if TYPE_CHECKING:
    from .._array import array

__all__ = ["ArrayLike", "asarray", "from_dlpack"]


class ArrayLike:
    """Anything that counts as an array: an object whose `__mlx_array__()` returns one.

    Every function that takes an array takes such an object as well.

    Args:
        arg: what is to be an array.

    Example:
        >>> import mlxc as mx
        >>> mx.exp(mx.ArrayLike([0.0]))
        array([1], dtype=float32)
    """

    __slots__ = ("_value",)

    def __init__(self, arg: object, /) -> None:
        self._value = arg

    def __mlx_array__(self) -> array:
        return new_array(self._value)


def asarray(a: Any, dtype: Dtype | None = None, *, copy: bool | None = None) -> array:
    """Anything as an array, without copying it if MLX can use the memory.

    Args:
        a: a scalar, an array, nested lists, a numpy array, or any object with DLPack.
        dtype: the type; None is that of `a`, with float64 as float32.
        copy: True always copies, False never does; None copies if need be. On the CPU MLX uses
            memory of its own only, so data from elsewhere is always copied.

    Raises:
        ValueError: `copy` is False, but the data has to be copied.
        TypeError: `a` is None.

    Example:
        >>> import mlxc as mx
        >>> mx.asarray([1, 2], mx.float16)
        array([1, 2], dtype=float16)
    """
    if copy is False:
        if not hasattr(a, "__dlpack__"):
            raise ValueError("copy is False, but the data has to be copied; leave copy out")
        return imported(a, dtype, copy)
    return new_array(a, dtype)


def from_dlpack(x: Any, /, *, copy: bool | None = None) -> array:
    """An array of the data of another library, taken over through DLPack.

    Args:
        x: an object with `__dlpack__` and `__dlpack_device__` and its data on the CPU, any shape
            and strides; float64 becomes float32, complex128 complex64.
        copy: as in `asarray`.

    Raises:
        TypeError: `x` does not speak DLPack.
        ValueError: the data is elsewhere or of a type that arrays cannot have, or `copy` is False
            and it has to be copied.

    Example:
        >>> import mlxc as mx
        >>> import numpy
        >>> mx.from_dlpack(numpy.arange(3, dtype="int32"))
        array([0, 1, 2], dtype=int32)
    """
    return imported(x, None, copy)
