"""Random numbers from keys.

A function with a `key` always gives the same numbers for it; `split` makes independent keys of
one. Without a key it takes the next of the calling thread's sequence, which `seed` starts
again. The generator is Threefry (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3",
2011). Every function of numbers takes `stream`, the stream or device to run on; None is the
default.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ._dtype import Dtype, float32, int32
from ._errors import check
from ._ffi import lib
from ._handle import as_array, at, wrap
from .ops._arguments import ints, optional
from .ops.shape import broadcast_shapes

if TYPE_CHECKING:
    from ._array import array
    from ._device import StreamOrDevice
    from ._handle import ArrayLike

__all__ = [
    "bernoulli",
    "categorical",
    "gumbel",
    "key",
    "laplace",
    "multivariate_normal",
    "normal",
    "permutation",
    "randint",
    "seed",
    "split",
    "truncated_normal",
    "uniform",
]


def seed(seed: int) -> None:
    """Start the calling thread's sequence of keys.

    Args:
        seed: from 0 to 2**64 - 1.
    """
    check(lib.mlx_random_seed(_checked_seed(seed)))


def key(seed: int) -> array:
    """The key of a seed: uint32 of shape (2,).

    Args:
        seed: from 0 to 2**64 - 1.
    """
    return wrap(lib.h_random_key(_checked_seed(seed)))


def _checked_seed(seed: int) -> int:
    if not 0 <= seed < 2**64:
        raise ValueError(f"seed must be from 0 to 2**64 - 1, got {seed}")
    return seed


def split(key: ArrayLike, num: int = 2, stream: StreamOrDevice = None) -> array:
    """Independent keys made of one.

    Args:
        key: the key, not to be used again.
        num: how many.

    Returns:
        uint32 of shape (num, 2).

    Example:
        >>> import mlxc as mx
        >>> first, second = mx.random.split(mx.random.key(0))
    """
    key = as_array(key)
    return wrap(lib.h_random_split_num(key._h, num, at(stream)))


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
    """
    low, high = as_array(low), as_array(high)
    shape, state = ints(shape, "shape"), optional(key, "key")
    code = (dtype or float32)._code
    return wrap(lib.h_random_uniform(low._h, high._h, shape, len(shape), code, state, at(stream)))


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
    """
    shape, state = ints(shape, "shape"), optional(key, "key")
    mean = None if loc is None else as_array(loc)
    deviation = None if scale is None else as_array(scale)
    return wrap(
        lib.h_random_normal_broadcast(
            shape,
            len(shape),
            (dtype or float32)._code,
            0 if mean is None else mean._h,
            0 if deviation is None else deviation._h,
            state,
            at(stream),
        )
    )


def multivariate_normal(
    mean: ArrayLike,
    cov: ArrayLike,
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
    """
    mean, cov = as_array(mean), as_array(cov)
    shape, state = ints(shape, "shape"), optional(key, "key")
    code = (dtype or float32)._code
    return wrap(
        lib.h_random_multivariate_normal(
            mean._h, cov._h, shape, len(shape), code, state, at(stream)
        )
    )


def randint(
    low: ArrayLike,
    high: ArrayLike,
    shape: Sequence[int] = (),
    dtype: Dtype | None = int32,
    key: array | None = None,
    stream: StreamOrDevice = None,
) -> array:
    """Integers that are equally likely in [low, high).

    Args:
        low: the lower limit, broadcast to the shape.
        high: the upper limit, broadcast to the shape.
        shape: the shape of the result.
        dtype: an integer type; None is int32.
        key: the key; None takes the next of the sequence.
    """
    low, high = as_array(low), as_array(high)
    shape, state = ints(shape, "shape"), optional(key, "key")
    code = (dtype or int32)._code
    return wrap(lib.h_random_randint(low._h, high._h, shape, len(shape), code, state, at(stream)))


def bernoulli(
    p: ArrayLike = 0.5,
    shape: Sequence[int] | None = None,
    key: array | None = None,
    stream: StreamOrDevice = None,
) -> array:
    """Booleans that are True with a probability.

    Args:
        p: the probability, broadcast to the shape.
        shape: the shape of the result; None is that of `p`.
        key: the key; None takes the next of the sequence.
    """
    p = as_array(p)
    shape, state = p.shape if shape is None else ints(shape, "shape"), optional(key, "key")
    return wrap(lib.h_random_bernoulli(p._h, shape, len(shape), state, at(stream)))


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
    """
    lower, upper = as_array(lower), as_array(upper)
    if shape is None:
        shape = broadcast_shapes(lower.shape, upper.shape)
    shape, state = ints(shape, "shape"), optional(key, "key")
    code = (dtype or float32)._code
    return wrap(
        lib.h_random_truncated_normal(
            lower._h, upper._h, shape, len(shape), code, state, at(stream)
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
    """
    shape, state = ints(shape, "shape"), optional(key, "key")
    code = (dtype or float32)._code
    return wrap(lib.h_random_gumbel(shape, len(shape), code, state, at(stream)))


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
    """
    shape, state = ints(shape, "shape"), optional(key, "key")
    code = (dtype or float32)._code
    return wrap(lib.h_random_laplace(shape, len(shape), code, loc, scale, state, at(stream)))


def categorical(
    logits: ArrayLike,
    axis: int = -1,
    shape: Sequence[int] | None = None,
    num_samples: int | None = None,
    key: array | None = None,
    stream: StreamOrDevice = None,
) -> array:
    """Indices that are as likely as logits say.

    Args:
        logits: logarithms of probabilities, not normalized, any shape.
        axis: the axis of the classes.
        shape: the shape of the result, to which that of `logits` without the axis broadcasts;
            None is that shape itself.
        num_samples: how many indices to draw for each distribution, along a new last axis.
        key: the key; None takes the next of the sequence.

    Returns:
        uint32 of the shape, or that of `logits` without the axis and with `num_samples` last.

    Raises:
        ValueError: both `shape` and `num_samples` are given.
    """
    logits, state, s = as_array(logits), optional(key, "key"), at(stream)
    if shape is not None and num_samples is not None:
        raise ValueError(f"give shape {shape!r} or num_samples {num_samples}, not both")
    if shape is not None:
        shape = ints(shape, "shape")
        return wrap(lib.h_random_categorical_shape(logits._h, axis, shape, len(shape), state, s))
    if num_samples is not None:
        return wrap(lib.h_random_categorical_num_samples(logits._h, axis, num_samples, state, s))
    return wrap(lib.h_random_categorical(logits._h, axis, state, s))


def permutation(
    x: int | array,
    axis: int = 0,
    key: array | None = None,
    stream: StreamOrDevice = None,
) -> array:
    """A random order.

    Args:
        x: an array whose parts along the axis are put in order, or N for those of `arange(N)`.
        axis: the axis, for an array.
        key: the key; None takes the next of the sequence.

    Returns:
        The shape of `x`, or uint32 of shape (N,).
    """
    state = optional(key, "key")
    if isinstance(x, int):
        return wrap(lib.h_random_permutation_arange(x, state, at(stream)))
    x = as_array(x)
    return wrap(lib.h_random_permutation(x._h, axis, state, at(stream)))
