"""Trigonometric and hyperbolic functions of each element.

Every function takes `stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._ffi import lib
from .._handle import as_array, at, wrap

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice
    from .._handle import ArrayLike

__all__ = [
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctanh",
    "cos",
    "cosh",
    "degrees",
    "radians",
    "sin",
    "sinh",
    "tan",
    "tanh",
]


def sin(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The sine of each element, in radians.

    Args:
        a: any shape and type; integers are converted to float32.

    Example:
        >>> import mlxc as mx
        >>> mx.sin(mx.array([0.0, 1.0]))
        array([0, 0.841471], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_sin(a._h, at(stream)))


def cos(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The cosine of each element, in radians.

    Args:
        a: any shape and type; integers are converted to float32.

    Example:
        >>> import mlxc as mx
        >>> mx.cos(mx.array([0.0, 1.0]))
        array([1, 0.540302], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_cos(a._h, at(stream)))


def tan(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The tangent of each element, in radians.

    Args:
        a: any shape and type; integers are converted to float32.

    Example:
        >>> import mlxc as mx
        >>> mx.tan(mx.array([0.0, 1.0]))
        array([0, 1.55741], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_tan(a._h, at(stream)))


def arcsin(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The inverse sine of each element, in [-pi/2, pi/2] radians.

    Args:
        a: any shape and type; integers are converted to float32.

    Example:
        >>> import mlxc as mx
        >>> mx.arcsin(mx.array([0.0, 1.0]))
        array([0, 1.5708], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_arcsin(a._h, at(stream)))


def arccos(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The inverse cosine of each element, in [0, pi] radians.

    Args:
        a: any shape and type; integers are converted to float32.

    Example:
        >>> import mlxc as mx
        >>> mx.arccos(mx.array([0.0, 1.0]))
        array([1.5708, 0], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_arccos(a._h, at(stream)))


def arctan(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The inverse tangent of each element, in (-pi/2, pi/2) radians.

    Args:
        a: any shape and type; integers are converted to float32.

    Example:
        >>> import mlxc as mx
        >>> mx.arctan(mx.array([0.0, 1.0]))
        array([0, 0.785398], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_arctan(a._h, at(stream)))


def sinh(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The hyperbolic sine of each element.

    Args:
        a: any shape and type; integers are converted to float32.

    Example:
        >>> import mlxc as mx
        >>> mx.sinh(mx.array([0.0, 1.0]))
        array([0, 1.1752], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_sinh(a._h, at(stream)))


def cosh(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The hyperbolic cosine of each element.

    Args:
        a: any shape and type; integers are converted to float32.

    Example:
        >>> import mlxc as mx
        >>> mx.cosh(mx.array([0.0, 1.0]))
        array([1, 1.54308], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_cosh(a._h, at(stream)))


def tanh(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The hyperbolic tangent of each element.

    Args:
        a: any shape and type; integers are converted to float32.

    Example:
        >>> import mlxc as mx
        >>> mx.tanh(mx.array([0.0, 1.0]))
        array([0, 0.761594], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_tanh(a._h, at(stream)))


def arcsinh(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The inverse hyperbolic sine of each element.

    Args:
        a: any shape and type; integers are converted to float32.

    Example:
        >>> import mlxc as mx
        >>> mx.arcsinh(mx.array([0.0, 1.0]))
        array([0, 0.881374], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_arcsinh(a._h, at(stream)))


def arccosh(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The inverse hyperbolic cosine of each element; nan for real ones below 1.

    Args:
        a: any shape and type; integers are converted to float32.

    Example:
        >>> import mlxc as mx
        >>> mx.arccosh(mx.array([1.0, 2.0]))
        array([0, 1.31696], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_arccosh(a._h, at(stream)))


def arctanh(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """The inverse hyperbolic tangent of each element; nan for real ones outside [-1, 1].

    Args:
        a: any shape and type; integers are converted to float32.

    Example:
        >>> import mlxc as mx
        >>> mx.arctanh(mx.array([0.0, 0.5]))
        array([0, 0.549306], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_arctanh(a._h, at(stream)))


def degrees(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """Radians as degrees.

    Args:
        a: any shape and type; integers are converted to float32.

    Example:
        >>> import mlxc as mx
        >>> mx.degrees(mx.array([0.0, mx.pi]))
        array([0, 180], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_degrees(a._h, at(stream)))


def radians(a: ArrayLike, /, *, stream: StreamOrDevice = None) -> array:
    """Degrees as radians.

    Args:
        a: any shape and type; integers are converted to float32.

    Example:
        >>> import mlxc as mx
        >>> mx.radians(mx.array([0.0, 180.0]))
        array([0, 3.14159], dtype=float32)
    """
    a = as_array(a)
    return wrap(lib.h_radians(a._h, at(stream)))
