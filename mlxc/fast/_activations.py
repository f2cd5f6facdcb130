"""Activation functions, alone and as gates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._ffi import foreign, lib
from .._handle import at, only_array, wrap
from . import _composed

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice

SILU = 0
#: The forms of GELU by their names, as C counts them.
GELU = {"none": 1, "tanh": 2, "sigmoid": 3}
#: All by the names that gates have.
GATES = {"silu": 0, "gelu": 1, "gelu_tanh": 2, "gelu_sigmoid": 3}


def silu(x: array, *, stream: StreamOrDevice = None) -> array:
    """`x * sigmoid(x)`, also known as swish.

    Args:
        x: any shape.

    Returns:
        The shape of `x`, in its dtype if that is one of floats.

    Example:
        >>> import mlxc as mx
        >>> mx.fast.silu(mx.array([-1.0, 0.0, 1.0]))
        array([-0.268941, 0, 0.731059], dtype=float32)
    """
    return _activated(only_array(x), None, SILU, stream)


def gelu(x: array, *, approximate: str = "none", stream: StreamOrDevice = None) -> array:
    """`x * Φ(x)`, where Φ is the normal distribution function.

    Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", https://arxiv.org/abs/1606.08415.

    Args:
        x: any shape.
        approximate: "none"; or for Φ(x) "tanh", `(1 + tanh(sqrt(2 / π) * (x + 0.044715 * x**3))) /
            2`, or "sigmoid", `sigmoid(1.702 * x)`.

    Returns:
        The shape of `x`, in its dtype if that is one of floats.

    Raises:
        ValueError: `approximate` is something else.

    Example:
        >>> import mlxc as mx
        >>> mx.fast.gelu(mx.array([-1.0, 0.0, 1.0]))
        array([-0.158655, 0, 0.841345], dtype=float32)
    """
    return _activated(only_array(x), None, _form(approximate), stream)


def swiglu(gate: array, x: array, *, stream: StreamOrDevice = None) -> array:
    """`silu(gate) * x`, in one pass over both.

    Source: Shazeer, "GLU Variants Improve Transformer", https://arxiv.org/abs/2002.05202.

    Args:
        gate: any shape; the halves of one array, `gate, x = mx.split(y, 2, axis=-1)`, are read
            where they lie.
        x: the shape of `gate`, or one that broadcasts with it.

    Example:
        >>> import mlxc as mx
        >>> mx.fast.swiglu(mx.array([0.0, 1.0]), mx.array([2.0, 2.0]))
        array([0, 1.46212], dtype=float32)
    """
    return _activated(only_array(gate), only_array(x), SILU, stream)


def geglu(
    gate: array, x: array, *, approximate: str = "none", stream: StreamOrDevice = None
) -> array:
    """`gelu(gate) * x`, in one pass over both.

    Source: Shazeer, "GLU Variants Improve Transformer", https://arxiv.org/abs/2002.05202.

    Args:
        gate: as in `swiglu`.
        x: as in `swiglu`.
        approximate: as in `gelu`.

    Raises:
        ValueError: `approximate` is something else.

    Example:
        >>> import mlxc as mx
        >>> mx.fast.geglu(mx.array([0.0, 1.0]), mx.array([2.0, 2.0]), approximate="tanh")
        array([0, 1.68238], dtype=float32)
    """
    return _activated(only_array(gate), only_array(x), _form(approximate), stream)


def _form(approximate: str) -> int:
    if (form := GELU.get(approximate)) is None:
        raise ValueError(f"[gelu] approximate must be one of {tuple(GELU)}, got {approximate!r}")
    return form


def _activated(gate: array, x: array | None, form: int, stream: StreamOrDevice) -> array:
    if foreign:
        return _composed.activation(gate, x, form, stream)
    return wrap(lib.h_cpu_activation(gate._h, 0 if x is None else x._h, form, at(stream)))
