"""Edges of the graph that change no values: what is not differentiated, what runs first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from .._ffi import lib
from .._handle import Handle, addresses, at, only_array, unpack, wrap

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice

__all__ = ["depends", "stop_gradient"]


def stop_gradient(a: array, /, *, stream: StreamOrDevice = None) -> array:
    """The array as a constant: gradients do not flow through it.

    Args:
        a: any shape and type.
        stream: the stream or device to run on; None is the default.

    Example:
        >>> import mlxc as mx
        >>> mx.grad(lambda x: x * mx.stop_gradient(x))(mx.array(3.0))
        array(3, dtype=float32)
    """
    a = only_array(a)
    return wrap(lib.h_stop_gradient(a._h, at(stream)))


@overload
def depends(inputs: array, dependencies: array | Sequence[array]) -> array: ...
@overload
def depends(inputs: Sequence[array], dependencies: array | Sequence[array]) -> list[array]: ...
def depends(
    inputs: array | Sequence[array], dependencies: array | Sequence[array]
) -> array | list[array]:
    """Arrays that are evaluated after others.

    Args:
        inputs: an array or several.
        dependencies: what has to be evaluated before them.

    Returns:
        As many arrays as `inputs`, of the same values.

    Example:
        >>> import mlxc as mx
        >>> first = mx.array([1, 2])
        >>> mx.depends(mx.array([3, 4]), first * 2)
        array([3, 4], dtype=int32)
    """
    before = _several(dependencies)
    after = _several(inputs)
    if not after:
        return []
    vector = lib.h_depends(addresses(after), len(after), addresses(before), len(before))
    results = unpack(vector)
    return results[0] if isinstance(inputs, Handle) else results


def _several(arrays: array | Sequence[array]) -> list[array]:
    return [arrays] if isinstance(arrays, Handle) else list(arrays)
