"""The dense affine layer."""

from __future__ import annotations

import math
from collections.abc import Sequence

import mlxc as mx

from .module import Module
from .quantized import QuantizedLinear


class Linear(Module):
    """Apply an affine map to the last axis: `y = x @ weight.T + bias`.

    Weights start uniform in ±1/sqrt(input_dims).

    Args:
        input_dims: Features in, D.
        output_dims: Features out, O.
        bias: Whether to add a bias.

    Attributes:
        weight: `(O, D)`.
        bias: `(O,)`, or None.
    """

    def __init__(self, input_dims: int, output_dims: int, bias: bool = True) -> None:
        bound = math.sqrt(1.0 / input_dims)
        self.weight = mx.random.uniform(-bound, bound, (output_dims, input_dims))
        self.bias = mx.random.uniform(-bound, bound, (output_dims,)) if bias else None

    @property
    def packed_form(self) -> None:
        """See `QuantizedLinear`: nothing is packed here."""

    @property
    def packed(self) -> Sequence[mx.array]:
        """See `QuantizedLinear`."""
        return ()

    def _extra_repr(self) -> str:
        output_dims, input_dims = self.weight.shape
        return f"input_dims={input_dims}, output_dims={output_dims}, bias={self.bias is not None}"

    def __call__(self, x: mx.array) -> mx.array:
        """Map `x` of shape `(..., D)` to `(..., O)`."""
        if self.bias is None:
            return x @ self.weight.T
        return mx.addmm(self.bias, x, self.weight.T)

    def to_quantized(self, group_size: int, bits: int, mode: str = "affine") -> QuantizedLinear:
        """Return a quantized layer holding these weights; see `mlxrs.nn.quantize`."""
        return QuantizedLinear.from_linear(self, group_size, bits, mode)
