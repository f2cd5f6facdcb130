"""How to generate: the settings of a request, checked in one place."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(slots=True)
class GenConfig:
    """The settings of a generation; assign to its fields at will, they are checked on use.

    Attributes:
        max_tokens: The most tokens to generate; 0 generates nothing and calls no model.
        temp: 0 takes the likeliest token; above, tokens are drawn from softmax(logits / temp).
        seed: Makes the draws repeatable; None draws differently every time.
        prefill_step_size: The most prompt tokens the model reads at once. Smaller needs less
            memory, larger is faster.
    """

    max_tokens: int = 256
    temp: float = 0.0
    seed: int | None = None
    prefill_step_size: int = 2048

    def validate(self) -> None:
        """Raise ValueError, naming field, rule, value and remedy, unless every field is valid."""
        _check_integer("max_tokens", self.max_tokens, 0, "0 generates nothing")
        if not _is_number(self.temp) or not 0 <= self.temp < math.inf:
            raise ValueError(
                f"temp must be a finite number >= 0, got {self.temp!r}; 0 takes the likeliest token"
            )
        if self.seed is not None:
            _check_integer("seed", self.seed, 0, "None draws differently every time")
            if self.seed >= 2**64:
                raise ValueError(f"seed must be below 2**64, got {self.seed}; use a smaller one")
        _check_integer("prefill_step_size", self.prefill_step_size, 1, "2048 suits most machines")


def _check_integer(name: str, value: object, least: int, hint: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} must be an integer >= {least}, got {value!r}; {hint}")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
