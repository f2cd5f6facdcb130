"""What a model is told of a Python function: its name, what it does, and its arguments."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

JsonSchema = dict[str, Any]

_SCALARS: dict[object, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
}
_SECTION = re.compile(r"\s*(Args|Arguments|Parameters|Returns|Raises|Yields|Examples?|Notes?):\s*$")
_ARGUMENT = re.compile(r"\s*\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")


def tool_schema(function: Callable[..., object]) -> JsonSchema:
    """Returns the JSON schema by which a model knows a Python function.

    Types come from the hints, texts from the docstring, in Google's style. An argument without a
    default is required.

    Args:
        function: a function whose arguments all have type hints: str, int, float, bool, None,
            list, tuple, dict, Literal, enums, and unions of these.

    Raises:
        TypeError: it is no function, or an argument has no hint, or one that JSON has nothing for.

    Example:
        >>> def weather(city: str, days: int = 1) -> str:
        ...     '''Tells the weather.
        ...
        ...     Args:
        ...         city: where to look.
        ...     '''
        >>> tool_schema(weather)["function"]["parameters"]["required"]
        ['city']
    """
    if not inspect.isroutine(function):
        raise TypeError(f"a tool must be a function, got {function!r:.80}; write one around it")
    name = function.__name__
    description, told = _docstring(inspect.getdoc(function) or "")
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError as error:
        raise TypeError(f"{name}: its type hints cannot be read: {error}") from None
    properties: dict[str, JsonSchema] = {}
    required: list[str] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise TypeError(f"{name}: a tool must name its arguments, got *{parameter.name}")
        if parameter.name not in hints:
            raise TypeError(f"{name}: argument {parameter.name!r} must have a type hint")
        schema = _schema(hints[parameter.name], f"{name}: {parameter.name}")
        if parameter.name in told:
            schema["description"] = told[parameter.name]
        if parameter.default is parameter.empty:
            required.append(parameter.name)
        properties[parameter.name] = schema
    parameters: JsonSchema = {"type": "object", "properties": properties}
    if required:
        parameters["required"] = required
    return {
        "type": "function",
        "function": {"name": name, "description": description, "parameters": parameters},
    }


def argument_schemas(tools: Sequence[object]) -> dict[str, Mapping[str, Any]]:
    """Returns the schemas of each tool's arguments, by the name of the tool.

    A tool is a JSON schema as `tool_schema` makes it, its `function` alone, or a function.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for tool in tools:
        schema = tool_schema(tool) if callable(tool) else tool
        function = schema.get("function", schema) if isinstance(schema, Mapping) else None
        match function:
            case {"name": str(name), **rest}:
                match rest.get("parameters"):
                    case {"properties": Mapping() as properties}:
                        found[name] = properties
                    case _:
                        found[name] = {}
            case _:
                raise ValueError(
                    f"a tool must be a function or a JSON schema with a name, got {tool!r:.80}"
                )
    return found


def _schema(hint: Any, where: str) -> JsonSchema:
    """Returns the schema of one type hint."""
    if hint is Any:
        return {}
    if hint in _SCALARS:
        return {"type": _SCALARS[hint]}
    origin, arguments = get_origin(hint), get_args(hint)
    base = origin or hint
    if origin is Annotated:
        schema = _schema(arguments[0], where)
        texts = [text for text in arguments[1:] if isinstance(text, str)]
        return schema | ({"description": texts[0]} if texts else {})
    if origin is Literal:
        return _choice(arguments, where)
    if origin in (Union, types.UnionType):
        return _union(arguments, where)
    if isinstance(base, type) and issubclass(base, Enum):
        return _choice([member.value for member in base], where)
    if base in (list, Sequence, set, frozenset):
        items = {"items": _schema(arguments[0], where)} if arguments else {}
        return {"type": "array", **items}
    if base is tuple:
        if arguments[1:] == (...,):
            return {"type": "array", "items": _schema(arguments[0], where)}
        places = {"prefixItems": [_schema(item, where) for item in arguments]} if arguments else {}
        return {"type": "array", **places}
    if base in (dict, Mapping):
        values = {"additionalProperties": _schema(arguments[1], where)} if arguments else {}
        return {"type": "object", **values}
    raise TypeError(f"{where} must have a type that JSON knows, got {hint!r}; write the schema")


def _union(arguments: Sequence[Any], where: str) -> JsonSchema:
    """Returns the schema of several types; None makes a value nullable."""
    schemas = [_schema(item, where) for item in arguments if item is not type(None)]
    if len(schemas) == 1:
        made = schemas[0]
    elif all(schema.keys() == {"type"} for schema in schemas):
        made = {"type": sorted({schema["type"] for schema in schemas})}
    else:
        made = {"anyOf": schemas}
    return made | ({"nullable": True} if type(None) in arguments else {})


def _choice(values: Sequence[Any], where: str) -> JsonSchema:
    """Returns the schema of one of some values."""
    kinds = sorted({_SCALARS.get(type(value), "") for value in values})
    if "" in kinds or not kinds:
        raise TypeError(f"{where} must choose among texts, numbers or booleans, got {values!r}")
    nullable = {"nullable": True} if "null" in kinds else {}
    kinds = [kind for kind in kinds if kind != "null"]
    kind = {"type": kinds[0] if len(kinds) == 1 else kinds}
    return {**kind, "enum": [value for value in values if value is not None], **nullable}


def _docstring(text: str) -> tuple[str, dict[str, str]]:
    """Splits a docstring into what the function does and what its arguments are."""
    description: list[str] = []
    told: dict[str, str] = {}
    section, indent, latest = "", -1, ""
    for line in text.splitlines():
        if heading := _SECTION.match(line):
            section, indent, latest = heading[1], -1, ""
        elif not section:
            description.append(line)
        elif section in ("Args", "Arguments", "Parameters") and line.strip():
            depth = len(line) - len(line.lstrip())
            indent = depth if indent < 0 else indent
            entry = _ARGUMENT.match(line)
            if entry and depth <= indent:
                latest = entry[1]
                told[latest] = entry[2]
            elif latest:
                told[latest] = f"{told[latest]} {line.strip()}".strip()
    return "\n".join(description).strip(), told
