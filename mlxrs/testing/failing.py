"""A model that breaks when it is told to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import mlxc as mx

from ..lm.cache import Cache


class ModelBroke(Exception):
    """What a `FailingModel` raises."""


class CallableModel(Protocol):
    """What a `FailingModel` can stand in front of."""

    @property
    def context_length(self) -> int | None: ...

    def __call__(self, tokens: mx.array, cache: Sequence[Cache] | None = None) -> mx.array: ...

    def make_cache(self) -> Sequence[Cache]: ...


class FailingModel:
    """Passes calls on to a model, then raises `ModelBroke` at each.

    Args:
        model: The model.
        calls: How many calls go through.
    """

    def __init__(self, model: CallableModel, calls: int) -> None:
        self.model = model
        self._calls = calls

    @property
    def context_length(self) -> int | None:
        return self.model.context_length

    def __call__(self, tokens: mx.array, cache: Sequence[Cache] | None = None) -> mx.array:
        """Return the model's logits.

        Raises:
            ModelBroke: All calls were used up.
        """
        if self._calls == 0:
            raise ModelBroke("out of calls")
        self._calls -= 1
        return self.model(tokens, cache)

    def make_cache(self) -> Sequence[Cache]:
        return self.model.make_cache()
