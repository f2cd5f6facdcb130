"""The tags between which models think."""

from __future__ import annotations

from typing import NamedTuple


class ReasoningTags(NamedTuple):
    """The tags around reasoning.

    Attributes:
        start: the tag before it.
        end: the tag behind it.
    """

    start: str
    end: str

    def left_open_by(self, prompt: str) -> bool:
        """Says whether a prompt ends inside reasoning, so that the reply begins with it."""
        return prompt.rfind(self.start) > prompt.rfind(self.end) and prompt.rstrip().endswith(
            self.start.rstrip()
        )


TAGS: tuple[ReasoningTags, ...] = (
    ReasoningTags("<longcat_think>", "</longcat_think>"),
    ReasoningTags("<seed:think>", "</seed:think>"),
    ReasoningTags("<|channel>thought", "<channel|>"),
    ReasoningTags("[THINK]", "[/THINK]"),
    ReasoningTags("<|START_THINKING|>", "<|END_THINKING|>"),
    ReasoningTags("<|inner_prefix|>", "<|inner_suffix|>"),
    ReasoningTags("<think>", "</think>"),
    ReasoningTags("<thinking>", "</thinking>"),
)


def infer_reasoning(template: str) -> ReasoningTags | None:
    """Returns the tags of reasoning that a chat template knows, or None."""
    for tags in TAGS:
        if tags.start in template or tags.end in template:
            return tags
    return None
