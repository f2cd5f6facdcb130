"""The architectures: one a file, found by the `model_type` of a `config.json`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ...errors import UnsupportedError
from .base import BaseModel, BaseModelArgs, LanguageModel

__all__ = ["ARCHITECTURES", "BaseModel", "BaseModelArgs", "LanguageModel", "get_model_class"]

# model_type -> the module here that defines its `Model` and `ModelArgs`.
ARCHITECTURES = {
    "llama": "llama",
    "mistral": "llama",
    "qwen3": "qwen3",
}


def get_model_class(model_type: str) -> tuple[type[BaseModel], type[BaseModelArgs]]:
    """Return the `Model` of an architecture and the `ModelArgs` it is built from.

    Raises:
        UnsupportedError: There is none for this `model_type`; the message lists those there are.
    """
    name = ARCHITECTURES.get(model_type)
    if name is None:
        raise UnsupportedError(
            f"model_type {model_type!r} is not known; known are {', '.join(sorted(ARCHITECTURES))}"
        )
    module: Any = import_module(f".{name}", __name__)
    return module.Model, module.ModelArgs
