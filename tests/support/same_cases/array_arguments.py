"""What is given where a function takes an array: which of it is refused with a TypeError.

The functions and their parameters come from the stubs of mlx.core. A stub says `array` for operands
too, which may be scalars; so mlx.core itself decides.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

GIVEN = (
    "mx.ones((2, 2))",
    "[[1.0, 1.0], [1.0, 1.0]]",
    "1",
    "1.5",
    "np.ones((2, 2))",
    "None",
    "'a'",
)

#: What is given for the parameters without a default, by their type.
NEEDED = {
    "array": "mx.ones((2, 2))",
    "bool": "True",
    "int": "1",
    "Sequence[int]": "[0]",
    "list[int]": "[0]",
    "tuple[int, ...]": "(0,)",
    "Dtype": "mx.float32",
    "str": "'i,j->ij'",
}

#: Functions that mlxc refuses more with, or by another exception.
OTHERWISE = {
    "can_cast": "a ValueError, for None too",
    "depends": "a TypeError, where mlx.core raises RuntimeError: bad_cast",
    "gated_delta_update": "its shapes are looked at before the optional arrays",
}


def functions() -> Iterator[tuple[str, ast.arguments]]:
    spec = importlib.util.find_spec("mlx.core")
    assert spec is not None and spec.origin is not None
    folder = Path(spec.origin).parent / "core"
    for name in ("__init__", "distributed", "fast", "fft", "linalg", "random"):
        place = "mx" if name == "__init__" else f"mx.{name}"
        for node in ast.parse((folder / f"{name}.pyi").read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name[0] != "_":
                if node.name not in OTHERWISE:
                    yield f"{place}.{node.name}", node.args


def kind(parameter: ast.arg) -> str:
    written = "" if parameter.annotation is None else ast.unparse(parameter.annotation)
    return written.replace("mlx.core.", "")


def calls() -> Iterator[str]:
    for function, args in functions():
        positional = [*args.posonlyargs, *args.args]
        needed = len(positional) - len(args.defaults)
        named = zip(args.kwonlyargs, args.kw_defaults, strict=True)
        after = [f"{p.arg}={NEEDED.get(kind(p), '1')}" for p, default in named if default is None]
        for i, parameter in enumerate(positional):
            types = kind(parameter).split(" | ")
            for given in GIVEN if "array" in types else ():
                before = [NEEDED.get(kind(p).split(" | ")[-1], "1") for p in positional[:needed]]
                if i < needed:
                    before[i] = given
                    texts = [*before, *after]
                else:
                    texts = [*before, f"{parameter.arg}={given}", *after]
                yield f"attempt({', '.join([function, *texts])}) == 'TypeError'"


CASES = list(calls())
