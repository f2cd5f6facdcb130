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
    max_cache_bytes: int | None = None

    def __post_init__(self) -> None:
        if self.overflow not in get_args(Overflow):
            raise ValueError(
                f"overflow must be one of {get_args(Overflow)}, got {self.overflow!r}; "
                "'error' is the default"
            )

        for name in ("max_kv_size", "kv_bits", "max_cache_bytes"):
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

    def make_caches(self, model: LanguageModel, tokens: int | None = None) -> list[Cache]:
        """Return new, empty caches for a model, one a layer.

        Args:
            model: The model.
            tokens: How many tokens there is memory for; None for any number.
        """
        sizes = [self.max_kv_size]
        if self.overflow == "rotate":
            sizes.append(tokens)
            if self.max_kv_size is None:
                sizes.append(model.context_length)
        known = [size for size in sizes if size is not None]
        return make_prompt_cache(model, min(known, default=None), self.kv_bits, keep=KEEP)

    def bound(self, model: LanguageModel, tokens: int | None) -> LanguageModel:
        """Return the model with the context it has under these settings.

        Args:
            model: The model.
            tokens: How many tokens there is memory for; None for any number.
        """
        if self.overflow == "rotate":
            return BoundModel(model, None)
        if tokens is None or (model.context_length or tokens) < tokens:
            return model
        return BoundModel(model, tokens)


class BoundModel:
    """A model whose context has another length, since its caches hold more tokens, or fewer.

    Args:
        model: The model.
        context_length: The most tokens it may see; None where its caches forget the oldest.
    """

    def __init__(self, model: LanguageModel, context_length: int | None) -> None:
        self._model = model
        self.context_length = context_length

    def __call__(self, tokens: mx.array, cache: Sequence[Cache] | None = None) -> mx.array:
        return self._model(tokens, cache)

    def make_cache(self) -> Sequence[Cache]:
        return self._model.make_cache()
