"""Running results along an axis.

Every function takes `stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .._dtype import bool_, code_of
from .._ffi import lib
from .._handle import at, only_array, wrap

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice
    from .._dtype import Dtype

__all__ = ["cummax", "cummin", "cumprod", "cumsum", "diff", "logcumsumexp"]


def _scanned(
    function: Callable[..., int],
    a: array,
    axis: int | None,
    reverse: bool,
    inclusive: bool,
    dtype: Dtype | None,
    stream: StreamOrDevice,
) -> array:
    a = only_array(a)
    if axis is None:
        a, axis = wrap(lib.h_flatten(a._h, 0, -1, at(stream))), 0
    if dtype is not None:
        a = wrap(lib.h_astype(a._h, code_of(dtype), at(stream)))
    return wrap(function(a._h, axis, reverse, inclusive, at(stream)))


def cumsum(
    a: array,
    /,
    axis: int | None = None,
    *,
    reverse: bool = False,
    inclusive: bool = True,
    dtype: Dtype | None = None,
    stream: StreamOrDevice = None,
) -> array:
    """The sum of the elements so far.

    Args:
        a: any shape.
        axis: the axis to run along; None runs over the flattened array.
        reverse: run from the last element to the first.
        inclusive: whether an element counts in its own result.
        dtype: the type to convert `a` to before; None keeps it.

    Example:
        >>> import mlxc as mx
        >>> mx.cumsum(mx.array([1, 2, 3]), inclusive=False)
        array([0, 1, 3], dtype=int32)
    """
    return _scanned(lib.h_cumsum, a, axis, reverse, inclusive, dtype, stream)


def cumprod(
    a: array,
    /,
    axis: int | None = None,
    *,
    reverse: bool = False,
    inclusive: bool = True,
    dtype: Dtype | None = None,
    stream: StreamOrDevice = None,
) -> array:
    """The product of the elements so far.

    Args:
        a: any shape.
        axis: the axis to run along; None runs over the flattened array.
        reverse: run from the last element to the first.
        inclusive: whether an element counts in its own result.
        dtype: the type to convert `a` to before; None keeps it.

    Example:
        >>> import mlxc as mx
        >>> mx.cumprod(mx.array([1, 2, 3]))
        array([1, 2, 6], dtype=int32)
    """
    return _scanned(lib.h_cumprod, a, axis, reverse, inclusive, dtype, stream)


def cummax(
    a: array,
    /,
    axis: int | None = None,
    *,
    reverse: bool = False,
    inclusive: bool = True,
    stream: StreamOrDevice = None,
) -> array:
    """The largest of the elements so far.

    Args:
        a: any shape.
        axis: the axis to run along; None runs over the flattened array.
        reverse: run from the last element to the first.
        inclusive: whether an element counts in its own result.

    Example:
        >>> import mlxc as mx
        >>> mx.cummax(mx.array([1, 3, 2]))
        array([1, 3, 3], dtype=int32)
    """
    return _scanned(lib.h_cummax, a, axis, reverse, inclusive, None, stream)


def cummin(
    a: array,
    /,
    axis: int | None = None,
    *,
    reverse: bool = False,
    inclusive: bool = True,
    stream: StreamOrDevice = None,
) -> array:
    """The smallest of the elements so far.

    Args:
        a: any shape.
        axis: the axis to run along; None runs over the flattened array.
        reverse: run from the last element to the first.
        inclusive: whether an element counts in its own result.

    Example:
        >>> import mlxc as mx
        >>> mx.cummin(mx.array([3, 1, 2]))
        array([3, 1, 1], dtype=int32)
    """
    return _scanned(lib.h_cummin, a, axis, reverse, inclusive, None, stream)


def logcumsumexp(
    a: array,
    /,
    axis: int | None = None,
    *,
    reverse: bool = False,
    inclusive: bool = True,
    stream: StreamOrDevice = None,
) -> array:
    """`log(cumsum(exp(a)))` without overflow.

    Args:
        a: any shape.
        axis: the axis to run along; None runs over the flattened array.
        reverse: run from the last element to the first.
        inclusive: whether an element counts in its own result.

    Example:
        >>> import mlxc as mx
        >>> mx.logcumsumexp(mx.zeros(2))
        array([0, 0.693147], dtype=float32)
    """
    return _scanned(lib.h_logcumsumexp, a, axis, reverse, inclusive, None, stream)


def diff(a: array, /, n: int = 1, axis: int = -1, *, stream: StreamOrDevice = None) -> array:
    """The differences of neighbours along an axis.

    Args:
        a: at least one axis; for bool, where neighbours differ.
        n: how many times to take differences.
        axis: the axis to walk along.

    Returns:
        The shape of `a` with the axis shorter by `n`, down to 0.

    Raises:
        ValueError: `n` is negative.
        IndexError: there is no such axis.

    Example:
        >>> import mlxc as mx
        >>> mx.diff(mx.array([1, 4, 9]))
        array([3, 5], dtype=int32)
    """
    if n < 0:
        raise ValueError(f"n must not be negative, got {n}")
    a = only_array(a)
    if not -a.ndim <= axis < a.ndim:
        raise IndexError(f"axis {axis} is out of bounds for an array with {a.ndim} dimensions")
    s = at(stream)
    difference = lib.h_not_equal if a.dtype is bool_ else lib.h_subtract
    first, ones = [0] * a.ndim, [1] * a.ndim
    second, stop = list(first), list(a.shape)
    second[axis] = 1
    for _ in range(n):
        if stop[axis] == 0:
            break
        length = stop[axis]
        later = wrap(lib.h_slice(a._h, second, a.ndim, stop, a.ndim, ones, a.ndim, s))
        stop[axis] = length - 1
        earlier = wrap(lib.h_slice(a._h, first, a.ndim, stop, a.ndim, ones, a.ndim, s))
        a = wrap(difference(later._h, earlier._h, s))
    return a
