"""How a session keeps within memory and within the context of its model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import mlxc as mx

from .cache import Cache, make_prompt_cache
from .models import LanguageModel

Overflow: TypeAlias = Literal["error", "drop_oldest", "rotate"]

KEEP = 4  # how many of the first tokens a bounded cache never forgets


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Limits of a session; `ChatSession` tells what they mean.

    Raises:
        ValueError: One of them is out of range.
    """

    max_kv_size: int | None = None
    kv_bits: int | None = None
    overflow: Overflow = "error"

    def __post_init__(self) -> None:
        if self.overflow not in get_args(Overflow):
            raise ValueError(
                f"overflow must be one of {get_args(Overflow)}, got {self.overflow!r}; "
                "'error' is the default"
            )

        for name in ("max_kv_size", "kv_bits"):
            value = getattr(self, name)
            if value is not None and (type(value) is not int or value < 1):
                raise ValueError(
                    f"{name} must be an integer >= 1, got {value!r}; None for no limit"
                )
        if self.max_kv_size is not None and self.max_kv_size <= KEEP:
            raise ValueError(
                f"max_kv_size must be above {KEEP}, got {self.max_kv_size}: so many of the first "
                "tokens are never forgotten"
            )

    def make_caches(self, model: LanguageModel) -> list[Cache]:
        """Return new, empty caches for a model, one a layer."""
        size = self.max_kv_size
        if size is None and self.overflow == "rotate":
            size = model.context_length
        return make_prompt_cache(model, size, self.kv_bits, keep=KEEP)

    def bound(self, model: LanguageModel) -> LanguageModel:
        """Return the model with the context it has under these settings."""
        return EndlessModel(model) if self.overflow == "rotate" else model


class EndlessModel:
    """A model whose context has no end, since its caches forget the oldest tokens.

    Args:
        model: The model.
    """

    context_length = None

    def __init__(self, model: LanguageModel) -> None:
        self._model = model

    def __call__(self, tokens: mx.array, cache: Sequence[Cache] | None = None) -> mx.array:
        return self._model(tokens, cache)

    def make_cache(self) -> Sequence[Cache]:
        return self._model.make_cache()
