"""Replies that call tools, as messages for chat templates that want calls apart from the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from ..errors import ChatTemplateError
from ..tokenizer.tools import (
    CallEvent,
    Event,
    InvalidCallEvent,
    MarkupEvent,
    ReplyParser,
    TextEvent,
    ToolCall,
)
from .messages import ChatMessage, Role
from .toolbox import Toolbox

if TYPE_CHECKING:
    from ..tokenizer import Tokenizer

# Words by which it is seen whether a template shows a message.
_CALL, _RESULT, _ANSWER = "xcallx", "xresultx", "xanswerx"


class CallMessages:
    """Tells a chat template of earlier calls, in the one way it understands.

    A reply is shown to the model as it was written, if the template lets it be. Some do not: they
    want calls under `tool_calls`, with ids that the results repeat, or no marks of channels in the
    text. Which kind it is, a conversation made up for it tells.

    Args:
        tokenizer: Its chat template is told.
        toolbox: The functions that may be called.
    """

    def __init__(self, tokenizer: Tokenizer, toolbox: Toolbox) -> None:
        self._tokenizer = tokenizer
        self._toolbox = toolbox
        self._apart: bool | None = None

    def told(self, messages: Sequence[ChatMessage], prompt: Sequence[int]) -> list[ChatMessage]:
        """Return the messages of a conversation as the template wants them.

        Args:
            messages: The conversation; nothing of it changes.
            prompt: The ids of an earlier prompt, by which replies are read.
        """
        parser = self._toolbox.parser(self._tokenizer, prompt)
        channels = parser.format.channels
        results = any(message.role is Role.TOOL for message in messages)
        if not channels and not (results and self._wants_apart()):
            return list(messages)
        told: list[ChatMessage] = []
        waiting: list[ToolCall] = []
        number = 0
        for message, following in zip_longest(messages, messages[1:]):
            answered = following is not None and following.role is Role.TOOL
            reply = message.role is Role.ASSISTANT and not message.tool_calls
            if reply and (answered or channels):
                message = _apart(message, self._toolbox.parser(self._tokenizer, prompt), number)
                number += len(message.tool_calls)
            if message.role is Role.TOOL and waiting:
                call = waiting.pop(0)
                message = replace(message, name=message.name or call.name, tool_call_id=call.id)
            else:
                waiting = list(message.tool_calls)
            told.append(message)
        return told

    def _wants_apart(self) -> bool:
        if self._apart is None:
            called = bool(self._toolbox.schemas)
            self._apart = called and not self._shows(()) and self._shows(_CALLS)
        return self._apart

    def _shows(self, calls: Sequence[ToolCall]) -> bool:
        """Return whether the template shows all of a conversation with a call in it."""
        said = "" if calls else _CALL
        messages = [
            ChatMessage.user("Hello."),
            ChatMessage(Role.ASSISTANT, said, tool_calls=calls),
            ChatMessage.tool(_RESULT, name=_CALL, tool_call_id=calls[0].id if calls else None),
            ChatMessage.assistant(_ANSWER),
            ChatMessage.user("Hello."),
        ]
        try:
            shown = self._tokenizer.apply_chat_template(
                [message.to_dict() for message in messages],
                tools=self._toolbox.schemas if self._tokenizer.shows_tools else None,
            )
        except ChatTemplateError:
            return False
        places = [shown.find(word) for word in (_CALL, _RESULT, _ANSWER)]
        return places[0] >= 0 and places == sorted(places)


_CALLS = (ToolCall(_CALL, {}, "call00000"),)


def _apart(message: ChatMessage, parser: ReplyParser, number: int) -> ChatMessage:
    """Return a reply whose calls stand apart, numbered from `number` on."""
    events = parser.parse(message.text)
    calls: list[ToolCall] = []
    for event in events:
        if isinstance(event, CallEvent):
            call = event.call
        elif isinstance(event, InvalidCallEvent):
            call = ToolCall("unreadable", {"call": event.raw.strip()})
        else:
            continue
        # Nine letters and digits are what Mistral's templates ask for.
        calls.append(replace(call, id=call.id or f"call{number + len(calls):05d}"))
    if not calls and not parser.format.channels:
        return message
    return replace(message, content=_spoken(events, parser), tool_calls=calls)


def _spoken(events: Sequence[Event], parser: ReplyParser) -> str:
    """Return what a reply says beside its calls, thinking and its tags included."""
    if parser.format.channels:
        return "".join(event.raw for event in events if isinstance(event, TextEvent)).strip()
    ends = () if parser.reasoning is None else parser.reasoning
    said = ""
    for event in events:
        mark = isinstance(event, MarkupEvent) and not any(tag in event.raw for tag in ends)
        if not (mark or isinstance(event, (CallEvent, InvalidCallEvent))):
            said += event.raw
    return said.strip()
