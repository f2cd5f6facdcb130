"""Operations of an exported function that are several calls, or a call with checks before it.

The functions of this package check shapes and types, and so do those of C that are called here.
Indices nobody checks; they are brought within their axis, so that no file can have memory read or
written that is not an operand's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from . import fast, fft, linalg
from ._bounds import INTEGERS
from ._convert import new_array
from ._dtype import int32
from ._dtype_info import iinfo
from ._ffi import lib
from ._handle import wrap
from ._jacobian import vjp
from ._vmap import vmap
from .ops import (
    arithmetic,
    cast,
    compare,
    elementwise,
    graph,
    layout,
    logic,
    scan,
    shape,
    take,
)

if TYPE_CHECKING:
    from ._array import array
    from ._graph_file import Node

    Operation: TypeAlias = Callable[..., array | Sequence[array]]


def pick(options: Sequence[Any], number: int) -> Any:
    if not 0 <= number < len(options):
        raise ValueError(f"{number} is none of the {len(options)} kinds of it")
    return options[number]


def within(index: array, length: int) -> array:
    """Indices into an axis: those that are within it, and others as the nearest that is."""
    dtype = index.dtype
    if dtype._code not in INTEGERS or index.size == 0:
        return index
    if length == 0:
        raise ValueError(f"indices of shape {index.shape} into an empty axis")
    info = iinfo(dtype)
    low, high = max(info.min, -length), min(info.max, length - 1)
    return elementwise.clip(index, new_array(low, dtype), new_array(high, dtype))


def within_axes(a: array, indices: Sequence[array], axes: Sequence[int]) -> list[array]:
    if len(indices) != len(axes) or not {*axes} <= {*range(a.ndim)}:
        raise ValueError(f"{len(indices)} indices for the axes {axes} of {a.ndim}")
    return [within(index, a.shape[axis]) for index, axis in zip(indices, axes, strict=True)]


# --- operations of several calls ------------------------------------------------------


def absolute(node: Node) -> Operation:
    """The absolute value, which MLX keeps as a complex number until another operation."""
    dtype = node.forms[0][1]
    return lambda a: cast.astype(elementwise.abs(a), dtype)


def equal_or_nan(a: array, b: array) -> array:
    return logic.logical_or(compare.equal(a, b), logic.logical_and(logic.isnan(a), logic.isnan(b)))


def broadcast(shape: list[int], a: array, *others: array) -> array:
    return layout.broadcast_arrays(a, *others)[0] if others else layout.broadcast_to(a, shape)


def broadcast_axes(ignored: list[int], a: array, *others: array) -> array:
    def rest(shape: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(n for i, n in enumerate(shape) if i - len(shape) not in ignored)

    shape = list(layout.broadcast_shapes(*(rest(x.shape) for x in (a, *others))))
    for axis in sorted(ignored):
        shape.insert(len(shape) + 1 + axis + sum(axis < i for i in ignored), a.shape[axis])
    return layout.broadcast_to(a, shape)


def gather(axes: list[int], sizes: list[int], a: array, *indices: array) -> array:
    near = within_axes(a, indices, axes)
    handles = [index._h for index in near]
    return wrap(lib.h_gather(a._h, handles, len(near), axes, len(axes), sizes, len(sizes), 0))


def scatter(how: Any, axes: list[int], a: array, *others: array) -> array:
    *indices, updates = others
    near = within_axes(a, indices, axes)
    handles = [index._h for index in near]
    return wrap(how(a._h, handles, len(near), updates._h, axes, len(axes), 0))


def gather_axis(axis: int, a: array, indices: array) -> array:
    return take.take_along_axis(a, within(indices, a.shape[axis]), axis)


def scatter_axis(add: bool, axis: int, a: array, indices: array, values: array) -> array:
    near = within(indices, a.shape[axis])
    if add:
        return wrap(lib.h_scatter_add_axis(a._h, near._h, values._h, axis, 0))
    return take.put_along_axis(a, near, values, axis)


def masked_scatter(a: array, mask: array, values: array) -> array:
    """Where the mask is true, one value after the other; the last again where they run out."""
    place = scan.cumsum(cast.astype(mask, int32), axis=None) - 1
    flat = shape.flatten(values)
    chosen = take.take(flat, within(arithmetic.maximum(place, 0), flat.size))
    return take.where(mask, shape.reshape(chosen, mask.shape), a)


def bounds_of(a: array, start: list[int], stop: list[int], step: list[int]) -> tuple[Any, ...]:
    """The bounds of a slice as C takes them, where -1 is the last element again."""
    if not len(start) == len(stop) == len(step) == a.ndim or 0 in step:
        raise ValueError(f"the bounds {start}, {stop}, {step} do not fit the shape {a.shape}")
    ends = [
        -length - 1 if by < 0 and end == -1 else end
        for length, end, by in zip(a.shape, stop, step, strict=True)
    ]
    n = a.ndim
    return start, n, ends, n, step, n, 0


def slice_(start: list[int], stop: list[int], step: list[int], a: array) -> array:
    return wrap(lib.h_slice(a._h, *bounds_of(a, start, stop, step)))


def slice_update(
    how: Any, start: list[int], stop: list[int], step: list[int], a: array, update: array
) -> array:
    return wrap(how(a._h, update._h, *bounds_of(a, start, stop, step)))


def start_within(a: array, start: array, axes: list[int], sizes: Sequence[int]) -> array:
    if not {*axes} <= {*range(a.ndim)} or len(sizes) != a.ndim or start.size != len(axes):
        raise ValueError(f"starts of shape {start.shape} for the axes {axes} of {a.ndim}")
    if start.dtype._code not in INTEGERS:
        return start
    most = iinfo(start.dtype).max
    last = [min(most, a.shape[axis] - sizes[axis]) for axis in axes]
    if min(last, default=0) < 0:
        raise ValueError(f"a part of shape {tuple(sizes)} does not fit into {a.shape}")
    zero = new_array(0, start.dtype)
    return elementwise.clip(start, zero, shape.reshape(new_array(last, start.dtype), start.shape))


def dynamic_slice(axes: list[int], sizes: list[int], a: array, start: array) -> array:
    return take.slice(a, start_within(a, start, axes, sizes), axes, sizes)


def dynamic_slice_update(axes: list[int], a: array, update: array, start: array) -> array:
    return take.slice_update(a, update, start_within(a, start, axes, update.shape), axes)


def pad(axes: list[int], low: list[int], high: list[int], a: array, value: array) -> array:
    if not len(axes) == len(low) == len(high) or min([0, *low, *high]) < 0:
        raise ValueError(f"the widths {low} and {high} for the axes {axes}")
    n = len(axes)
    return wrap(lib.h_pad(a._h, axes, n, low, n, high, n, value._h, b"constant", 0))


def transform(axes: list[int], inverse: bool, real: bool, odd: bool, a: array) -> array:
    if not real:
        return (fft.ifftn if inverse else fft.fftn)(a, axes=axes)
    if not inverse:
        return fft.rfftn(a, axes=axes)
    *lengths, half = [a.shape[axis] for axis in axes]
    return fft.irfftn(a, [*lengths, 2 * (half - 1) + odd], axes)


def random_bits(shape: list[int], width: int, keys: array) -> array:
    """Bits of one key, or of many of the same number each: the first axes of the shape."""
    if keys.ndim > 1:
        rest = shape[1:]
        bits: array = vmap(partial(random_bits, rest, width))(keys)
        return bits
    return wrap(lib.h_random_bits(shape, len(shape), width, keys._h, 0))


def number_of_elements(axes: list[int], inverted: bool, dtype: Any, a: array) -> array:
    return wrap(lib.h_number_of_elements(a._h, axes, len(axes), inverted, dtype._code, 0))


def inverse(node: Node, triangular: bool, upper: bool) -> Operation:
    return partial(linalg.tri_inv, upper=upper) if triangular else linalg.inv


def or_none(weight: array) -> array | None:
    """The weight of a norm, which is a scalar where there is none."""
    return weight if weight.ndim else None


def rms_norm(eps: float, x: array, weight: array) -> array:
    return fast.rms_norm(x, or_none(weight), eps)


def layer_norm(eps: float, x: array, weight: array, bias: array) -> array:
    return fast.layer_norm(x, or_none(weight), or_none(bias), eps)


def backwards(function: Callable[..., array], *operands: array) -> list[array]:
    *primals, cotangent = operands
    return vjp(function, primals, [cotangent])[1]


def rope(
    node: Node, dims: int, traditional: bool, base: float, scale: float, forward: bool
) -> Operation:
    def turn(a: array, offset: array, *freqs: array) -> array:
        return fast.rope(
            a,
            dims,
            traditional=traditional,
            base=None if freqs else base,
            scale=scale,
            offset=offset,
            freqs=freqs[0] if freqs else None,
        )

    def turn_back(a: array, *others: array) -> list[array]:
        return vjp(lambda x: turn(x, *others), [a], [a])[1]

    return turn if forward else turn_back


def attention(
    node: Node, scale: float, causal: bool, has_sinks: bool, logsumexp: bool, fused: bool
) -> Operation:
    if logsumexp:
        raise ValueError("attention for a gradient cannot be imported")

    def attend(q: array, k: array, v: array, *others: array) -> array:
        sinks = others[-1] if has_sinks and others else None
        masks = others[:-1] if has_sinks else others
        mask = "causal" if causal else masks[0] if masks else None
        return fast.scaled_dot_product_attention(q, k, v, scale=scale, mask=mask, sinks=sinks)

    return attend


def depend(node: Node) -> Operation:
    count = len(node.outputs)
    return lambda *arrays: graph.depends(list(arrays[:count]), list(arrays[count:]))
