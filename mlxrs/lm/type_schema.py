"""The JSON schema of a Python type."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

_SCALARS: dict[object, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    None: "null",
    type(None): "null",
}


def type_schema(kind: Any) -> dict[str, object]:
    """Return the schema of what a type looks like in JSON.

    Known are `str`, `int`, `float`, `bool`, `None`, `Literal`, enums, unions, `list`, `tuple`,
    `dict` with names, dataclasses and TypedDicts, also such as refer to themselves. Objects have
    the keys of their class and no others; those with a default may be missing. Further rules of
    JSON schema go into an annotation: `Annotated[list[str], {"maxItems": 3}]`.

    Args:
        kind: The type.

    Raises:
        ValueError: It is, or contains, another type, or its hints name what is not there.

    Example:
        type_schema(list[int])  # {"type": "array", "items": {"type": "integer"}}
    """
    found: dict[type, tuple[str, dict[str, object]]] = {}
    schema = _schema(kind, found)
    return schema | {"$defs": dict(found.values())} if found else schema


def _schema(kind: Any, found: dict[type, tuple[str, dict[str, object]]]) -> dict[str, object]:
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Annotated, Required, NotRequired):
        schema = _schema(args[0], found)
        for rules in args[1:]:
            schema |= dict(rules) if isinstance(rules, Mapping) else {}
        return schema
    if origin is Literal:
        return {"enum": list(args)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(arg, found) for arg in args]}
    if kind is list or origin is list:
        return {"type": "array"} | ({"items": _schema(args[0], found)} if args else {})
    if origin is tuple:
        return _tuple(args, found)
    if kind is dict:
        return {"type": "object"}
    if origin is dict and args[0] is str:
        return {"type": "object", "additionalProperties": _schema(args[1], found)}
    if isinstance(kind, type):
        if kind in _SCALARS:
            return {"type": _SCALARS[kind]}
        if issubclass(kind, Enum):
            return {"enum": [member.value for member in kind]}
        if is_dataclass(kind) or is_typeddict(kind):
            return _object(kind, found)
    elif kind is None:
        return {"type": "null"}
    raise ValueError(
        f"there is no JSON schema for {kind!r}; known are str, int, float, bool, None, Literal, "
        "enums, unions, list, tuple, dict[str, …], dataclasses and TypedDicts"
    )


def _tuple(
    args: tuple[Any, ...], found: dict[type, tuple[str, dict[str, object]]]
) -> dict[str, object]:
    if len(args) == 2 and args[1] is ...:
        return {"type": "array", "items": _schema(args[0], found)}
    items = [_schema(arg, found) for arg in args]
    return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}


def _object(kind: type, found: dict[type, tuple[str, dict[str, object]]]) -> dict[str, object]:
    if kind not in found:
        schema: dict[str, object] = {"type": "object", "additionalProperties": False}
        # Known before its fields are looked at: they may refer to it.
        found[kind] = f"{kind.__name__}{len(found) or ''}", schema
        try:
            hints: Mapping[str, Any] = get_type_hints(kind, include_extras=True)
        except NameError as error:
            raise ValueError(f"the type hints of {kind.__name__} cannot be read: {error}") from None
        required: list[str]
        if is_dataclass(kind):
            own = [field for field in fields(kind) if field.init]
            hints = {field.name: hints[field.name] for field in own}
            required = [
                field.name
                for field in own
                if field.default is MISSING and field.default_factory is MISSING
            ]
        else:
            needed: frozenset[str] = vars(kind)["__required_keys__"]
            # Behind postponed annotations the class itself does not see these marks.
            required = [
                name
                for name, hint in hints.items()
                if get_origin(hint) is Required
                or (name in needed and get_origin(hint) is not NotRequired)
            ]
        schema["properties"] = {name: _schema(hint, found) for name, hint in hints.items()}
        schema["required"] = required
    return {"$ref": f"#/$defs/{found[kind][0]}"}
