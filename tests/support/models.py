"""Real models for tests; they are pulled when a test asks for them first."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mlxrs import Tokenizer, load
from mlxrs.lm.models import LanguageModel
from mlxrs.loading import hub


def smollm2_gguf() -> Path:
    """Returns the path of SmolLM2-135M-Instruct in 4 bits."""
    return hub.resolve("smollm2-135m-instruct")


@cache
def smollm2() -> tuple[LanguageModel, Tokenizer]:
    """Returns SmolLM2-135M-Instruct in 4 bits, loaded once, and its tokenizer."""
    return load(str(smollm2_gguf()))
