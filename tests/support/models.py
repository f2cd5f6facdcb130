"""Real models for tests; they are pulled when a test asks for them first."""

from __future__ import annotations

from pathlib import Path

from mlxrs.loading import hub


def smollm2_gguf() -> Path:
    """Returns the path of SmolLM2-135M-Instruct in 4 bits."""
    return hub.resolve("smollm2-135m-instruct")
