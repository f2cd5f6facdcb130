"""Who may import whom, read from the source.

The packages are stacks of rooms. A module may import modules of its own room and of rooms in
earlier rows; rooms of one row stand beside each other and do not know each other. Imports for
type checkers only are free, because nothing runs them.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import mlxc

ROOT = Path(__file__).parent.parent

MLXC = [
    ["mlxc._ffi"],
    ["mlxc._errors", "mlxc._blas", "mlxc._cores", "mlxc._seal"],
    ["mlxc._cpu"],
    ["mlxc._handle"],
    ["mlxc._dtype", "mlxc._device", "mlxc._structs", "mlxc._printing"],
    ["mlxc._bounds", "mlxc._dlpack", "mlxc._dtype_info", "mlxc._files"],
    ["mlxc._graph_file"],
    ["mlxc._convert"],
    ["mlxc.ops"],
    ["mlxc.linalg", "mlxc.random", "mlxc.fast", "mlxc.fft"],
    ["mlxc._operators", "mlxc._indexing", "mlxc._exchange", "mlxc._array_api", "mlxc._aliases"],
    ["mlxc._array"],
    ["mlxc._eval", "mlxc.tree", "mlxc._closure"],
    ["mlxc._leaves", "mlxc._jit"],
    [
        "mlxc._autograd",
        "mlxc._checkpoint",
        "mlxc._compile",
        "mlxc._custom",
        "mlxc._jacobian",
        "mlxc._vmap",
    ],
    ["mlxc._graph_calls"],
    ["mlxc._graph_products"],
    ["mlxc._graph_rules"],
    ["mlxc._graph_replay"],
    ["mlxc._export", "mlxc._mapping"],
    ["mlxc.gguf", "mlxc._npy", "mlxc._safetensors"],
    ["mlxc.io", "mlxc.memory", "mlxc.cuda", "mlxc.distributed"],
    ["mlxc.metal"],
    ["mlxc"],
]
MLXRS = [
    ["mlxrs._backend"],
    ["mlxrs.errors"],
    ["mlxrs._json"],
    ["mlxrs.nn", "mlxrs.tokenizer", "mlxrs.loading"],
    [
        "mlxrs.lm.mask",
        "mlxrs.lm.messages",
        "mlxrs.lm.params",
        "mlxrs.lm.response",
        "mlxrs.lm.stop",
        "mlxrs.lm.thinking",
        "mlxrs.lm.tool_prompt",
        "mlxrs.lm.type_schema",
        "mlxrs.lm.typed_value",
        "mlxrs.lm.worker",
    ],
    ["mlxrs.lm.cache", "mlxrs.lm.toolbox", "mlxrs.lm.transcript", "mlxrs.lm.turn_options"],
    ["mlxrs.lm.attention", "mlxrs.lm.blocks", "mlxrs.lm.call_messages", "mlxrs.lm.overflow"],
    ["mlxrs.lm.prompting"],
    ["mlxrs.lm.models", "mlxrs.lm.sample", "mlxrs.testing"],
    [
        "mlxrs.lm.cache_budget",
        "mlxrs.lm.drafter",
        "mlxrs.lm.fingerprint",
        "mlxrs.lm.load",
        "mlxrs.lm.pick",
        "mlxrs.lm.prefill",
        "mlxrs.lm.prefix",
        "mlxrs.lm.rewind",
        "mlxrs.lm.session_settings",
    ],
    ["mlxrs.lm.acceptance", "mlxrs.lm.draft_model", "mlxrs.lm.prompt_lookup", "mlxrs.lm.steps"],
    [
        "mlxrs.lm.cache_prompt",
        "mlxrs.lm.perplexity",
        "mlxrs.lm.reply",
        "mlxrs.lm.responder",
        "mlxrs.lm.score",
        "mlxrs.lm.speculative",
        "mlxrs.lm.structured",
    ],
    ["mlxrs.lm.stream", "mlxrs.lm.batch"],
    ["mlxrs.lm.reply_phases", "mlxrs.lm.thinking_switch"],
    ["mlxrs.lm.drafting", "mlxrs.lm.generate", "mlxrs.lm.session_file", "mlxrs.lm.turn"],
    ["mlxrs.lm.chat_stream", "mlxrs.lm.reader", "mlxrs.lm.reply_form"],
    ["mlxrs.lm.aio", "mlxrs.lm.async_stream", "mlxrs.lm.rounds", "mlxrs.lm.turns"],
    ["mlxrs.lm.conversation"],
    ["mlxrs.lm.async_replies"],
    ["mlxrs.lm.session"],
    ["mlxrs.lm", "mlxrs"],
    ["mlxrs.cli", "mlxrs.notebook"],
    ["mlxrs.__main__"],
]
ROWS = {room: row for row, rooms in enumerate(MLXC + MLXRS) for room in rooms}

# Every other distribution is imported where it is used, so that importing mlxrs is quick.
WHEN_IMPORTED = {"_cffi_backend", "mlxc", "mlxrs"}
# A module that subclasses a class of jinja2 needs it; it is itself imported where it is used.
LATE = {"mlxrs.tokenizer.jinja_sandbox": {"jinja2"}}


@dataclass(frozen=True)
class Import:
    """One import that runs: a module or a name of a module, and whether at module level."""

    target: str
    top_level: bool
    line: int


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {
    module_name(path): path.read_text(encoding="utf-8")
    for package in ("mlxc", "mlxrs")
    for path in sorted((ROOT / package).rglob("*.py"))
    if path.name != "_built.py"
}
PACKAGES = {name for name in SOURCES if any(other.startswith(f"{name}.") for other in SOURCES)}


def running_imports(source: str, module: str, *, is_package: bool) -> Iterator[Import]:
    """Yields what a module imports when it is imported or used, `from . import x` as `pkg.x`."""
    package = module if is_package else module.rpartition(".")[0]

    def visit(node: ast.AST, top_level: bool) -> Iterator[Import]:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            children: list[ast.AST] = [*node.orelse]
        else:
            children = [*ast.iter_child_nodes(node)]
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, top_level, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: 1 - node.level or None] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            for alias in node.names:
                yield Import(f"{base}.{alias.name}", top_level, node.lineno)
        inside = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in children:
            yield from visit(child, top_level and not inside)

    yield from visit(ast.parse(source), True)


def imports_of(module: str) -> Iterator[Import]:
    return running_imports(SOURCES[module], module, is_package=module in PACKAGES)


def home(target: str) -> str:
    """Returns the module that an import of ours reads: `mlxrs.errors.MlxrsError` is in errors."""
    while target not in SOURCES:
        target = target.rpartition(".")[0]
        assert target, "not a module of this project"
    return target


def room_of(module: str) -> str | None:
    """Returns the innermost room a module is in; only the top of a package is `mlxc` or `mlxrs`."""
    rooms = [room for room in ROWS if module == room or module.startswith(f"{room}.")]
    room = max(rooms, key=len, default=None)
    bare = room in ("mlxc", "mlxrs", "mlxrs.lm") and module != room
    return None if bare else room


@pytest.mark.parametrize("module", SOURCES)
def test_every_module_is_in_a_room(module: str):
    assert room_of(module), f"{module} has no row; give its room one in this file"


@pytest.mark.parametrize("module", SOURCES)
def test_imports_go_down_only(module: str):
    room = room_of(module)
    for found in imports_of(module):
        if found.target.partition(".")[0] not in ("mlxc", "mlxrs"):
            continue
        target = room_of(home(found.target))
        allowed = target == room or (target and room and ROWS[target] < ROWS[room])
        assert allowed, f"{module}:{found.line} imports {found.target}, which is not below it"


@pytest.mark.parametrize("module", SOURCES)
def test_importing_needs_the_standard_library_and_cffi_only(module: str):
    roots = {found.target.partition(".")[0] for found in imports_of(module) if found.top_level}

    assert roots - sys.stdlib_module_names <= WHEN_IMPORTED | LATE.get(module, set())


@pytest.mark.parametrize("module", [name for name in SOURCES if name.startswith("mlxrs")])
def test_mlxrs_sees_the_public_names_of_mlxc_only(module: str):
    source = SOURCES[module]
    aliases = {"mlxc"}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            aliases |= {alias.asname for alias in node.names if alias.asname == "mx"}
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            assert not (name.startswith("mlxc.") and "._" in name), f"{module} imports {name}"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id in aliases:
                assert node.attr in mlxc.__all__, f"{module}:{node.lineno} uses mx.{node.attr}"


def test_the_one_door_to_c_is_ffi():
    readers = {
        module
        for module in SOURCES
        for found in imports_of(module)
        if found.target.startswith("mlxc._ffi._mlx")
    }

    assert readers == {"mlxc._ffi"}


def test_relative_imports_are_resolved_from_the_package_of_the_module():
    source = """
from ..errors import MlxrsError
from . import cache
def later():
    import numpy
if TYPE_CHECKING:
    from ..nn import Module
"""
    found = [
        (item.target, item.top_level)
        for item in running_imports(source, "mlxrs.lm.load", is_package=False)
    ]

    assert found == [
        ("mlxrs.errors.MlxrsError", True),
        ("mlxrs.lm.cache", True),
        ("numpy", False),
    ]
