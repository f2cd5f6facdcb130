"""Turning the thinking of a model on and off, by what its chat template knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ChatTemplateError
from ..tokenizer.tools import infer_format, infer_reasoning

if TYPE_CHECKING:
    from ..tokenizer import Tokenizer

# The names by which templates are told, and what they mean by on and off.
SWITCHES: dict[str, tuple[object, object]] = {
    "enable_thinking": (True, False),
    "reasoning": (True, False),
    "thinking": (True, False),
    "thinking_mode": ("enabled", "disabled"),
}


def thinking_variables(
    tokenizer: Tokenizer, *, enabled: bool | None, budget: int | None, with_tools: bool
) -> dict[str, object]:
    """Return what to tell a chat template about thinking.

    Nothing where it does already what is wanted: where a model that never thinks is not to think,
    or one that always does is to.

    Args:
        tokenizer: The tokenizer.
        enabled: Whether the model shall think; None leaves it to the template.
        budget: How many tokens it may think, for the templates that tell the model so.
        with_tools: Whether the conversation has tools.

    Raises:
        ChatTemplateError: The template has no switch, or there is none.
    """
    if enabled is None and budget is None:
        return {}
    known = tokenizer.chat_template_variables(with_tools=with_tools)
    told: dict[str, object] = {}
    if budget is not None and "thinking_budget" in known:
        told["thinking_budget"] = budget
    if enabled is None:
        return told
    names = SWITCHES.keys() & known
    source = tokenizer.chat_template or ""
    written = infer_format(source)
    channels = written is not None and written.channels
    thinks = infer_reasoning(source) is not None or channels
    if not names and enabled and not thinks:
        raise ChatTemplateError(
            "enable_thinking=True needs a model that thinks, and this chat template knows of no "
            "thinking; leave it out"
        )
    if not names and not enabled and thinks:
        remedy = "thinking_budget=0, which ends it at once"
        if channels:
            remedy = 'template_variables={"reasoning_effort": "low"}'
        raise ChatTemplateError(
            "enable_thinking=False needs a chat template that can turn thinking off, and this one "
            f"cannot; use {remedy}"
        )
    return told | {name: SWITCHES[name][0 if enabled else 1] for name in names}
