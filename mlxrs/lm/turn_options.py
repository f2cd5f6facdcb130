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
        enable_thinking: Whether the model shall think; None leaves it to its chat template.
        thinking_budget: The most tokens of thinking; None for any number.

    Raises:
        TypeError: One of them is of another type.
        ValueError: `thinking_budget` is below 0.
    """

    instructions: str | None
    params: GenConfig
    template_variables: Mapping[str, object]
    enable_thinking: bool | None = None
    thinking_budget: int | None = None

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
        if not isinstance(self.enable_thinking, (bool, type(None))):
            raise TypeError(
                f"enable_thinking must be True, False or None, got {self.enable_thinking!r:.80}; "
                "None leaves it to the chat template"
            )
        budget = self.thinking_budget
        if type(budget) not in (int, type(None)):
            raise TypeError(f"thinking_budget must be an integer or None, got {budget!r:.80}")
        if budget is not None and budget < 0:
            raise ValueError(f"thinking_budget must be >= 0, got {budget}; 0 ends thinking at once")
