"""The Jinja environment that chat templates are written for.

The rules are those of Hugging Face's `apply_chat_template`: blocks are trimmed, `break` and
`continue` exist, and so do `tojson` without HTML escapes, `raise_exception`, `strftime_now` and the
`{% generation %}` tag, which marks the assistant's text for training and means nothing here.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from typing import NoReturn

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension, LoopControlExtension
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

_MAX_SIZE = 1 << 20
_MAX_INDENT = 1024


@cache
def sandbox() -> ImmutableSandboxedEnvironment:
    """Returns the environment; it holds no state of any template, so one serves all."""
    environment = _Sandbox(
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[LoopControlExtension, _GenerationTag],
    )
    environment.filters["tojson"] = _tojson
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = _strftime_now
    return environment


class _Sandbox(ImmutableSandboxedEnvironment):
    """Also refuses products and powers that make something huge out of something small."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        size = _product_size(left, right) if operator == "*" else _power_size(left, right)
        if size > _MAX_SIZE:
            raise OverflowError(f"{operator} must make at most {_MAX_SIZE} items or bits")
        return super().call_binop(context, operator, left, right)


def _product_size(left: object, right: object) -> int:
    match left, right:
        case int(), int():
            return left.bit_length() + right.bit_length()
        case (str() | list() | tuple() as items, int(count)) | (
            int(count),
            str() | list() | tuple() as items,
        ):
            return len(items) * count
    return 0


def _power_size(base: object, exponent: object) -> int:
    match base, exponent:
        case int(), int():
            return base.bit_length() * abs(exponent)
    return 0


class _GenerationTag(Extension):
    """Reads `{% generation %}...{% endgeneration %}` as its content."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _tojson(
    value: object,
    ensure_ascii: bool = False,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    if isinstance(indent, int) and indent > _MAX_INDENT:
        raise ValueError(f"indent must be at most {_MAX_INDENT}, got {indent}")
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )


def _raise_exception(message: str) -> NoReturn:
    raise TemplateError(message)


def _strftime_now(format: str) -> str:
    return datetime.now().strftime(format)
