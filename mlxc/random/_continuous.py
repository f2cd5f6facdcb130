"""Random real numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._dtype import Dtype, code_of, float32
from .._ffi import lib
from .._handle import as_array, at, only_array, wrap
from ..ops._arguments import ints
from ..ops.layout import broadcast_shapes
from ._key import key_or_next

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice
    from .._handle import ArrayLike


def uniform(
    low: ArrayLike = 0,
    high: ArrayLike = 1,
    shape: Sequence[int] = (),
    dtype: Dtype | None = float32,
    key: array | None = None,
    stream: StreamOrDevice = None,
) -> array:
    """Numbers that are equally likely anywhere in [low, high).

    Args:
        low: the lower limit, broadcast to the shape.
        high: the upper limit, broadcast to the shape.
        shape: the shape of the result.
        dtype: a floating-point type; None is float32.
        key: the key; None takes the next of the sequence.

    Example:
        >>> import mlxc as mx
        >>> mx.random.uniform(0, 10, (2, 3), key=mx.random.key(0)).shape
        (2, 3)
    """
    low, high = as_array(low), as_array(high)
    shape, key = ints(shape, "shape"), key_or_next(key)
    code = code_of(dtype or float32)
    return wrap(
        lib.h_cpu_random_uniform(low._h, high._h, shape, len(shape), code, key._h, at(stream))
    )


def normal(
    shape: Sequence[int] = (),
    dtype: Dtype | None = float32,
    loc: ArrayLike | None = None,
    scale: ArrayLike | None = None,
    key: array | None = None,
    stream: StreamOrDevice = None,
) -> array:
    """Numbers of the normal distribution.

    Args:
        shape: the shape of the result.
        dtype: a floating-point type or complex64; None is float32.
        loc: the mean, broadcast with the shape; None is 0.
        scale: the standard deviation, broadcast with the shape; None is 1.
        key: the key; None takes the next of the sequence.

    Example:
        >>> import mlxc as mx
        >>> mx.random.normal((2, 3), key=mx.random.key(0)).shape
        (2, 3)
    """
    shape, key = ints(shape, "shape"), key_or_next(key)
    mean = None if loc is None else as_array(loc)
    deviation = None if scale is None else as_array(scale)
    return wrap(
        lib.h_random_normal_broadcast(
            shape,
            len(shape),
            code_of(dtype or float32),
            0 if mean is None else mean._h,
            0 if deviation is None else deviation._h,
            key._h,
            at(stream),
        )
    )


def multivariate_normal(
    mean: array,
    cov: array,
    shape: Sequence[int] = (),
    dtype: Dtype | None = float32,
    key: array | None = None,
    stream: StreamOrDevice = None,
) -> array:
    """Vectors of the normal distribution with correlated elements. Runs on the CPU only.

    Args:
        mean: shape (..., N).
        cov: the covariance matrices, symmetric and positive semidefinite, shape (..., N, N).
        shape: the shape of the result but for the vectors; () is that of the arguments.
        dtype: float32; None is the same.
        key: the key; None takes the next of the sequence.

    Returns:
        Shape (*shape, N).

    Raises:
        ValueError: the shapes do not fit, or `dtype` is not float32.

    Example:
        >>> import mlxc as mx
        >>> mean, cov = mx.array([1.0, 2.0]), mx.array([[2.0, 1.0], [1.0, 2.0]])
        >>> mx.random.multivariate_normal(mean, cov, (5,), key=mx.random.key(0)).shape
        (5, 2)
    """
    mean, cov = only_array(mean), only_array(cov)
    shape, key = ints(shape, "shape"), key_or_next(key)
    code = code_of(dtype or float32)
    return wrap(
        lib.h_random_multivariate_normal(
            mean._h, cov._h, shape, len(shape), code, key._h, at(stream)
        )
    )


def truncated_normal(
    lower: ArrayLike,
    upper: ArrayLike,
    shape: Sequence[int] | None = None,
    dtype: Dtype | None = float32,
    key: array | None = None,
    stream: StreamOrDevice = None,
) -> array:
    """Numbers of the normal distribution within [lower, upper].

    Args:
        lower: the lower limit, broadcast to the shape.
        upper: the upper limit, broadcast to the shape.
        shape: the shape of the result; None is that of both limits together.
        dtype: a floating-point type; None is float32.
        key: the key; None takes the next of the sequence.

    Raises:
        ValueError: `dtype` is no real floating-point type, or the shapes do not fit.

    Example:
        >>> import mlxc as mx
        >>> x = mx.random.truncated_normal(-1, 1, (100,), key=mx.random.key(0))
        >>> mx.all(mx.abs(x) <= 1)
        array(True, dtype=bool)
    """
    lower, upper = as_array(lower), as_array(upper)
    if shape is None:
        shape = broadcast_shapes(lower.shape, upper.shape)
    shape, key = ints(shape, "shape"), key_or_next(key)
    code = code_of(dtype or float32)
    return wrap(
        lib.h_random_truncated_normal(
            lower._h, upper._h, shape, len(shape), code, key._h, at(stream)
        )
    )


def gumbel(
    shape: Sequence[int] = (),
    dtype: Dtype | None = float32,
    key: array | None = None,
    stream: StreamOrDevice = None,
) -> array:
    """Numbers of the Gumbel distribution, `-log(-log(u))` for uniform u.

    Args:
        shape: the shape of the result.
        dtype: a floating-point type; None is float32.
        key: the key; None takes the next of the sequence.

    Raises:
        ValueError: `dtype` is no real floating-point type, or a length is negative.

    Example:
        >>> import mlxc as mx
        >>> mx.random.gumbel((2, 3), key=mx.random.key(0)).shape
        (2, 3)
    """
    shape, key = ints(shape, "shape"), key_or_next(key)
    code = code_of(dtype or float32)
    return wrap(lib.h_cpu_random_gumbel(shape, len(shape), code, key._h, at(stream)))


def laplace(
    shape: Sequence[int] = (),
    dtype: Dtype | None = float32,
    loc: float = 0.0,
    scale: float = 1.0,
    key: array | None = None,
    stream: StreamOrDevice = None,
) -> array:
    """Numbers of the Laplace distribution.

    Args:
        shape: the shape of the result.
        dtype: a floating-point type; None is float32.
        loc: the mean.
        scale: the mean distance from it.
        key: the key; None takes the next of the sequence.

    Raises:
        ValueError: `dtype` is no real floating-point type, or a length is negative.

    Example:
        >>> import mlxc as mx
        >>> mx.random.laplace((2, 3), scale=0.5, key=mx.random.key(0)).shape
        (2, 3)
    """
    shape, key = ints(shape, "shape"), key_or_next(key)
    code = code_of(dtype or float32)
    return wrap(lib.h_random_laplace(shape, len(shape), code, loc, scale, key._h, at(stream)))
