"""How keys and values lie in the arrays of a cache: as they are, or packed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import mlxc as mx

from .base import KeysOrValues, Quantized

BITS = (2, 3, 4, 5, 6, 8)
GROUP_SIZES = (32, 64, 128)


class Codec(Protocol):
    """A way to lay keys and values out in several arrays `(B, H, S, ·)`."""

    width: int
    """How many arrays there are."""

    def accepts(self, arrays: Sequence[mx.array]) -> bool:
        """Whether arrays are of the types it makes."""

    def encode(self, keys: mx.array, values: mx.array) -> list[mx.array]:
        """Lay them out.

        Raises:
            ValueError: The features cannot be laid out so.
        """

    def decode(self, arrays: Sequence[mx.array]) -> tuple[KeysOrValues, KeysOrValues]:
        """Return keys and values in the form attention takes them."""

    def expand(self, arrays: Sequence[mx.array]) -> tuple[mx.array, mx.array]:
        """Return keys and values as they were, up to what packing lost."""


class Plain:
    """One array of keys and one of values."""

    width = 2

    def accepts(self, arrays: Sequence[mx.array]) -> bool:
        return all(mx.issubdtype(array.dtype, mx.floating) for array in arrays)

    def encode(self, keys: mx.array, values: mx.array) -> list[mx.array]:
        return [keys, values]

    def decode(self, arrays: Sequence[mx.array]) -> tuple[mx.array, mx.array]:
        keys, values = arrays
        return keys, values

    expand = decode


class Affine:
    """Keys and values in a few bits each: weight, scales and biases of both.

    Args:
        group_size: Neighbouring features sharing a scale: 32, 64 or 128.
        bits: Bits a value: 2, 3, 4, 5, 6 or 8.
    """

    width = 6

    def __init__(self, group_size: int, bits: int) -> None:
        if group_size not in GROUP_SIZES:
            raise ValueError(f"group_size must be one of {GROUP_SIZES}, got {group_size}")
        if bits not in BITS:
            raise ValueError(f"bits must be one of {BITS}, got {bits}")
        self.group_size = group_size
        self.bits = bits

    def accepts(self, arrays: Sequence[mx.array]) -> bool:
        weights, others = arrays[::3], [*arrays[1:3], *arrays[4:]]
        return all(weight.dtype == mx.uint32 for weight in weights) and all(
            mx.issubdtype(array.dtype, mx.floating) for array in others
        )

    def check(self, keys: mx.array, values: mx.array) -> None:
        """Raise ValueError unless the features of a head are whole groups."""
        for array in (keys, values):
            if array.shape[-1] % self.group_size:
                raise ValueError(
                    "the features of a head must be a multiple of group_size to be quantized, "
                    f"got {array.shape[-1]} and {self.group_size}; choose another group_size or "
                    "leave kv_bits out"
                )

    def encode(self, keys: mx.array, values: mx.array) -> list[mx.array]:
        return [
            part
            for array in (keys, values)
            for part in mx.quantize(array, self.group_size, self.bits)
        ]

    def decode(self, arrays: Sequence[mx.array]) -> tuple[Quantized, Quantized]:
        keys = Quantized(arrays[0], arrays[1], arrays[2], self.group_size, self.bits)
        values = Quantized(arrays[3], arrays[4], arrays[5], self.group_size, self.bits)
        return keys, values

    def expand(self, arrays: Sequence[mx.array]) -> tuple[mx.array, mx.array]:
        keys, values = self.decode(arrays)
        return _unpacked(keys), _unpacked(values)


def _unpacked(packed: Quantized) -> mx.array:
    return mx.dequantize(
        packed.weight, packed.scales, packed.biases, packed.group_size, packed.bits
    )


class Packing:
    """When and how a cache packs what it holds.

    Args:
        codec: How.
        start: How many tokens are held before.
    """

    def __init__(self, codec: Affine, start: int) -> None:
        if start < 0:
            raise ValueError(f"quantized_kv_start must be >= 0, got {start}")
        self.codec = codec
        self.start = start

    def due(self, held: int) -> bool:
        """Whether the tokens held and those to come are to be packed."""
        return held >= self.start

    def check(self, keys: mx.array, values: mx.array) -> None:
        """Raise ValueError unless keys and values can be packed now or later."""
        self.codec.check(keys, values)
