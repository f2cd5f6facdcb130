"""A conversation as the prompt of its next reply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .messages import ChatMessage
from .overflow import drop_oldest_turns
from .tool_prompt import tool_prompt

if TYPE_CHECKING:
    from ..tokenizer import Tokenizer


def write_prompt(
    tokenizer: Tokenizer,
    messages: Sequence[ChatMessage],
    *,
    instructions: str | None,
    tools: Sequence[Mapping[str, Any]],
    variables: Mapping[str, object],
    room: int | None,
) -> tuple[list[int], int]:
    """Return the token ids of a prompt, and how many of the oldest messages it leaves out.

    Args:
        tokenizer: Its chat template writes the prompt.
        messages: The conversation, ending with what is to be answered.
        instructions: The system message in front; None for none.
        tools: The schemas of the functions the model may call. Where the chat template does not
            show them, they are told in the system message in front.
        variables: Further names for the chat template.
        room: The most tokens the prompt shall have, if leaving turns out helps; None for all.

    Raises:
        ChatTemplateError: There is no chat template, or it rejects the messages.
    """
    if tools and not tokenizer.shows_tools:
        told = [instructions] if instructions else []
        instructions, tools = "\n\n".join([*told, tool_prompt(tools)]), []
    system = [] if instructions is None else [ChatMessage.system(instructions)]

    def encode(shown: Sequence[ChatMessage]) -> list[int]:
        return tokenizer.apply_chat_template_ids(
            [message.to_dict() for message in [*system, *shown]],
            tools=tools or None,
            variables=variables,
        )

    return (encode(messages), 0) if room is None else drop_oldest_turns(messages, room, encode)
