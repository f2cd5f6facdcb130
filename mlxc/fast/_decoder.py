"""Layers of a decoder with quantized matrices, each as one operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._errors import raise_last_error
from .._ffi import ffi, foreign, lib
from .._handle import addresses, at, only_array, unpack
from . import _composed_blocks
from ._activations import GATES

if TYPE_CHECKING:
    from .._array import array
    from .._device import StreamOrDevice
    from ._composed_blocks import Forms


@dataclass(frozen=True, eq=False)
class AttentionHalf:
    """`x + attention(rms_norm(x))`, as `DecoderLayers` computes it.

    The normed `x` is projected to queries, keys and values; the heads of the first two are normed
    where there is a `head_eps`, and turned by `rope`; keys and values join those held, and the
    queries attend to them. What they get is projected and added to `x`.

    Attributes:
        weights: one array after the other: the weight of the norm (F,); words, scales and biases,
            as `quantize` gives them in its affine mode, of the matrices of queries (H * D, F), keys
            (H_kv * D, F), values (H_kv * D_v, F) and of the result (F, H * D_v); with `head_eps`
            the weights of the norms of queries and keys (D,); without `base` the `freqs` of
            `rope`. Everything but the matrices is float32.
        forms: group size and bits of the first three matrices, and those of the last.
        eps: that of the norm.
        scale: factor on the products of queries and keys.
        dims: as in `rope`.
        traditional: as in `rope`.
        base: as in `rope`; None where `weights` end with `freqs`.
        rope_scale: `scale` of `rope`.
        head_eps: that of the norms of heads; None is no such norms.
    """

    weights: Sequence[array]
    forms: Forms
    eps: float
    scale: float
    dims: int
    traditional: bool = False
    base: float | None = 10000.0
    rope_scale: float = 1.0
    head_eps: float | None = None


@dataclass(frozen=True, eq=False)
class FeedForwardHalf:
    """`x + down(activation(gate(h)) * up(h))` with `h = rms_norm(x)`: see `feed_forward_block`.

    Attributes:
        weights: as in `feed_forward_block`.
        forms: group size and bits of gate and up, and those of down.
        eps: that of the norm.
        activation: "silu", "gelu", "gelu_tanh" or "gelu_sigmoid".
    """

    weights: Sequence[array]
    forms: Forms
    eps: float
    activation: str = "silu"


class DecoderLayers:
    """Layers of a decoder, computed one behind the other for new tokens and those caches hold.

    On a CPU a layer is one operation, one pass over its matrices, and all are built in one call: a
    token of a small model costs as much time in the making of operations as in their work. mlx.core
    lacks it.

    Args:
        layers: the halves of each layer; without a second half a layer is attention alone.

    Raises:
        ValueError: an activation is unknown.

    Example:
        >>> import mlxc as mx
        >>> matrix, held, form = mx.quantize(mx.ones((64, 64))), mx.zeros((1, 2, 4, 32)), (64, 4)
        >>> half = mx.fast.AttentionHalf(
        ...     [mx.ones((64,)), *matrix, *matrix, *matrix, *matrix],
        ...     forms=(form, form),
        ...     eps=0.0,
        ...     scale=1.0,
        ...     dims=32,
        ... )
        >>> layers = mx.fast.DecoderLayers([(half, None)])
        >>> y, (keys,), (values,) = layers(mx.ones((1, 1, 64)), [held], [held], start=0)
        >>> y[0, 0, 0].item(), values[0, 0, :, 0].tolist()  # 1 + 64 * 64
        (4097.0, [64.0, 0.0, 0.0, 0.0])
    """

    def __init__(self, layers: Sequence[tuple[AttentionHalf, FeedForwardHalf | None]]) -> None:
        # Addresses and what was made of them; whoever holds an address, keeps the array alive.
        # First to come and to go: an array whose address is held would be freed with the next one.
        self._made: tuple[list[int], _Decoder] | None = None
        self.layers = tuple(layers)
        self._weights = [
            weight for halves in self.layers for half in halves if half for weight in half.weights
        ]
        self._forms = [_c_form(*halves) for halves in self.layers]

    def __reduce__(self) -> tuple[object, ...]:
        return DecoderLayers, (self.layers,)

    def __call__(
        self,
        x: array,
        keys: Sequence[array],
        values: Sequence[array],
        *,
        start: int,
        mask: str | None = None,
        stream: StreamOrDevice = None,
    ) -> tuple[array, list[array], list[array]]:
        """Computes the layers.

        Keys and values are written from row `start` on, where the positions of `rope` begin, and
        the queries attend to all rows up to the last one written. Buffers that nobody else refers
        to are written in place.

        Args:
            x: shape (B, L, F), float32.
            keys: of each layer, shape (B, H_kv, S, D), float32, float16 or bfloat16, to which new
                rows are rounded; the first `start` rows hold something.
            values: of each layer, shape (B, H_kv, S, D_v), of the dtype of its keys.
            start: how many tokens are held.
            mask: None, or "causal": each query sees the keys up to its own.

        Returns:
            What the last layer gives, shape (B, L, F), then keys and values of each layer.

        Raises:
            ValueError: the shapes or dtypes do not fit, rows lie outside, or `mask` is something
                else.
        """
        if mask not in (None, "causal"):
            raise ValueError(f"mask must be None or 'causal', got {mask!r}")
        if len(keys) != len(self.layers) or len(values) != len(self.layers):
            raise ValueError(
                f"keys and values must be those of {len(self.layers)} layers, got {len(keys)} and "
                f"{len(values)}"
            )
        if foreign:
            return _composed_blocks.decoder_layers(
                self.layers, x, keys, values, start, mask, stream
            )
        x, decoder = only_array(x), self._decoder()
        buffers = [buffer for pair in zip(keys, values, strict=True) for buffer in pair]
        x, *buffers = unpack(
            lib.h_cpu_decoder_run(
                decoder.address,
                x._h,
                addresses(buffers),
                len(buffers),
                start,
                mask is not None,
                at(stream),
            )
        )
        return x, buffers[::2], buffers[1::2]

    def _decoder(self) -> _Decoder:
        """The layers with their weights as they are now: `weight[0] = 1` makes others."""
        now, made = addresses(self._weights), self._made
        if made is None or made[0] != now:
            made = self._made = now, _Decoder(self._forms, now)
        return made[1]


class _Decoder:
    """Owner of layers in C."""

    def __init__(self, forms: list[dict[str, object]], weights: list[int]) -> None:
        layers = ffi.new("mlxc_decoder_layer[]", forms)
        self.address = lib.h_decoder_new(layers, len(forms), weights, len(weights))
        if not self.address:
            raise_last_error()
        handle = ffi.new("mlxc_decoder*", {"ctx": ffi.cast("void*", self.address)})
        self._owner = ffi.gc(handle, _free)


def _free(handle: Any) -> None:
    lib.mlxc_decoder_free(handle[0])


def _c_form(attention: AttentionHalf, feed_forward: FeedForwardHalf | None) -> dict[str, object]:
    """One layer as C knows it: `mlxc_decoder_layer`."""
    inner, outer = attention.forms
    form: dict[str, object] = {
        "eps": attention.eps,
        "group_size": inner[0],
        "bits": inner[1],
        "group_size_out": outer[0],
        "bits_out": outer[1],
        "head_eps": _optional(attention.head_eps),
        "scale": attention.scale,
        "dims": attention.dims,
        "traditional": attention.traditional,
        "base": _optional(attention.base),
        "rope_scale": attention.rope_scale,
        "activation": -1,
    }
    if feed_forward is not None:
        if feed_forward.activation not in GATES:
            raise ValueError(
                f"activation must be one of {[*GATES]}, got {feed_forward.activation!r}"
            )
        inner, outer = feed_forward.forms
        form |= {
            "activation": GATES[feed_forward.activation],
            "feed_forward_eps": feed_forward.eps,
            "gate_group_size": inner[0],
            "gate_bits": inner[1],
            "down_group_size": outer[0],
            "down_bits": outer[1],
        }
    return form


def _optional(value: float | None) -> dict[str, object]:
    return {"value": value or 0.0, "has_value": value is not None}
