"""What a conversation is made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
        content: What is said, kept verbatim.

    Example:
        ChatMessage.user("hello") == ChatMessage("user", "hello")
    """

    role: Role
    content: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "role", Role(self.role))
        if not isinstance(self.content, str):
            raise TypeError(
                f"content must be a str, got {type(self.content).__name__}; "
                "render other contents to text first"
            )

    @classmethod
    def system(cls, content: str) -> ChatMessage:
        """Return instructions to the model."""
        return cls(Role.SYSTEM, content)

    @classmethod
    def user(cls, content: str) -> ChatMessage:
        """Return a message of the user."""
        return cls(Role.USER, content)

    @classmethod
    def assistant(cls, content: str) -> ChatMessage:
        """Return a reply of the model."""
        return cls(Role.ASSISTANT, content)

    @classmethod
    def tool(cls, content: str) -> ChatMessage:
        """Return the result of a tool the model called."""
        return cls(Role.TOOL, content)
