"""Messages as templates see them: nothing but what JSON has."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, is_dataclass

from ..errors import ChatTemplateError

Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]

_REASONING = ("reasoning_content", "thinking", "reasoning")


def plain(value: object) -> Plain:
    """Returns a copy of `value` made of Python's own strings, numbers, lists and dicts.

    Objects have methods, and a template could call them. Dataclasses become dicts of their
    fields; what is no data, such as an image, becomes its type's name, as templates only ask
    whether it is there.
    """
    match value:
        case None | True | False:
            return value
        case str():
            return str.__str__(value)
        case int():
            return int.__int__(value)
        case float():
            return float.__float__(value)
        case Mapping():
            return {
                str.__str__(key) if isinstance(key, str) else key: plain(item)
                for key, item in value.items()
            }
        case list() | tuple():
            return [plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    return f"<{type(value).__name__}>"


def plain_messages(messages: Sequence[object]) -> list[dict[str, Plain]]:
    """Returns plain messages, without names for nothing.

    Templates ask whether a name is there, not whether it is None. Reasoning stands under each of
    the names that they know it by.

    Raises:
        ChatTemplateError: a message is no mapping.
    """
    made: list[dict[str, Plain]] = []
    for message in messages:
        copied = plain(message)
        if not isinstance(copied, dict):
            raise ChatTemplateError(
                f"a message must be a mapping with role and content, got {type(message).__name__}"
            )
        copied = {name: item for name, item in copied.items() if item is not None}
        reasoning = next((copied[name] for name in _REASONING if name in copied), None)
        if reasoning is not None:
            copied = {"thinking": reasoning, **copied, "reasoning_content": reasoning}
        made.append(copied)
    return made


def turn_arguments(messages: Sequence[dict[str, Plain]]) -> bool:
    """Turns the arguments of calls from objects to JSON text or back; False if there are none."""
    turned = False
    for message in messages:
        calls = message.get("tool_calls")
        for call in calls if isinstance(calls, list) else []:
            function = call.get("function", call) if isinstance(call, dict) else None
            arguments = function.get("arguments") if isinstance(function, dict) else None
            if isinstance(function, dict) and isinstance(arguments, dict):
                function["arguments"] = json.dumps(arguments, ensure_ascii=False)
                turned = True
            elif isinstance(function, dict) and isinstance(arguments, str):
                with suppress(ValueError, RecursionError):
                    function["arguments"] = json.loads(arguments)
                    turned = True
    return turned
