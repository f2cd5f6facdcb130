"""What stands between the tags of a call, format by format.

Each function takes the text between the tags and the argument schemas by tool, and returns calls,
or raises ValueError with the reason why there are none.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from .coerce import coerce_text, coerce_value, read_value
from .events import ToolCall

Schemas = Mapping[str, Mapping[str, Any]]
Payload = Callable[[str, Schemas], list[ToolCall]]

_NAMES = ("name", "tool_name", "function_name", "tool")
_ARGUMENTS = ("arguments", "parameters", "args", "input")
_IDS = ("id", "tool_call_id", "call_id")
_MAX_CODE = 1 << 20
_BETWEEN = " \t\r\n;,"


def json_calls(text: str, schemas: Schemas) -> list[ToolCall]:
    """Reads `{"name": ..., "arguments": {...}}`, a list of these, or several with `;` between."""
    values: list[Any] = []
    rest = text.strip(_BETWEEN)
    while rest:
        value, end = _json_prefix(rest)
        values += value if isinstance(value, list) else [value]
        rest = rest[end:].lstrip(_BETWEEN)
    if not values:
        raise ValueError("there is nothing in the call")
    return [_json_call(value, schemas) for value in values]


def keyed_json_calls(text: str, schemas: Schemas) -> list[ToolCall]:
    """Reads `[{"name": {...}}]`, where the name is the key of the arguments."""
    value = _json(text)
    calls: list[ToolCall] = []
    for entry in value if isinstance(value, list) else [value]:
        if not isinstance(entry, dict) or not entry:
            raise ValueError("a call must map the name of a tool to its arguments")
        calls += [_call(name, arguments, schemas) for name, arguments in entry.items()]
    return calls


def named_json_call(
    separators: str, *, lead: str = "(?!)", prefix: str = "", numbered: bool = False
) -> Payload:
    """Makes a reader of a name, something that matches `separators`, and JSON arguments.

    Args:
        separators: a regular expression.
        lead: one for what may stand at the start; a group named `id` in it is the call's id.
        prefix: what may stand before the name.
        numbered: whether `:0` may follow the name; the whole is then the call's id.
    """
    pattern = re.compile(rf"\s*(?:{lead})?(?P<name>[^\s{{]+?)\s*(?:{separators})\s*")

    def read(text: str, schemas: Schemas) -> list[ToolCall]:
        found = pattern.match(text)
        if found is None:
            raise ValueError("the call has no name")
        body = text[found.end() :].strip().removesuffix("```")
        told = found.groupdict()
        call_id = told.get("id")
        name = found["name"].removeprefix(prefix)
        if numbered:
            call_id, name = found["name"], re.sub(r":\d+$", "", name)
        return [_call(name, _json(body), schemas, call_id)]

    return read


def named_arguments(name: str, text: str, schemas: Schemas) -> ToolCall:
    """Reads the arguments, as JSON, of a call whose name stands elsewhere."""
    return _call(name, _json(text), schemas)


def xml_call(text: str, schemas: Schemas) -> list[ToolCall]:
    """Reads `name><parameter=key>value</parameter>...`, or `name>` and JSON."""
    head = re.match(r"\s*[\"']?([^\"'>\s]+)[\"']?[^>]*>", text)
    if head is None:
        raise ValueError("the call has no name")
    name, body = head[1], text[head.end() :]
    if body.lstrip().startswith("{"):
        return [_call(name, _json(body), schemas)]
    known = schemas.get(name, {})
    arguments: dict[str, Any] = {}
    if _PARAMETER_START.search(_PARAMETER.sub("", body)):
        raise ValueError("an argument has no end")
    for key, told, value in _PARAMETER.findall(body):
        value = value.removeprefix("\n").removesuffix("\n")
        if value.startswith("<![CDATA[") and value.endswith("]]>"):
            value = value[len("<![CDATA[") : -len("]]>")]
        if 'string="' in told:
            arguments[key] = value if 'string="true"' in told else read_value(value)
        else:
            arguments[key] = coerce_text(value, known.get(key))
    if not arguments and body.strip():
        raise ValueError("the arguments are not in <parameter> tags")
    return [ToolCall(name, arguments)]


_START = r"<[^<>\s/=]*?param(?:eter)?(?:=|\s+name=)"
_PARAMETER_START = re.compile(_START)
_PARAMETER = re.compile(
    _START + r"[\"']?([^\"'>\s]+)[\"']?([^>]*)>"
    rf"(.*?)(?:</[^<>\s]*?param(?:eter)?>|(?={_START}))",
    re.DOTALL,
)


def pair_call(tag: str = "") -> Payload:
    """Makes a reader of a name and `<arg_key>k</arg_key><arg_value>v</arg_value>` pairs.

    Args:
        tag: what stands before `arg_key` and `arg_value` in the tags.
    """
    pair = re.compile(
        rf"<{tag}arg_key[^>]*>(.*?)</{tag}arg_key[^>]*>\s*"
        rf"<{tag}arg_value[^>]*>(.*?)(?:</{tag}arg_value[^>]*>|(?=<{tag}arg_key))",
        re.DOTALL,
    )

    def read(text: str, schemas: Schemas) -> list[ToolCall]:
        if text.lstrip().startswith(("{", "[")):
            return json_calls(text, schemas)
        head, *_ = re.split(rf"<{tag}arg_key|\{{|<", text, maxsplit=1)
        name, body = head.strip(), text[len(head) :]
        if not name or re.search(r"\s", name):
            raise ValueError("the call has no name")
        if body.lstrip().startswith("{"):
            return [_call(name, _json(body), schemas)]
        known = schemas.get(name, {})
        arguments = {
            key.strip(): _told(value, known.get(key.strip())) for key, value in pair.findall(body)
        }
        if f"<{tag}arg_" in pair.sub("", body):
            raise ValueError("the arguments are not pairs of keys and values")
        return [ToolCall(name, arguments)]

    return read


def pythonic_calls(text: str, schemas: Schemas) -> list[ToolCall]:
    """Reads `[f(a="x", b=2), g()]`, Python calls with literal arguments."""
    if len(text) > _MAX_CODE:
        raise ValueError(f"calls must have at most {_MAX_CODE} characters")
    try:
        body = ast.parse(text.strip(), mode="eval").body
        nodes = body.elts if isinstance(body, (ast.List, ast.Tuple)) else [body]
        return [_python_call(node, schemas) for node in nodes]
    except (SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError(f"the calls are not Python: {error}") from None


def python_or_json_calls(text: str, schemas: Schemas) -> list[ToolCall]:
    """Reads calls that may be written either way."""
    read = json_calls if re.match(r"\s*(\[\s*)?\{", text) else pythonic_calls
    return read(text, schemas)


def mistral_calls(text: str, schemas: Schemas) -> list[ToolCall]:
    """Reads `name[ARGS]{...}`, `name[CALL_ID]id[ARGS]{...}` or `[{"name": ..., ...}]`."""
    if text.lstrip().startswith(("[", "{")):
        return json_calls(text, schemas)
    return _mistral_call(text, schemas)


_mistral_call = named_json_call(r"(?:\[CALL_ID\](?P<id>[^\s\[]+))?(?:\[ARGS\]|(?=\{))")


def _python_call(node: ast.expr, schemas: Schemas) -> ToolCall:
    if not isinstance(node, ast.Call):
        raise ValueError("the calls must be calls of functions")
    name = ast.unparse(node.func).removesuffix(".call")
    keys = list(schemas.get(name, {}))
    if len(node.args) > len(keys):
        raise ValueError(f"the arguments of {name} must be named")
    arguments = {key: _literal(value) for key, value in zip(keys, node.args, strict=False)}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise ValueError(f"the arguments of {name} must be named")
        arguments[keyword.arg] = _literal(keyword.value)
    return _call(name, arguments, schemas)


def _literal(node: ast.expr) -> Any:
    for part in ast.walk(node):
        for field, value in ast.iter_fields(part):
            if isinstance(value, ast.Name) and value.id in _JSON_NAMES:
                setattr(part, field, ast.Constant(_JSON_NAMES[value.id]))
            elif isinstance(value, list):
                value[:] = [
                    ast.Constant(_JSON_NAMES[item.id])
                    if isinstance(item, ast.Name) and item.id in _JSON_NAMES
                    else item
                    for item in value
                ]
    if isinstance(node, ast.Name) and node.id in _JSON_NAMES:
        return _JSON_NAMES[node.id]
    return ast.literal_eval(node)


_JSON_NAMES = {"true": True, "false": False, "null": None}


def _told(text: str, schema: Mapping[str, Any] | None) -> Any:
    """Returns a value that is JSON or plain text, which only the schema can tell apart."""
    return read_value(text) if schema is None else coerce_text(text, schema)


def _json_call(value: Any, schemas: Schemas) -> ToolCall:
    if not isinstance(value, dict):
        raise ValueError(f"a call must be an object, got {type(value).__name__}")
    inner = value.get("function")
    fields = {**value, **inner} if isinstance(inner, dict) else value
    named = [fields[key] for key in _NAMES if key in fields]
    if isinstance(inner, str):
        named.append(inner)
    if not named or not isinstance(named[0], str):
        raise ValueError("the call has no name")
    given: Any = next((fields[key] for key in _ARGUMENTS if key in fields), {})
    call_id = next((fields[key] for key in _IDS if isinstance(fields.get(key), str)), None)
    return _call(named[0], given, schemas, call_id)


def _call(name: str, arguments: Any, schemas: Schemas, call_id: str | None = None) -> ToolCall:
    if isinstance(arguments, str):
        arguments = _json(arguments) if arguments.strip() else {}
    if arguments is None:
        arguments = {}
    if not isinstance(arguments, dict):
        raise ValueError(f"the arguments must be an object, got {type(arguments).__name__}")
    if not name:
        raise ValueError("the call has no name")
    known = schemas.get(name, {})
    made = {key: coerce_value(value, known.get(key, {})) for key, value in arguments.items()}
    return ToolCall(name, made, call_id)


def _json(text: str) -> Any:
    value, end = _json_prefix(text.strip())
    if text.strip()[end:].strip():
        raise ValueError("something follows the arguments")
    return value


def _json_prefix(text: str) -> tuple[Any, int]:
    """Reads the JSON value at the start; newlines in strings are let pass, as models write them."""
    try:
        return json.JSONDecoder(strict=False).raw_decode(text)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    except ValueError as error:
        value = read_value(text)
        if isinstance(value, (dict, list)):
            return value, len(text)
        raise ValueError(f"the JSON is broken: {error}") from None
