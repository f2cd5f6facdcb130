"""Attention, and the recurrence that stands in for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._ffi import foreign, lib
from .._handle import at, only_array, unpack, wrap
from ..ops._arguments import optional
from . import _composed

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice


def scaled_dot_product_attention(
    q: array,
    k: array,
    v: array,
    *,
    scale: float,
    mask: str | array | None = None,
    sinks: array | None = None,
    force_fused: bool = False,
    stream: StreamOrDevice = None,
) -> array:
    """Attention: `softmax(scale * q @ k.T + mask) @ v`, with the softmax in float32.

    Several heads of `q` may share one of `k` and `v`, which are not to be repeated for it. On a CPU
    float32 queries read float16 or bfloat16 keys and values as they are, without a copy.
    Source: Vaswani et al., "Attention Is All You Need", https://arxiv.org/abs/1706.03762;
    shared heads: Ainslie et al., "GQA", https://arxiv.org/abs/2305.13245.

    Args:
        q: queries, shape (B, H, L, D).
        k: keys, shape (B, H_kv, S, D), where H_kv divides H.
        v: values, shape (B, H_kv, S, D).
        scale: what multiplies the scores, as a rule `D ** -0.5`.
        mask: "causal" hides the keys behind each query, the last query being at the last key;
            a bool array hides where it is False, another is added to the scores; it broadcasts
            to (B, H, L, S). None hides nothing.
        sinks: shape (H,): a further score in each softmax, for a value of zero.
        force_fused: use a fused kernel, which needs less memory, also where MLX would not.

    Returns:
        Shape (B, H, L, D), of the dtype that `q`, `k` and `v` promote to.

    Raises:
        ValueError: the shapes do not fit, `mask` is another string, or there is no fused kernel
            to be forced: the CPU has none.

    Example:
        >>> import mlxc as mx
        >>> x = mx.random.normal((1, 8, 16, 64))
        >>> mx.fast.scaled_dot_product_attention(x, x, x, scale=64**-0.5, mask="causal").shape
        (1, 8, 16, 64)
    """
    q, k, v = only_array(q), only_array(k), only_array(v)
    sink, hidden, mode = optional(sinks, "sinks"), 0, b""
    if isinstance(mask, str):
        if mask != "causal":
            raise ValueError(f"mask must be 'causal', an array or None, got {mask!r}")
        mode = b"causal"
    elif mask is not None:
        hidden, mode = optional(mask, "mask"), b"array"
    function = lib.h_fused_attention if force_fused else lib.h_cpu_scaled_dot_product_attention
    return wrap(function(q._h, k._h, v._h, scale, mode, hidden, sink, at(stream)))


def quantized_scaled_dot_product_attention(
    q: array,
    k: Sequence[array],
    v: Sequence[array],
    *,
    scale: float,
    group_size: int = 64,
    bits: int = 4,
    mask: str | array | None = None,
    sinks: array | None = None,
    stream: StreamOrDevice = None,
) -> array:
    """Attention over packed keys and values, which are never unpacked as a whole.

    As `scaled_dot_product_attention` with `k` and `v` dequantized; mlx.core lacks it.

    Args:
        q: queries, shape (B, H, L, D).
        k: weight, scales and biases of the keys, as `quantize` gives them for (B, H_kv, S, D) in
            its affine mode; H_kv divides H.
        v: likewise those of the values.
        scale: what multiplies the scores, as a rule `D ** -0.5`.
        group_size: how many neighbours along D share a scale.
        bits: of a packed value.
        mask: as in `scaled_dot_product_attention`.
        sinks: likewise.

    Returns:
        Shape (B, H, L, D).

    Raises:
        ValueError: `k` or `v` is not three arrays of fitting shapes, or `mask` is another string.

    Example:
        >>> import mlxc as mx
        >>> x = mx.random.normal((1, 8, 16, 64))
        >>> packed = mx.quantize(x, group_size=32, bits=8)
        >>> mx.fast.quantized_scaled_dot_product_attention(
        ...     x, packed, packed, scale=64**-0.5, group_size=32, bits=8
        ... ).shape
        (1, 8, 16, 64)
    """
    q = only_array(q)
    packed = [only_array(a) for a in (*_three(k, "k"), *_three(v, "v"))]
    _check_packed(q.shape, [a.shape for a in packed], group_size, bits)
    if isinstance(mask, str) and mask != "causal":
        raise ValueError(f"mask must be 'causal', an array or None, got {mask!r}")
    if foreign:
        return _composed.quantized_attention(
            q, packed, scale, group_size, bits, mask, sinks, stream
        )
    hidden = 0 if isinstance(mask, str) else optional(mask, "mask")
    return wrap(
        lib.h_cpu_quantized_attention(
            q._h,
            *[a._h for a in packed],
            scale,
            group_size,
            bits,
            isinstance(mask, str),
            hidden,
            optional(sinks, "sinks"),
            at(stream),
        )
    )


def _three(packed: Sequence[array], name: str) -> Sequence[array]:
    if len(packed) != 3:
        raise ValueError(
            f"{name} must be weight, scales and biases, as quantize gives them in its affine "
            f"mode, got {len(packed)} arrays"
        )
    return packed


def _check_packed(
    queries: tuple[int, ...], packed: list[tuple[int, ...]], group_size: int, bits: int
) -> None:
    """Raise ValueError unless six arrays are keys and values for the queries."""
    rows = packed[0][:3]
    if len(queries) != 4 or any(len(shape) != 4 or shape[:3] != rows for shape in packed):
        raise ValueError(
            "q must be (B, H, L, D), and the arrays of k and v (B, H_kv, S, ...), "
            f"got {queries} and {packed}"
        )
    if queries[0] != rows[0] or not rows[1] or queries[1] % rows[1]:
        raise ValueError(
            "q must have the B of k and v, and a multiple of their heads, "
            f"got {queries} and {packed[0]}"
        )
    for words, scales, biases in (packed[:3], packed[3:]):
        if scales != biases or words[3] * 32 != scales[3] * group_size * bits:
            raise ValueError(
                f"k and v must be packed with group_size {group_size} and {bits} bits, "
                f"got weight {words}, scales {scales} and biases {biases}"
            )
    if queries[3] != packed[1][3] * group_size:
        raise ValueError(f"q must have the D of k, {packed[1][3] * group_size}, got {queries[3]}")


def gated_delta_update(
    q: array,
    k: array,
    v: array,
    gamma: array,
    beta: array,
    initial_state: array | None = None,
    mask: array | None = None,
    stream: StreamOrDevice = None,
) -> list[array]:
    """A gated delta network: a memory that forgets, and is corrected by what it got wrong.

    Each position t decays the state, writes and reads it, per head:

        S = gamma[t] * S
        S = S + beta[t] * outer(v[t] - S @ k[t], k[t])
        output[t] = S @ q[t]

    Several heads of `v` may share one of `q` and `k`, which are not to be repeated for it.
    Source: Yang et al., "Gated Delta Networks", https://arxiv.org/abs/2412.06464.

    Args:
        q: queries, shape (B, L, H, D).
        k: keys, shape (B, L, H, D).
        v: values, shape (B, L, H_v, D_v), where H divides H_v.
        gamma: what is kept of the state, from 0 to 1, shape (B, L, H_v).
        beta: how much of the error is corrected, shape (B, L, H_v).
        initial_state: shape (B, H_v, D_v, D); None is zeros.
        mask: bool of shape (B, L); where it is False the state stays and the output is 0.

    Returns:
        The output, shape (B, L, H_v, D_v), and the last state, shape (B, H_v, D_v, D).

    Raises:
        ValueError: the shapes do not fit, or L is 0.

    Example:
        >>> import mlxc as mx
        >>> q = k = mx.ones((1, 3, 2, 8))
        >>> v, ones = mx.ones((1, 3, 2, 4)), mx.ones((1, 3, 2))
        >>> output, state = mx.fast.gated_delta_update(q, k, v, ones, ones)
        >>> output.shape, state.shape
        ((1, 3, 2, 4), (1, 2, 4, 8))
    """
    given = [only_array(a) for a in (q, k, v, gamma, beta)]
    of_q, of_k, of_v, of_gamma, of_beta = (a.shape for a in given)
    if len(of_q) != 4 or of_k != of_q or len(of_v) != 4:
        raise ValueError(
            "q and k must be of one shape (B, L, H, D), and v of shape (B, L, H_v, D_v), "
            f"got {of_q}, {of_k} and {of_v}"
        )
    if not of_q[:2] == of_v[:2] == of_gamma[:2] == of_beta[:2]:
        raise ValueError(
            "q, v, gamma and beta must begin with the same B and L, "
            f"got {of_q}, {of_v}, {of_gamma} and {of_beta}"
        )
    if not of_q[2] or of_v[2] % of_q[2]:
        raise ValueError(f"the {of_q[2]} heads of q must divide the {of_v[2]} heads of v")
    state, used = optional(initial_state, "initial_state"), optional(mask, "mask")
    if foreign:
        q, k, v, gamma, beta = given
        return _composed.gated_delta_update(q, k, v, gamma, beta, initial_state, mask, stream)
    return unpack(lib.h_gated_delta_update(*[a._h for a in given], state, used, at(stream)))
