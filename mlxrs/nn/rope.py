"""Rotary position embedding (https://arxiv.org/abs/2104.09864) and its scalings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import mlxc as mx

from ..errors import FormatError, UnsupportedError
from .module import Module


class RoPE(Module):
    """Rotate pairs of features by an angle that grows with the position.

    Args:
        dims: How many of the features to rotate; the rest passes unchanged.
        traditional: Pair neighbours (0, 1), (2, 3), …; else the first half with the second.
        base: The angle of pair i at position p is `p * base ** (-2 * i / dims)`.
        scale: Factor on the positions.

    Attributes:
        base: As given; None where there are `freqs`.
    """

    base: float | None
    _freqs: mx.array | None = None

    def __init__(
        self, dims: int, traditional: bool = False, base: float = 10000.0, scale: float = 1.0
    ) -> None:
        self.dims = dims
        self.traditional = traditional
        self.base = base
        self.scale = scale

    @property
    def freqs(self) -> mx.array | None:
        """What positions are divided by, `(dims / 2,)`, in place of powers of `base`."""
        return self._freqs

    def _extra_repr(self) -> str:
        return f"{self.dims}, traditional={self.traditional}, base={self.base}, scale={self.scale}"

    def __call__(self, x: mx.array, offset: int | mx.array = 0) -> mx.array:
        """Rotate `x` of shape `(B, H, L, D)`, whose first position is `offset`."""
        return mx.fast.rope(
            x,
            self.dims,
            traditional=self.traditional,
            base=self.base,
            scale=self.scale,
            offset=offset,
            freqs=self._freqs,
        )


class Llama3RoPE(RoPE):
    """RoPE with the low frequencies slowed down, as Llama 3.1 stretches its context.

    Pairs turning fewer than `low_freq_factor` times in the original context are slowed by
    `factor`, those turning more than `high_freq_factor` times are kept, and what lies between
    is interpolated.

    Args:
        dims: How many of the features to rotate.
        traditional: Pair neighbours; else the first half with the second.
        base: As in `RoPE`.
        factor: How much slower the low frequencies turn.
        low_freq_factor: Turns at which the slowing is complete.
        high_freq_factor: Turns at which it has ended.
        original_max_position_embeddings: The context before stretching, in tokens.
    """

    def __init__(
        self,
        dims: int,
        traditional: bool = False,
        base: float = 10000.0,
        *,
        factor: float,
        low_freq_factor: float = 1.0,
        high_freq_factor: float = 4.0,
        original_max_position_embeddings: int = 8192,
    ) -> None:
        super().__init__(dims, traditional)
        self.base = None
        self.factor = factor
        periods = []
        for i in range(0, dims, 2):
            period = base ** (i / dims)
            turns = original_max_position_embeddings / (2 * math.pi * period)
            kept = (turns - low_freq_factor) / (high_freq_factor - low_freq_factor)
            kept = min(max(kept, 0.0), 1.0)
            periods.append(period / (kept + (1 - kept) / factor))
        self._freqs = mx.array(periods, dtype=mx.float32)  # (dims / 2,)

    def _extra_repr(self) -> str:
        return f"{self.dims}, traditional={self.traditional}, factor={self.factor}"


def initialize_rope(
    dims: int,
    base: float,
    traditional: bool = False,
    scaling_config: Mapping[str, Any] | None = None,
) -> RoPE:
    """Build the rotary embedding a model's configuration asks for.

    Args:
        dims: How many of the features to rotate.
        base: `rope_theta` of the configuration.
        traditional: Pair neighbours; else the first half with the second.
        scaling_config: `rope_scaling` of the configuration: `rope_type` (in older ones `type`)
            is "default", "linear" or "llama3", with the parameters of that type beside it.

    Raises:
        UnsupportedError: Another type of scaling.
        FormatError: A parameter of the scaling is missing or no positive number.
    """
    config = scaling_config or {}
    kind = config.get("rope_type") or config.get("type") or "default"
    if kind == "default":
        return RoPE(dims, traditional, base)
    if kind == "linear":
        return RoPE(dims, traditional, base, scale=1 / _number(config, "factor"))
    if kind == "llama3":
        low = _number(config, "low_freq_factor")
        high = _number(config, "high_freq_factor")
        if low >= high:
            raise FormatError(
                f"rope_scaling: low_freq_factor must be below high_freq_factor, got {low} and "
                f"{high}; correct config.json"
            )
        return Llama3RoPE(
            dims,
            traditional,
            base,
            factor=_number(config, "factor"),
            low_freq_factor=low,
            high_freq_factor=high,
            original_max_position_embeddings=int(
                _number(config, "original_max_position_embeddings")
            ),
        )
    raise UnsupportedError(
        f"rope_scaling of type {kind!r} is not known; known are default, linear, llama3"
    )


def _number(config: Mapping[str, Any], name: str) -> float:
    value = config.get(name)
    if not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise FormatError(
            f"rope_scaling: {name} must be a positive number, got {value!r}; correct config.json"
        )
    return value
