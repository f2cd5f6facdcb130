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

    Raises:
        TypeError: One of them is of another type.
    """

    instructions: str | None
    params: GenConfig
    template_variables: Mapping[str, object]

    def __post_init__(self) -> None:
        if not isinstance(self.instructions, (str, type(None))):
            raise TypeError(f"instructions must be a str or None, got {self.instructions!r:.80}")
        if not isinstance(self.params, GenConfig):
            raise TypeError(
                f"params must be a GenConfig, got {self.params!r:.80}; GenConfig(max_tokens=256) "
                "is one"
            )
        if not isinstance(self.template_variables, Mapping):
            raise TypeError(
                "template_variables must be a dict of names and values, got "
                f"{self.template_variables!r:.80}"
            )
