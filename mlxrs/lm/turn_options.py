"""How a turn is to be put to the model, and answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .params import GenConfig


@dataclass(frozen=True, slots=True)
class TurnOptions:
    """What a session may change from turn to turn; `ChatSession` tells what it means.

    Attributes:
        instructions: The system message in front; None for none.
        params: The settings of the generation.
        template_variables: Further names for the chat template.
    """

    instructions: str | None
    params: GenConfig
    template_variables: Mapping[str, object]
