"""What a reply consists of: text, reasoning, calls of tools, and the marks between them.

Every event keeps the piece of the reply it was read from; joined, the pieces are the reply.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function the model wants called.

    Attributes:
        name: the name of the function.
        arguments: its arguments by name.
        id: what the model calls this call by; None for the many that do not.
    """

    name: str
    arguments: dict[str, Any]
    id: str | None = None

    def entry(self) -> dict[str, Any]:
        """Returns the call as templates know it, for `tool_calls` of an assistant's message."""
        named = {} if self.id is None else {"id": self.id}
        function = {"name": self.name, "arguments": self.arguments}
        return {**named, "type": "function", "function": function}

    @classmethod
    def of_entry(cls, entry: Mapping[str, Any]) -> ToolCall:
        """Returns the call in an entry of `tool_calls`, as `entry` or OpenAI's servers write it.

        Raises:
            ValueError: it is none.
        """
        match entry:
            case {"function": {"name": str(name), **rest}}:
                arguments = rest.get("arguments", {})
            case _:
                raise ValueError(
                    'a call must be like {"function": {"name": "...", "arguments": {}}}, got '
                    f"{entry!r:.80}"
                )
        if isinstance(arguments, str):
            arguments = json.loads(arguments)
        named = entry.get("id")
        if not isinstance(arguments, dict) or not isinstance(named, (str, type(None))):
            raise ValueError(
                f"the arguments of a call must be an object and its id a text, got {entry!r:.80}"
            )
        return cls(name, arguments, named)

    def result(self, value: object) -> dict[str, Any]:
        """Returns the message of role `tool` that tells the model what the function returned.

        Args:
            value: text, told as it is, or anything that JSON can hold.
        """
        content = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        named = {} if self.id is None else {"tool_call_id": self.id}
        return {"role": "tool", "name": self.name, "content": content, **named}


@dataclass(frozen=True, slots=True)
class TextEvent:
    """A piece of what the model says."""

    text: str

    @property
    def raw(self) -> str:
        """The piece of the reply this was read from."""
        return self.text


@dataclass(frozen=True, slots=True)
class ReasoningEvent:
    """A piece of what the model thinks before it speaks."""

    text: str

    @property
    def raw(self) -> str:
        """The piece of the reply this was read from."""
        return self.text


@dataclass(frozen=True, slots=True)
class CallEvent:
    """A call of a tool, complete."""

    call: ToolCall
    raw: str


@dataclass(frozen=True, slots=True)
class InvalidCallEvent:
    """Something that stands where a call should, and is none.

    Attributes:
        raw: the text, which nothing is lost of.
        reason: what is wrong with it, in words that the model can be told.
    """

    raw: str
    reason: str


@dataclass(frozen=True, slots=True)
class MarkupEvent:
    """Tags, and the white space around them: nothing to show."""

    raw: str


Event = TextEvent | ReasoningEvent | CallEvent | InvalidCallEvent | MarkupEvent
