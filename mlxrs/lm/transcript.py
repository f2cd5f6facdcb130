"""The messages of a conversation, and what may be changed in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..errors import ChatSessionError
from .messages import ChatMessage, Role


class Transcript:
    """The messages of a conversation, in their order.

    Those of an earlier conversation are pending until the first turn.

    Attributes:
        messages: All of them, pending or not.
        begun: Whether there was a turn, so that nothing is pending any more.

    Raises:
        TypeError: One of `messages` is no `ChatMessage`.
    """

    def __init__(self, messages: Iterable[ChatMessage] = (), *, begun: bool = False) -> None:
        if isinstance(messages, (str, Mapping, ChatMessage)):
            raise TypeError(f"history must be a list of ChatMessage, got {_shown(messages)}")
        self.messages = list(messages)
        for message in self.messages:
            if not isinstance(message, ChatMessage):
                raise TypeError(
                    f"history must hold ChatMessage only, got {_shown(message)}; "
                    "ChatMessage(**message) makes one of a dict"
                )
        self.begun = begun

    def copy(self) -> Transcript:
        """Return an independent transcript of the same messages."""
        return Transcript(self.messages, begun=self.begun)

    def edited(self, index: int, text: str) -> Transcript:
        """Return a transcript whose message at `index` has another text.

        Raises:
            IndexError: There is no such message.
            TypeError: `index` is no integer, or `text` no text.
        """
        if not isinstance(index, int):
            raise TypeError(f"index must be an integer, got {_shown(index)}")
        count = len(self.messages)
        if not -count <= index < count:
            raise IndexError(f"there is no message {index}: the conversation has {count}")
        changed = self.copy()
        changed.messages[index] = replace(self.messages[index], content=text)
        return changed

    def without_turns(self, count: int) -> Transcript:
        """Return a transcript without the last turns: a user's message and all that followed.

        Raises:
            TypeError: `count` is no integer.
            ValueError: It is below 1.
            ChatSessionError: There are not so many turns.
        """
        if not isinstance(count, int):
            raise TypeError(f"turns must be an integer, got {_shown(count)}")
        if count < 1:
            raise ValueError(f"turns must be >= 1, got {count}; 1 takes back the last one")
        starts = turn_starts(self.messages)
        if count > len(starts):
            raise ChatSessionError(
                f"there are no {count} turns to take back: the conversation has {len(starts)}"
            )
        return Transcript(self.messages[: starts[-count]], begun=self.begun)

    def without_reply(self) -> tuple[Transcript, ChatMessage]:
        """Return the transcript in front of the message answered last, and that message.

        Raises:
            ChatSessionError: There is no message to answer.
        """
        asked = [i for i, said in enumerate(self.messages) if said.role is not Role.ASSISTANT]
        if not asked or self.messages[asked[-1]].role is Role.SYSTEM:
            raise ChatSessionError(
                "there is no message to answer anew: send one with respond() before regenerate()"
            )
        return Transcript(self.messages[: asked[-1]], begun=self.begun), self.messages[asked[-1]]


def turn_starts(messages: list[ChatMessage]) -> list[int]:
    """Return the indices of the user's messages, each of which begins a turn."""
    return [i for i, message in enumerate(messages) if message.role is Role.USER]


def _shown(value: object) -> str:
    return f"{value!r:.80}"
