"""Activation functions: elementwise, any shape, the dtype of the input."""

from __future__ import annotations

import mlxc as mx


def relu(x: mx.array) -> mx.array:
    """Return `max(x, 0)`."""
    return mx.maximum(x, 0)


def silu(x: mx.array) -> mx.array:
    """Return `x * sigmoid(x)`, also known as swish."""
    return mx.fast.silu(x)


def swiglu(gate: mx.array, x: mx.array) -> mx.array:
    """Return `silu(gate) * x`, the gated unit of https://arxiv.org/abs/2002.05202."""
    return mx.fast.swiglu(gate, x)


def gelu(x: mx.array) -> mx.array:
    """Return `x * Φ(x)` with the exact normal distribution function Φ."""
    return mx.fast.gelu(x)


def gelu_approx(x: mx.array) -> mx.array:
    """Return `gelu` by its tanh approximation, "gelu_pytorch_tanh" in configurations."""
    return mx.fast.gelu(x, approximate="tanh")


def gelu_fast_approx(x: mx.array) -> mx.array:
    """Return `gelu` by its sigmoid approximation, `x * sigmoid(1.702 * x)`."""
    return mx.fast.gelu(x, approximate="sigmoid")
