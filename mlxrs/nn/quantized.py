"""Layers whose weights stay packed in a few bits, and the swap that puts them into a model.

A packed weight is the triple `weight` (uint32, several values a word), `scales` and `biases`
(one of each for `group_size` neighbours in a row), as `mx.quantize` writes it. The modes other
than "affine" have no biases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import mlxc as mx
from mlxc.tree import tree_unflatten

from .module import Module

if TYPE_CHECKING:
    from .embedding import Embedding
    from .linear import Linear


class _Packed(Module):
    """A module around one packed weight."""

    def __init__(self, weight: mx.array, group_size: int, bits: int, mode: str) -> None:
        self.group_size = group_size
        self.bits = bits
        self.mode = mode
        self.weight, self.scales, *biases = mx.quantize(weight, group_size, bits, mode=mode)
        self.biases = biases[0] if biases else None

    def _extra_repr(self) -> str:
        rows, words = self.weight.shape
        return (
            f"{words * 32 // self.bits}, {rows}, group_size={self.group_size}, bits={self.bits}, "
            f"mode={self.mode}"
        )

    def _times_transposed(self, x: mx.array) -> mx.array:
        return mx.quantized_matmul(
            x,
            self.weight,
            scales=self.scales,
            biases=self.biases,
            transpose=True,
            group_size=self.group_size,
            bits=self.bits,
            mode=self.mode,
        )


class QuantizedLinear(_Packed):
    """`Linear` with a packed weight: `y = x @ dequantized.T + bias`.

    Args:
        weight: The weights to pack, `(O, D)`; D a multiple of `group_size`.
        bias: `(O,)`, or None. It is not packed.
        group_size: Neighbours sharing a scale.
        bits: Bits a value.
        mode: A mode of `mx.quantize`.
    """

    def __init__(
        self,
        weight: mx.array,
        bias: mx.array | None,
        group_size: int,
        bits: int,
        mode: str = "affine",
    ) -> None:
        super().__init__(weight, group_size, bits, mode)
        self.bias = bias

    @property
    def packed_form(self) -> tuple[int, int] | None:
        """Group size and bits, where the layer is an affine packed weight and nothing else."""
        plain = self.bias is None and self.biases is not None
        return (self.group_size, self.bits) if plain else None

    @property
    def packed(self) -> Sequence[mx.array]:
        """Words, scales and, in the affine mode, biases."""
        if self.biases is None:
            return self.weight, self.scales
        return self.weight, self.scales, self.biases

    @classmethod
    def from_linear(
        cls, linear: Linear, group_size: int, bits: int, mode: str = "affine"
    ) -> QuantizedLinear:
        """Pack the weights of a `Linear`."""
        return cls(linear.weight, linear.bias, group_size, bits, mode)

    def __call__(self, x: mx.array) -> mx.array:
        """Map `x` of shape `(..., D)` to `(..., O)`."""
        y = self._times_transposed(x)
        return y if self.bias is None else y + self.bias


class QuantizedEmbedding(_Packed):
    """`Embedding` with a packed table: rows are unpacked as they are looked up.

    Args:
        weight: The table to pack, `(V, D)`; D a multiple of `group_size`.
        group_size: Neighbours sharing a scale.
        bits: Bits a value.
        mode: A mode of `mx.quantize`.

    Attributes:
        dtype: Of the vectors; None is the type of the scales.
    """

    def __init__(self, weight: mx.array, group_size: int, bits: int, mode: str = "affine") -> None:
        super().__init__(weight, group_size, bits, mode)
        self.dtype: mx.Dtype | None = None

    @classmethod
    def from_embedding(
        cls, embedding: Embedding, group_size: int, bits: int, mode: str = "affine"
    ) -> QuantizedEmbedding:
        """Pack the table of an `Embedding`."""
        return cls(embedding.weight, group_size, bits, mode)

    def __call__(self, ids: mx.array) -> mx.array:
        """Return the vectors `(..., D)` of integer ids `(...)`."""
        return mx.fast.quantized_take(
            self.weight,
            self.scales,
            self.biases,
            ids,
            group_size=self.group_size,
            bits=self.bits,
            mode=self.mode,
            dtype=self.dtype,
        )

    def as_linear(self, x: mx.array) -> mx.array:
        """Return the scores `x @ table.T`, `(..., D)` to `(..., V)`: a tied output head."""
        return self._times_transposed(x)


@runtime_checkable
class Quantizable(Protocol):
    """A layer that knows its packed counterpart."""

    def to_quantized(self, group_size: int, bits: int, mode: str = "affine") -> Module: ...


def quantize(
    model: Module,
    group_size: int = 64,
    bits: int = 4,
    *,
    mode: str = "affine",
    class_predicate: Callable[[str, Module], bool | Mapping[str, Any]] | None = None,
) -> None:
    """Replace the layers of a model by their quantized counterparts, in place.

    Args:
        model: The model to change.
        group_size: Neighbours in a row sharing a scale.
        bits: Bits a value.
        mode: A mode of `mx.quantize`.
        class_predicate: Called with the path and the layer, for every layer that has a
            quantized counterpart. False leaves the layer as it is, True packs it, a mapping with
            any of `group_size`, `bits` and `mode` packs it with those instead. All are packed
            where it is None.

    Example:
        quantize(model, bits=8, class_predicate=lambda path, _: path != "lm_head")
    """
    swapped = []
    for path, module in model.named_modules():
        if not isinstance(module, Quantizable):
            continue
        choice = True if class_predicate is None else class_predicate(path, module)
        if choice is False:
            continue
        own = choice if isinstance(choice, Mapping) else {}
        layer = module.to_quantized(
            own.get("group_size", group_size), own.get("bits", bits), own.get("mode", mode)
        )
        swapped.append((path, layer))
    if swapped:
        model.update_modules(tree_unflatten(swapped))
