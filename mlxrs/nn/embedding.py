"""The table of token vectors."""

from __future__ import annotations

import math

import mlxc as mx

from .module import Module
from .quantized import QuantizedEmbedding


class Embedding(Module):
    """Look vectors up by token id.

    Args:
        num_embeddings: Size of the vocabulary, V.
        dims: Features of a vector, D.

    Attributes:
        weight: `(V, D)`.
        dtype: Of the vectors; None is the type of the weight.
    """

    def __init__(self, num_embeddings: int, dims: int) -> None:
        scale = math.sqrt(1.0 / dims)
        self.weight = mx.random.normal((num_embeddings, dims), scale=scale)
        self.dtype: mx.Dtype | None = None

    def _extra_repr(self) -> str:
        num_embeddings, dims = self.weight.shape
        return f"{num_embeddings}, {dims}"

    def __call__(self, ids: mx.array) -> mx.array:
        """Return the vectors `(..., D)` of integer ids `(...)`."""
        vectors = self.weight[ids]
        return vectors if self.dtype is None else vectors.astype(self.dtype)

    def as_linear(self, x: mx.array) -> mx.array:
        """Return the scores `x @ weight.T`, `(..., D)` to `(..., V)`: a tied output head."""
        return x @ self.weight.T

    def to_quantized(self, group_size: int, bits: int, mode: str = "affine") -> QuantizedEmbedding:
        """Return a quantized layer holding these weights; see `mlxrs.nn.quantize`."""
        return QuantizedEmbedding.from_embedding(self, group_size, bits, mode)
