"""Random integers, truth values, classes and orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._dtype import Dtype, bfloat16, code_of, float16, float32, int32
from .._ffi import lib
from .._handle import Handle, as_array, at, only_array, wrap
from ..ops._arguments import integer, ints
from ._continuous import gumbel
from ._key import key_or_next

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice
    from .._handle import ArrayLike


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

    Example:
        >>> import mlxc as mx
        >>> mx.random.randint(0, 10, (4,), key=mx.random.key(0)).shape
        (4,)
    """
    low, high = as_array(low), as_array(high)
    shape, key = ints(shape, "shape"), key_or_next(key)
    code = code_of(dtype or int32)
    return wrap(lib.h_random_randint(low._h, high._h, shape, len(shape), code, key._h, at(stream)))


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

    Example:
        >>> import mlxc as mx
        >>> mx.random.bernoulli(mx.array([0.0, 1.0]))
        array([False, True], dtype=bool)
    """
    p = as_array(p)
    shape, key = p.shape if shape is None else ints(shape, "shape"), key_or_next(key)
    return wrap(lib.h_random_bernoulli(p._h, shape, len(shape), key._h, at(stream)))


def categorical(
    logits: array,
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

    Example:
        >>> import mlxc as mx
        >>> mx.random.categorical(mx.array([0.0, 9e9]), key=mx.random.key(0))
        array(1, dtype=uint32)
    """
    logits, key, s = only_array(logits), key_or_next(key), at(stream)
    if shape is not None and num_samples is not None:
        raise ValueError(f"give shape {shape!r} or num_samples {num_samples}, not both")
    if shape is not None:
        shape = ints(shape, "shape")
        return wrap(lib.h_random_categorical_shape(logits._h, axis, shape, len(shape), key._h, s))
    if num_samples is not None:
        return wrap(lib.h_random_categorical_num_samples(logits._h, axis, num_samples, key._h, s))
    is_last = logits.ndim and axis in (-1, logits.ndim - 1)
    if is_last and logits.dtype in (float32, float16, bfloat16):
        # What MLX does too, of operations that have kernels.
        noise = gumbel(logits.shape, float32, key, stream)
        noisy = wrap(lib.h_add(noise._h, logits._h, s))
        return wrap(lib.h_cpu_argmax_axis(noisy._h, axis, False, s))
    return wrap(lib.h_random_categorical(logits._h, axis, key._h, s))


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

    Example:
        >>> import mlxc as mx
        >>> mx.sort(mx.random.permutation(3))
        array([0, 1, 2], dtype=uint32)
    """
    key = key_or_next(key)
    if not isinstance(x, Handle) and (length := integer(x)) is not None:
        return wrap(lib.h_random_permutation_arange(length, key._h, at(stream)))
    x = only_array(x)
    return wrap(lib.h_random_permutation(x._h, axis, key._h, at(stream)))
