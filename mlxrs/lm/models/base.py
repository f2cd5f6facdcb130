"""What every language model offers, and how its configuration is read."""

from __future__ import annotations

import types
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import (
    Any,
    Protocol,
    Self,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    runtime_checkable,
)

import mlxc as mx

from ... import nn
from ...errors import FormatError
from ..cache import Cache


@runtime_checkable
class LanguageModel(Protocol):
    """A decoder: token ids in, scores of the next token at every position out.

    There is one way to call it. A prompt is read through it too: nothing is computed before it
    is evaluated, so a caller that evaluates the caches and drops the logits pays neither for the
    output head nor for what follows the last layer's keys and values.
    """

    @property
    def context_length(self) -> int | None:
        """The most tokens the model was trained to see at once; None where there is no limit."""

    def __call__(self, tokens: mx.array, cache: Sequence[Cache] | None = None) -> mx.array:
        """Return the logits.

        Args:
            tokens: Ids, integers `(B, L)`.
            cache: One cache a layer, as `make_cache` gives them, holding the tokens before
                `tokens`; they are advanced by L. Without, `tokens` is all there is.

        Returns:
            Logits `(B, L, V)`; nothing is evaluated.
        """

    def make_cache(self) -> Sequence[Cache]:
        """Return new, empty caches, one a layer, of the kinds this model needs."""


class BaseModel(nn.Module, ABC):
    """A `LanguageModel` built from a configuration and filled from a checkpoint.

    Attributes:
        args: The configuration.
    """

    def __init__(self, args: BaseModelArgs) -> None:
        self.args = args

    @property
    @abstractmethod
    def context_length(self) -> int | None:
        """See `LanguageModel`."""

    @property
    @abstractmethod
    def layers(self) -> Sequence[nn.Module]:
        """The blocks, first to last."""

    @abstractmethod
    def __call__(self, tokens: mx.array, cache: Sequence[Cache] | None = None) -> mx.array:
        """See `LanguageModel`."""

    @abstractmethod
    def make_cache(self) -> list[Cache]:
        """See `LanguageModel`."""

    def round_cache(self, dtype: mx.Dtype) -> None:  # noqa: B027
        """Round keys and values to a dtype from now on, before anything is done with them.

        So it makes no difference whether there is a cache, and of which kind. A model that has no
        keys and values does nothing.
        """

    def sanitize(self, weights: Mapping[str, mx.array]) -> dict[str, mx.array]:
        """Return the weights of a checkpoint as this model names and lays them out."""
        return dict(weights)


@dataclass
class BaseModelArgs:
    """The part of a `config.json` a model reads: one dataclass field for each key."""

    model_type: str

    @classmethod
    def from_dict(cls, config: Mapping[str, object]) -> Self:
        """Read the fields of this class from a configuration, passing over all other keys.

        A null counts as absent. The `rope_parameters` of newer configurations are read as the
        `rope_theta` and `rope_scaling` they replace.

        Raises:
            FormatError: A required key is missing or a value is of the wrong type.
        """
        config = {key: value for key, value in config.items() if value is not None}
        if isinstance(rope := config.get("rope_parameters"), Mapping):
            config = {"rope_scaling": rope, "rope_theta": rope.get("rope_theta")} | config
        hints = get_type_hints(cls)
        values: dict[str, Any] = {}
        for field in fields(cls):
            value = config.get(field.name)
            if value is not None:
                if not _fits(value, hints[field.name]):
                    raise FormatError(
                        f"config.json: {field.name} must be {field.type}, got {value!r}"
                    )
                values[field.name] = value
            elif field.default is MISSING:
                raise FormatError(
                    f"config.json lacks {field.name}, which every {config.get('model_type')} "
                    "model needs"
                )
        return cls(**values)

    def require_positive(self, *names: str) -> None:
        """Raise FormatError unless the fields named hold numbers above 0."""
        for name in names:
            if not getattr(self, name) > 0:
                raise FormatError(f"config.json: {name} must be > 0, got {getattr(self, name)}")


def _fits(value: object, hint: Any) -> bool:
    if get_origin(hint) in (Union, types.UnionType):
        return any(_fits(value, option) for option in get_args(hint))
    if hint is float:
        hint = (int, float)
    # True is an int to Python, but not to a configuration.
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, get_origin(hint) or hint)
