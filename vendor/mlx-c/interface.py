"""Reads the headers in ``include/mlx/c``, the single source of the interface.

The headers keep to a narrow dialect of C: one ``typedef`` a type, one prototype a function,
comments of the ``/* */`` kind, directives on lines of their own. So a few regular expressions
read them, and the same text serves the C compiler, the glue generator and cffi.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

HALF_TYPES = ("float16_t", "bfloat16_t")

OPTIONAL_MARK = "/* or null */"

TYPEDEF = re.compile(r"typedef\s+(?!struct\b|enum\b)[^;]+;")
STRUCT = re.compile(r"typedef\s+struct\s+\w+\s*\{([^}]*)\}\s*(\w+)\s*;")
ENUM = re.compile(r"typedef\s+enum\s+\w+\s*\{([^}]*)\}\s*(\w+)\s*;")
FUNCTION = re.compile(r"(\w[\w\s]*?[\s*]+)(\w+)\(((?:[^()]|\([^()]*\))*)\)\s*;")
FUNCTION_POINTER = re.compile(r"\(\*\s*(\w+)\)")


@dataclass(frozen=True)
class Enum:
    """An enum whose values count from zero."""

    header: str
    name: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Struct:
    """A struct, its fields as C text ending in semicolons."""

    header: str
    name: str
    fields: str

    @property
    def is_handle(self) -> bool:
        """Whether it is one owned pointer and nothing else."""
        return self.fields == "void* ctx;"


@dataclass(frozen=True)
class Typedef:
    """A type that is neither struct nor enum, as its whole C text."""

    header: str
    name: str
    text: str


@dataclass(frozen=True)
class Param:
    """A parameter; ``type`` of a function pointer contains the name, as C has it."""

    type: str
    name: str
    optional: bool = False

    @property
    def text(self) -> str:
        """The parameter as C declares it."""
        return self.type if "(*" in self.type else f"{self.type} {self.name}".strip()


@dataclass(frozen=True)
class Function:
    """A prototype."""

    header: str
    returns: str
    name: str
    params: tuple[Param, ...]

    @property
    def text(self) -> str:
        """The prototype as C declares it, without the semicolon."""
        params = ", ".join(param.text for param in self.params) or "void"
        return f"{self.returns} {self.name}({params})"


@dataclass(frozen=True)
class Interface:
    """Everything the headers declare, in the order of inclusion."""

    typedefs: tuple[Typedef, ...]
    enums: tuple[Enum, ...]
    structs: tuple[Struct, ...]
    functions: tuple[Function, ...]

    @property
    def handles(self) -> frozenset[str]:
        """Names of the structs that are one owned pointer."""
        return frozenset(struct.name for struct in self.structs if struct.is_handle)


def read_interface(include_dir: Path) -> Interface:
    """Parse every header that ``include_dir/mlx/c/mlx.h`` includes.

    Args:
        include_dir: the folder that holds ``mlx/c``.

    Raises:
        ValueError: a header contains something outside of the dialect, which would be lost.
    """
    typedefs: list[Typedef] = []
    enums: list[Enum] = []
    structs: list[Struct] = []
    functions: list[Function] = []
    for header in headers_in_order(include_dir):
        text = declarations(include_dir / "mlx" / "c" / header)
        found, text = read_structs(header, text)
        structs += found
        for match in ENUM.finditer(text):
            enums.append(Enum(header, match[2], tuple(squeeze(match[1]).split(", "))))
        text = ENUM.sub("", text)
        for match in TYPEDEF.finditer(text):
            typedefs.append(read_typedef(header, squeeze(match[0])))
        text = TYPEDEF.sub("", text)
        functions += read_functions(header, text)
    return Interface(tuple(typedefs), tuple(enums), tuple(structs), tuple(functions))


def read_structs(header: str, text: str) -> tuple[list[Struct], str]:
    """The structs in declarations, and the declarations without them."""
    structs = [Struct(header, name, squeeze(fields)) for fields, name in STRUCT.findall(text)]
    return structs, STRUCT.sub("", text)


def read_functions(header: str, text: str) -> list[Function]:
    """The prototypes in declarations that are nothing but prototypes.

    Args:
        header: the name of the header, for messages.
        text: its ``declarations`` without the types.

    Raises:
        ValueError: there is something else, which would be lost.
    """
    if rest := FUNCTION.sub("", text).strip():
        raise ValueError(f"{header}: cannot read {squeeze(rest)[:80]!r}")
    return [
        Function(header, squeeze(returns), name, tuple(map(read_param, split_params(params))))
        for returns, name, params in FUNCTION.findall(text)
    ]


def headers_in_order(include_dir: Path) -> list[str]:
    """Names of the headers, each after the ones it includes."""
    order: list[str] = []

    def visit(header: str) -> None:
        text = (include_dir / "mlx" / "c" / header).read_text()
        for included in re.findall(r'#include "mlx/c/([\w.]+)"', text):
            if included not in order:
                visit(included)
        order.append(header)

    visit("mlx.h")
    return order


def declarations(header: Path) -> str:
    """The text of a header as a C compiler without half types sees it."""
    text = header.read_text().replace(OPTIONAL_MARK, "@")
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)
    lines: list[str] = []
    skipping: list[bool] = []
    for line in text.splitlines():
        if line.startswith("#if"):
            # Only the portable branch is kept: include guards open, all other tests are false.
            skipping.append(not line.startswith("#ifndef"))
        elif line.startswith("#elif"):
            skipping[-1] = True
        elif line.startswith("#else"):
            skipping[-1] = False
        elif line.startswith("#endif"):
            skipping.pop()
        elif not line.startswith("#") and not any(skipping):
            lines.append(line)
    return "\n".join(lines)


def squeeze(text: str) -> str:
    """Collapse white space."""
    return " ".join(text.split()).replace("( ", "(")


def read_typedef(header: str, text: str) -> Typedef:
    named = FUNCTION_POINTER.search(text) or re.search(r"(\w+);", text)
    if named is None:
        raise ValueError(f"{header}: a typedef without a name: {text!r}")
    return Typedef(header, named[1], text)


def split_params(text: str) -> list[str]:
    """Split at the commas that are not inside of a function pointer."""
    parts = [squeeze(part) for part in re.split(r",(?![^()]*\))", text)]
    return [] if parts in ([""], ["void"]) else parts


def read_param(text: str) -> Param:
    optional = text.endswith("@")
    text = text.removesuffix("@").strip()
    if text == "...":
        return Param("...", "")
    if pointer := FUNCTION_POINTER.search(text):
        return Param(text, pointer[1])
    kind, name = re.fullmatch(r"(.*[\s*])(\w+)", text).groups()  # type: ignore[union-attr]
    return Param(kind.strip(), name, optional)


def cdef(interface: Interface) -> str:
    """The interface as ``cffi.FFI.cdef`` takes it, the same text on every machine.

    Half precision pointers are ``void*``, because only some compilers know the types.
    """
    lines = [f"typedef struct {{ {s.fields} }} {s.name};" for s in interface.structs if s.is_handle]
    lines += [f"typedef enum {{ {', '.join(e.values)} }} {e.name};" for e in interface.enums]
    lines += [typedef.text for typedef in interface.typedefs]
    lines += [
        f"typedef struct {{ {s.fields} }} {s.name};" for s in interface.structs if not s.is_handle
    ]
    lines += [f"{function.text};" for function in interface.functions]
    return re.sub(rf"\b({'|'.join(HALF_TYPES)})\b", "void", "\n".join(lines))
