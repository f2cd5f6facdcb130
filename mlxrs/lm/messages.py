"""What a conversation is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from ..tokenizer.tools import ToolCall

# One piece of a message, such as {"type": "text", "text": "..."}.
Part: TypeAlias = Mapping[str, object]


class Role(StrEnum):
    """Who speaks; also the text chat templates know the speaker by."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"

    @classmethod
    def _missing_(cls, value: object) -> Role:
        raise ValueError(f"role must be one of {', '.join(cls)}, got {value!r}")


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a conversation.

    Attributes:
        role: Who speaks; its text is accepted too.
        content: What is said, kept verbatim: a text, or a list of parts for templates that know
            them. Every part names its `type`; a part of type "text" has its text under `text`.
        name: The tool whose result this is; None where no template needs it.
        tool_call_id: The call whose result this is, where the model names its calls.

    Raises:
        TypeError: `content` is neither a text nor a list of parts, or `name` or `tool_call_id` is
            no text.
        ValueError: A part does not say what it is.

    Example:
        ChatMessage.user("hello") == ChatMessage("user", "hello")
        ChatMessage.user([{"type": "text", "text": "hello"}]).text == "hello"
    """

    role: Role
    content: str | Sequence[Part]
    name: str | None = None
    tool_call_id: str | None = None
    tool_calls: Sequence[ToolCall] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "role", Role(self.role))
        calls: Sequence[ToolCall | Mapping[str, Any]] = self.tool_calls
        object.__setattr__(
            self,
            "tool_calls",
            tuple(c if isinstance(c, ToolCall) else ToolCall.of_entry(c) for c in calls),
        )
        if not isinstance(self.content, str):
            object.__setattr__(self, "content", _checked(self.content))
        for name in ("name", "tool_call_id"):
            value = getattr(self, name)
            if not isinstance(value, (str, type(None))):
                raise TypeError(f"{name} must be a str or None, got {value!r:.80}")

    @property
    def text(self) -> str:
        """What is said, without parts that are no text."""
        if isinstance(self.content, str):
            return self.content
        return "".join(str(part["text"]) for part in self.content if part["type"] == "text")

    def to_dict(self) -> dict[str, object]:
        """Return the message as chat templates and JSON have it."""
        told: dict[str, object] = {"role": str(self.role), "content": self.content}
        named = {"name": self.name, "tool_call_id": self.tool_call_id}
        if self.tool_calls:
            told["tool_calls"] = [call.entry() for call in self.tool_calls]
        return told | {key: value for key, value in named.items() if value is not None}

    @classmethod
    def system(cls, content: str | Sequence[Part]) -> ChatMessage:
        """Return instructions to the model."""
        return cls(Role.SYSTEM, content)

    @classmethod
    def user(cls, content: str | Sequence[Part]) -> ChatMessage:
        """Return a message of the user."""
        return cls(Role.USER, content)

    @classmethod
    def assistant(cls, content: str | Sequence[Part]) -> ChatMessage:
        """Return a reply of the model."""
        return cls(Role.ASSISTANT, content)

    @classmethod
    def tool(
        cls,
        content: str | Sequence[Part],
        *,
        name: str | None = None,
        tool_call_id: str | None = None,
    ) -> ChatMessage:
        """Return the result of a tool the model called."""
        return cls(Role.TOOL, content, name, tool_call_id)


def _checked(content: object) -> list[dict[str, object]]:
    if not isinstance(content, (list, tuple)) or not all(
        isinstance(part, Mapping) for part in content
    ):
        raise TypeError(
            f"content must be a str or a list of mappings, got {type(content).__name__}; "
            "render other contents to text first"
        )
    for part in content:
        kind = part.get("type")
        if not isinstance(kind, str) or (kind == "text" and not isinstance(part.get("text"), str)):
            raise ValueError(
                "a part of a message must be like {'type': 'text', 'text': '...'}, got "
                f"{str(dict(part))[:80]}"
            )
    return [dict(part) for part in content]
