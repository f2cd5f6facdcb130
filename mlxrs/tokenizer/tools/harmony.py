"""Replies of gpt-oss: messages with a header that names a channel and, for calls, a recipient."""

from __future__ import annotations

import re

from .events import ToolCall
from .formats import Bracket
from .payloads import Schemas, named_arguments

HEADER_STARTS = ("<|start|>", "<|channel|>")
HEADER_END = "<|message|>"
MESSAGE_ENDS = ("<|end|>", "<|return|>", "<|call|>")

_RECIPIENT = re.compile(r"\bto=([^\s<]+)")
_CHANNEL = re.compile(r"<\|channel\|>\s*(\w+)")


def is_reasoning(header: str) -> bool:
    """Says whether a message with this header is not meant for the user."""
    channel = _CHANNEL.search(header)
    return channel is not None and channel[1] == "analysis"


def call_bracket(header: str) -> Bracket | None:
    """Returns how to read a message with this header if it is a call, or else None."""
    found = _RECIPIENT.search(header)
    if found is None or found[1] in ("assistant", "user", "all"):
        return None
    name = found[1].removeprefix("functions.")

    def read(text: str, schemas: Schemas) -> list[ToolCall]:
        return [named_arguments(name, text, schemas)]

    return Bracket("", MESSAGE_ENDS, read)
