"""Values of Python types, made of what JSON can hold: the way back from `type_schema`."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import is_dataclass
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

# What a container is made as, and what it is in JSON.
_CONTAINERS: dict[Any, tuple[Any, Any]] = {
    list: (list, list),
    Sequence: (list, list),
    tuple: (tuple, list),
    set: (set, list),
    frozenset: (frozenset, list),
    dict: (dict, dict),
    Mapping: (dict, dict),
}


def typed_value(kind: Any, value: Any) -> Any:
    """Return the value of a type that JSON data stand for.

    Args:
        kind: A type that `type_schema` or `tool_schema` knows, or a JSON schema, for which the data
            are returned as they are.
        value: What `json.loads` returned.

    Raises:
        ValueError: The data are not of the type.

    Example:
        typed_value(list[City], [{"name": "Oslo", "people": 700_000}])[0].name
    """
    if kind is Any or isinstance(kind, Mapping):
        return value
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Annotated, Required, NotRequired):
        return typed_value(args[0], value)
    if origin is Literal:
        if any(value == arg and type(value) is type(arg) for arg in args):
            return value
        raise _wrong(kind, value)
    if origin in (Union, types.UnionType):
        for arg in args:
            with suppress(ValueError):
                return typed_value(arg, value)
        raise _wrong(kind, value)
    container = origin or kind
    if container in _CONTAINERS:
        return _filled(container, args, value)
    if kind in (None, type(None), str, bool, int):
        if type(value) is (type(None) if kind is None else kind):
            return value
        if kind is int and type(value) is float and value.is_integer():
            return int(value)
    elif kind is float:
        if type(value) in (int, float):
            return float(value)
    elif isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    elif is_dataclass(kind) or is_typeddict(kind):
        return _object(kind, value)
    raise _wrong(kind, value)


def _filled(container: Any, args: tuple[Any, ...], value: Any) -> Any:
    make, data = _CONTAINERS[container]
    if not isinstance(value, data):
        raise _wrong(container, value)
    if data is dict:
        return {key: typed_value(args[1], item) for key, item in value.items()} if args else value
    if not args:
        return make(value)
    alike = make is not tuple or args[1:] == (...,)
    kinds = [args[0]] * len(value) if alike else list(args)
    if len(kinds) != len(value):
        raise _wrong(container, value)
    return make(typed_value(kind, item) for kind, item in zip(kinds, value, strict=True))


def _object(kind: Any, value: Any) -> Any:
    hints = get_type_hints(kind, include_extras=True)
    if not isinstance(value, dict) or value.keys() - hints.keys():
        raise _wrong(kind, value)
    try:
        return kind(**{key: typed_value(hints[key], item) for key, item in value.items()})
    except TypeError:
        raise _wrong(kind, value) from None


def _wrong(kind: object, value: object) -> ValueError:
    return ValueError(f"JSON data must be of {kind}, got {str(value)[:80]!r}")
