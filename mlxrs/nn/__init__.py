"""Layers: a `Module` is a tree of parameters, a layer a Module that can be called.

Names, arguments and weight layouts are those of `mlx.nn`.
"""

from .activations import gelu, gelu_approx, gelu_fast_approx, relu, silu, swiglu
from .embedding import Embedding
from .linear import Linear
from .module import Module, revision
from .norm import LayerNorm, RMSNorm
from .quantized import QuantizedEmbedding, QuantizedLinear, quantize
from .rope import Llama3RoPE, RoPE, initialize_rope

__all__ = [
    "Embedding",
    "LayerNorm",
    "Linear",
    "Llama3RoPE",
    "Module",
    "QuantizedEmbedding",
    "QuantizedLinear",
    "RMSNorm",
    "RoPE",
    "gelu",
    "gelu_approx",
    "gelu_fast_approx",
    "initialize_rope",
    "quantize",
    "relu",
    "revision",
    "silu",
    "swiglu",
]
