"""The Jinja environment that chat templates are written for.

The rules are those of Hugging Face's `apply_chat_template`: blocks are trimmed, `break` and
`continue` exist, and so do `tojson` without HTML escapes, `raise_exception`, `strftime_now` and the
`{% generation %}` tag, which marks the assistant's text. Everything that can grow is metered, by
calls that are put into the template's syntax tree before it is compiled.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from functools import cache, wraps
from typing import Any, NoReturn

from jinja2 import TemplateError, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, LoopControlExtension
from jinja2.parser import Parser
from jinja2.runtime import Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from .jinja_meter import CALL, TURN, meter, settle, shallow

_MAX_BITS = 1 << 14
_MAX_ITEMS = 1 << 20
_MAX_INDENT = 1024

# Filters that look at a value without what is in it, and those that do not read an iterator.
_SHALLOW_FILTERS = frozenset(
    "attr batch count d default first items last length list map random reject rejectattr reverse "
    "safe select selectattr slice".split()
)
_LAZY_FILTERS = frozenset(
    "d default first map pprint reject rejectattr select selectattr string tojson".split()
)
_COMPARING_TESTS = frozenset(
    "== != < <= > >= eq equalto ne lt lessthan le gt greaterthan ge in".split()
)


@cache
def sandbox() -> ImmutableSandboxedEnvironment:
    """Returns the environment; it holds no state of any template, so one serves all."""
    environment = _Sandbox(
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_written,
        extensions=[LoopControlExtension, _GenerationTag],
    )
    environment.filters["tojson"] = _tojson
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = _strftime_now
    environment.globals["dict"] = _Dict()
    environment.globals["namespace"] = _Namespace
    for name, filter in environment.filters.items():
        environment.filters[name] = _metered_filter(name, filter)
    for name in _COMPARING_TESTS & environment.tests.keys():
        environment.tests[name] = _metered_test(environment.tests[name])  # type: ignore[arg-type]
    environment.filters[_TURN] = _turn
    environment.filters[_MADE] = _made
    environment.filters[_USED] = _used
    return environment


class _Sandbox(ImmutableSandboxedEnvironment):
    """Counts what operators and calls make, and puts counters into what has no such hook."""

    intercepted_binops = frozenset(ImmutableSandboxedEnvironment.default_binop_table)

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        match operator, left, right:
            case "*" | "**", int(), int():
                power = operator == "**"
                bits = (
                    left.bit_length() * abs(right)
                    if power
                    else left.bit_length() + right.bit_length()
                )
                if bits > _MAX_BITS:
                    raise OverflowError(f"{operator} must make at most {_MAX_BITS} bits")
            case ("*", str() | list() | tuple() as items, int(count)) | (
                "*",
                int(count),
                str() | list() | tuple() as items,
            ):
                if len(items) * count > _MAX_ITEMS:
                    raise OverflowError(f"* must make at most {_MAX_ITEMS} characters or items")
            case "%", str(), _:
                meter.get().expect("format", left, (right,))
                meter.get().used(right)
        return meter.get().made(super().call_binop(context, operator, left, right))

    def call(__self, __context: Context, __obj: object, *args: object, **kwargs: object) -> object:
        count = meter.get()
        function = getattr(__obj, "__wrapped__", __obj)
        name = getattr(function, "__name__", "")
        owner = getattr(function, "__self__", None)
        if isinstance(owner, str) and name == "join":
            name, args = "str.join", tuple(map(settle, args))
        values = (*args, *kwargs.values())
        if not isinstance(__obj, Macro):
            count.expect(name, owner, values)
        count.spend(CALL)
        deep = isinstance(owner, str)
        for value in (owner, *values):
            count.spend(count.weigh(value) if deep else shallow(value))
        return count.made(super().call(__context, __obj, *args, **kwargs))

    def getitem(self, obj: object, argument: object) -> object:
        meter.get().used(argument)
        return super().getitem(obj, argument)

    def _generate(
        self,
        source: nodes.Template,
        name: str | None,
        filename: str | None,
        defer_init: bool = False,
    ) -> str:
        counted = _Counters().visit(source)
        return super()._generate(counted, name, filename, defer_init)


_TURN, _MADE, _USED = "-turn", "-made", "-used"


class _Counters(NodeTransformer):
    """Wraps what makes or compares values, and counts turns of loops and literal text."""

    def visit_For(self, node: nodes.For) -> nodes.Node:
        node.body = [_count(TURN), *node.body]
        return self.generic_visit(node)

    def visit_Output(self, node: nodes.Output) -> list[nodes.Node]:
        literal = sum(len(item.data) for item in node.nodes if isinstance(item, nodes.TemplateData))
        self.generic_visit(node)
        return [_count(literal), node] if literal else [node]

    def visit_AssignBlock(self, node: nodes.AssignBlock) -> nodes.Node:
        if node.filter is None:
            node.filter = _filter(None, _MADE)
        return self.generic_visit(node)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        self.generic_visit(node)
        node.expr = _filter(node.expr, _USED)
        for operand in node.ops:
            operand.expr = _filter(operand.expr, _USED)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        node.nodes = [_filter(item, _USED) for item in node.nodes]
        return _filter(node, _MADE)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:
        self.generic_visit(node)
        return _filter(node, _MADE) if isinstance(node.arg, nodes.Slice) else node

    def _visit_made(self, node: nodes.Expr) -> nodes.Node:
        self.generic_visit(node)
        return node if getattr(node, "ctx", "load") != "load" else _filter(node, _MADE)

    visit_List = visit_Tuple = visit_Dict = _visit_made


def _filter(node: nodes.Expr | None, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None)


def _count(work: int) -> nodes.ExprStmt:
    return nodes.ExprStmt(_filter(nodes.Const(work), _TURN))


# A filter that takes the context is never worked out while compiling.


@pass_context
def _turn(context: Context, work: int) -> None:
    meter.get().spend(work)


@pass_context
def _made(context: Context, value: object) -> object:
    return meter.get().made(value)


@pass_context
def _used(context: Context, value: object) -> object:
    return meter.get().used(value)


@pass_context
def _written(context: Context, value: object) -> object:
    return meter.get().used(value)


def _metered_filter(name: str, filter: Callable[..., object]) -> Callable[..., object]:
    shallow_only, lazy = name in _SHALLOW_FILTERS, name in _LAZY_FILTERS
    first = int(hasattr(filter, "jinja_pass_arg"))

    @wraps(filter)
    def metered(*args: object, **kwargs: object) -> object:
        count = meter.get()
        value = args[first] if lazy else settle(args[first])
        others = (*args[first + 1 :], *kwargs.values())
        count.expect(name, value, others)
        count.spend(shallow(value) if shallow_only else 4 * count.weigh(value))
        for other in others:
            count.used(other)
        return count.made(filter(*args[:first], value, *args[first + 1 :], **kwargs))

    return metered


def _metered_test(test: Callable[..., Any]) -> Callable[..., object]:
    @wraps(test)
    def metered(value: object, other: object) -> object:
        count = meter.get()
        count.used(value)
        count.used(other)
        return test(value, other)

    return metered


class _GenerationTag(Extension):
    """Marks what stands in `{% generation %}...{% endgeneration %}` as the assistant's."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_mark"), [], [], body).set_lineno(line)

    def _mark(self, caller: Macro) -> str:
        text = str(caller())
        count = meter.get()
        count.spend(CALL)
        count.generated.append((count.written, count.written + len(text)))
        return text


class _Dict:
    """Stands for `dict`, whose attributes a template has no business with."""

    def __call__(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        return dict(*args, **kwargs)

    def fromkeys(self, keys: list[object], value: object = None) -> dict[object, object]:
        return dict.fromkeys(keys, value)


class _Namespace(Namespace):
    """Keeps names of Python's own out of namespaces, and writes none of their contents."""

    def __init__(*args: Any, **kwargs: Any) -> None:
        self, *others = args
        for name in dict(*others, **kwargs):
            _check_name(name)
        Namespace.__init__(self, *others, **kwargs)

    def __setitem__(self, name: str, value: object) -> None:
        _check_name(name)
        super().__setitem__(name, value)

    def __repr__(self) -> str:
        return "<Namespace>"


def _check_name(name: object) -> None:
    if isinstance(name, str) and name.startswith("_"):
        raise SecurityError(f"a namespace may not hold {name!r}; rename it without underscore")


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
