"""The arguments of Gemma's calls: like JSON, with bare keys and strings between marks."""

from __future__ import annotations

import re
from typing import Any

from .coerce import coerce_value
from .events import ToolCall
from .payloads import Payload, Schemas

_HEAD = re.compile(r"\s*call:\s*([^\s{]+)\s*")
_BARE = {"true": True, "false": False, "null": None}


def gemma_call(quote: str) -> Payload:
    """Makes a reader of `call:name{key:value,...}` with strings between two `quote`."""
    word = re.compile(
        rf"\s*(?:{re.escape(quote)}(.*?){re.escape(quote)}|([^,:{{}}\[\]]*))", re.DOTALL
    )

    def read(text: str, schemas: Schemas) -> list[ToolCall]:
        head = _HEAD.match(text)
        if head is None:
            raise ValueError("the call has no name")
        try:
            arguments, end = value(text, head.end())
        except RecursionError:
            raise ValueError("the arguments are nested too deeply") from None
        if not isinstance(arguments, dict) or text[end:].strip():
            raise ValueError("the arguments must stand in one pair of braces")
        known = schemas.get(head[1], {})
        made = {key: coerce_value(item, known.get(key, {})) for key, item in arguments.items()}
        return [ToolCall(head[1], made)]

    def value(text: str, place: int) -> tuple[Any, int]:
        place = _space(text, place)
        if text[place : place + 1] == "{":
            return fields(text, place + 1)
        if text[place : place + 1] == "[":
            return items(text, place + 1)
        found = word.match(text, place)
        if found is None or found.end() == place:
            raise ValueError("a value is missing")
        return (found[1] if found[1] is not None else _bare(found[2])), found.end()

    def fields(text: str, place: int) -> tuple[dict[str, Any], int]:
        made: dict[str, Any] = {}
        while not _at(text, place, "}"):
            key = word.match(text, place)
            if key is None or not _at(text, key.end(), ":"):
                raise ValueError("a key has no value")
            name = key[1] if key[1] is not None else key[2].strip()
            made[name], place = value(text, _space(text, key.end()) + 1)
            place = _next(text, place, "}")
        return made, _space(text, place) + 1

    def items(text: str, place: int) -> tuple[list[Any], int]:
        made: list[Any] = []
        while not _at(text, place, "]"):
            item, place = value(text, place)
            made.append(item)
            place = _next(text, place, "]")
        return made, _space(text, place) + 1

    return read


def _space(text: str, place: int) -> int:
    while place < len(text) and text[place].isspace():
        place += 1
    return place


def _at(text: str, place: int, mark: str) -> bool:
    return text.startswith(mark, _space(text, place))


def _next(text: str, place: int, end: str) -> int:
    """Returns the place behind a comma, or before the end."""
    place = _space(text, place)
    if not text.startswith((",", end), place):
        raise ValueError(f"a comma or {end} is missing")
    return place + 1 if text[place] == "," else place


def _bare(text: str) -> Any:
    text = text.strip()
    if text in _BARE:
        return _BARE[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
