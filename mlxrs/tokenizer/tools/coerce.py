"""Arguments that were written as text, as the values their schema asks for."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

_MAX_LITERAL = 1 << 20


def coerce_text(text: str, schema: Mapping[str, Any] | None) -> Any:
    """Returns the value that `text` stands for under a JSON schema.

    What the schema does not ask for, or the text does not hold, stays text. Numbers are floats
    where the schema says `number`; `null` is None.

    Example:
        >>> coerce_text("3", {"type": "integer"}), coerce_text("3", {"type": "number"})
        (3, 3.0)
    """
    if text.strip().lower() == "null":
        return None
    for kind in _kinds(schema):
        match kind:
            case "string":
                return text
            case "boolean" if text.strip().lower() in ("true", "false"):
                return text.strip().lower() == "true"
            case "integer" | "number":
                number = _number(text, whole=kind == "integer")
                if number is not None:
                    return number
            case "array" | "object":
                value = read_value(text)
                if isinstance(value, list if kind == "array" else dict):
                    return value
    return text


def coerce_value(value: Any, schema: Mapping[str, Any] | None) -> Any:
    """Returns a value of JSON; text becomes what the schema asks for in its stead."""
    kinds = _kinds(schema)
    return coerce_text(value, schema) if isinstance(value, str) and "string" not in kinds else value


def read_value(text: str) -> Any:
    """Returns the value of JSON or of a Python literal, or else the text itself."""
    with suppress(ValueError, RecursionError):
        return json.loads(text)
    with suppress(ValueError, SyntaxError, MemoryError, RecursionError):
        if len(text) <= _MAX_LITERAL:
            return ast.literal_eval(text.strip())
    return text


def _kinds(schema: Mapping[str, Any] | None) -> list[str]:
    """Returns the types a schema allows, those that most texts fit last."""
    if not schema:
        return ["string"]
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind] if kind else []
    for options in (schema.get("anyOf"), schema.get("oneOf")):
        for option in options if isinstance(options, list) else []:
            kinds = [*kinds, *(_kinds(option) if isinstance(option, Mapping) else [])]
    names = [_SAME.get(name, name) for name in kinds if isinstance(name, str)]
    return sorted(names, key=lambda name: name == "string") or ["string"]


_SAME = {
    **dict.fromkeys(("int", "int32", "int64", "long", "uint"), "integer"),
    **dict.fromkeys(("float", "double", "num", "decimal"), "number"),
    **dict.fromkeys(("bool", "binary"), "boolean"),
    **dict.fromkeys(("list", "tuple", "arr"), "array"),
    **dict.fromkeys(("dict", "map", "json"), "object"),
    **dict.fromkeys(("str", "text", "enum", "varchar", "char"), "string"),
}


def _number(text: str, *, whole: bool) -> int | float | None:
    try:
        value = float(text)
        return int(text) if whole else value
    except (ValueError, OverflowError):
        return None
