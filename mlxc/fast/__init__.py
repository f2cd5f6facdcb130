"""Layers of neural networks as single operations.

Letters: B batch, H heads, L queries or sequence, S keys, D features. Every function takes
`stream`, the stream or device to run on; None is the default.
"""

from __future__ import annotations

from ._activations import geglu, gelu, silu, swiglu
from ._attention import (
    gated_delta_update,
    quantized_scaled_dot_product_attention,
    scaled_dot_product_attention,
)
from ._decoder import AttentionHalf, DecoderLayers, FeedForwardHalf
from ._feed_forward import feed_forward_block
from ._kernels import cuda_kernel, metal_kernel, precompiled_cuda_kernel
from ._layers import cross_entropy, layer_norm, rms_norm, rope
from ._rows import write_rows
from ._tables import quantized_take
from ._top import keep_top_k, keep_top_p

__all__ = [
    "AttentionHalf",
    "DecoderLayers",
    "FeedForwardHalf",
    "cross_entropy",
    "cuda_kernel",
    "feed_forward_block",
    "gated_delta_update",
    "geglu",
    "gelu",
    "keep_top_k",
    "keep_top_p",
    "layer_norm",
    "metal_kernel",
    "precompiled_cuda_kernel",
    "quantized_scaled_dot_product_attention",
    "quantized_take",
    "rms_norm",
    "rope",
    "scaled_dot_product_attention",
    "silu",
    "swiglu",
    "write_rows",
]
