"""Normalisations over the feature axis."""

from __future__ import annotations

import mlxc as mx

from .module import Module


class RMSNorm(Module):
    """Divide by the root mean square of the features: `x / sqrt(mean(x²) + eps) * weight`.

    Accumulates in float32 (https://arxiv.org/abs/1910.07467).

    Args:
        dims: Features, D.
        eps: Added under the root.

    Attributes:
        weight: `(D,)`.
    """

    def __init__(self, dims: int, eps: float = 1e-5) -> None:
        self.weight = mx.ones((dims,))
        self.eps = eps

    def _extra_repr(self) -> str:
        return f"{self.weight.shape[0]}, eps={self.eps}"

    def __call__(self, x: mx.array) -> mx.array:
        """Normalise `x` of shape `(..., D)`."""
        return mx.fast.rms_norm(x, self.weight, self.eps)


class LayerNorm(Module):
    """Centre and scale the features: `(x - mean) / sqrt(var + eps) * weight + bias`.

    Accumulates in float32 (https://arxiv.org/abs/1607.06450).

    Args:
        dims: Features, D.
        eps: Added under the root.
        affine: Whether to scale by a weight.
        bias: Whether to add a bias too; without `affine` there is none.

    Attributes:
        weight: `(D,)`, or None.
        bias: `(D,)`, or None.
    """

    def __init__(
        self, dims: int, eps: float = 1e-5, affine: bool = True, bias: bool = True
    ) -> None:
        self.weight = mx.ones((dims,)) if affine else None
        self.bias = mx.zeros((dims,)) if affine and bias else None
        self.dims = dims
        self.eps = eps

    def _extra_repr(self) -> str:
        affine = self.weight is not None
        return f"{self.dims}, eps={self.eps}, affine={affine}, bias={self.bias is not None}"

    def __call__(self, x: mx.array) -> mx.array:
        """Normalise `x` of shape `(..., D)`."""
        return mx.fast.layer_norm(x, self.weight, self.bias, self.eps)
