"""What mlx.core has, mlxc has: the same names, and functions that are called the same way.

The names come from the official package, in a process of its own; the signatures from its stubs,
because compiled functions have none that can be asked for.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import mlxc as mx

if importlib.util.find_spec("mlx.core") is None:
    pytest.skip("mlx.core is not installed", allow_module_level=True)

SUBMODULES = ("cuda", "distributed", "fast", "fft", "linalg", "metal", "random")

#: Functions that are called in another way, and why.
CALLED_OTHERWISE = {
    "arange": "one function for both forms, which what is given tells apart",
    "issubdtype": "the stub's arg1 and arg2 are no names",
    "savez": "file by position only, so that an array may be named file",
    "savez_compressed": "file by position only, so that an array may be named file",
}

#: What mlx.core does not have, and why it is here.
BEYOND = {
    "BlasInfo": "which BLAS is in force",
    "CpuKernels": "how the CPU computes",
    "argwhere": "positions, as numpy gives them",
    "blas_info": "which BLAS is in force",
    "cache_limit": "a limit for a block of code",
    "cpu_kernels": "how the CPU computes",
    "fast.AttentionHalf": "what DecoderLayers computes",
    "fast.DecoderLayers": "the layers of a quantized model in one call",
    "fast.FeedForwardHalf": "what DecoderLayers computes",
    "fast.feed_forward_block": "half a layer of a quantized model in one operation",
    "fast.geglu": "an activation as a gate in one pass",
    "fast.gelu": "an activation in one pass",
    "fast.keep_top_k": "likely tokens alone, without sorting",
    "fast.keep_top_p": "likely tokens alone, without sorting",
    "fast.quantized_scaled_dot_product_attention": "attention over a packed cache in one pass",
    "fast.quantized_take": "rows of a packed table in one operation",
    "fast.silu": "an activation in one pass",
    "fast.swiglu": "an activation as a gate in one pass",
    "fast.write_rows": "the step of a cache in one operation",
    "flatnonzero": "positions, as numpy gives them",
    "gguf": "the metadata of models, and tensors in types that mlx.core does not load",
    "memory_limit": "a limit for a block of code",
    "num_threads": "how many threads the CPU computes with",
    "nonzero": "positions, as numpy gives them",
    "promote_types": "of the array API standard",
    "random.state": "mlx.core has it, and does not list it",
    "set_num_threads": "how many threads the CPU computes with",
    "tree": "mlx.utils, which is no part of mlx.core",
    "trim_memory": "what the C library keeps of freed memory",
    "wired_limit": "a limit for a block of code",
}

LISTING = """
import json, mlx.core as mx
found = []
for place in ("", *(f"{name}." for name in %r)):
    module = getattr(mx, place[:-1]) if place else mx
    for name in dir(module):
        value = getattr(module, name)
        if not name.startswith("_"):
            found.append(place + name)
            if isinstance(value, type):
                own = {n for n in dir(value) if not n.startswith("_") or n in vars(value)}
                found += [f"{place}{name}.{member}" for member in sorted(own)]
print(json.dumps(found))
"""


@cache
def official_names() -> list[str]:
    """Every public name of mlx.core, of its submodules and of their classes, with dots."""
    done = subprocess.run(
        [sys.executable, "-c", LISTING % (SUBMODULES,)], capture_output=True, text=True, check=True
    )
    return [str(name) for name in json.loads(done.stdout)]


NOTHING = object()


def find(name: str) -> Any:
    """What has that name in mlxc, NOTHING if there is nothing."""
    value: Any = mx
    for part in name.split("."):
        value = inspect.getattr_static(value, part, NOTHING)
    return value


# --- names ---


def test_every_name_is_there():
    assert [name for name in official_names() if find(name) is NOTHING] == []


def test_every_name_beyond_the_official_ones_has_a_reason():
    public = {name for name in mx.__all__ if not name.startswith("_")}
    for module in SUBMODULES:
        public |= {f"{module}.{name}" for name in getattr(mx, module).__all__}

    assert public - set(official_names()) == BEYOND.keys()


CONSTANTS = """
import json, math, mlx.core as mx
kinds = (mx.DeviceType, mx.DtypeCategory)
members = {kind.__name__: {m.name: m.value for m in kind} for kind in kinds}
print(json.dumps([members, mx.e, mx.euler_gamma, mx.inf, mx.pi, mx.newaxis, math.isnan(mx.nan)]))
"""


@pytest.mark.native
def test_enumerations_and_constants_have_the_official_values():
    theirs, ours = (
        subprocess.run(
            [sys.executable, "-c", CONSTANTS.replace("mlx.core", name)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for name in ("mlx.core", "mlxc")
    )

    assert ours == theirs != ""


@pytest.mark.parametrize("submodule", SUBMODULES)
def test_a_submodule_is_imported_like_the_official_one(submodule):
    assert importlib.import_module(f"mlxc.{submodule}") is getattr(mx, submodule)


# --- signatures ---

Signature = list[tuple[str, str, str]]


@cache
def official_signatures() -> dict[str, list[Signature]]:
    """The signatures of every function in the stubs, several for those with overloads."""
    spec = importlib.util.find_spec("mlx")
    assert spec is not None and spec.submodule_search_locations
    places = [Path(place) / "core" for place in spec.submodule_search_locations]
    folder = next(place for place in places if (place / "__init__.pyi").exists())
    found: dict[str, list[Signature]] = {}

    def read(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef):
                marks = " ".join(map(ast.unparse, node.decorator_list))
                if "property" not in marks and "setter" not in marks:
                    found.setdefault(prefix + node.name, []).append(of_stub(node.args))
            elif isinstance(node, ast.ClassDef):
                read(node.body, f"{prefix}{node.name}.")

    for name in ("__init__", *SUBMODULES):
        prefix = "" if name == "__init__" else f"{name}."
        read(ast.parse((folder / f"{name}.pyi").read_text()).body, prefix)
    return found


def of_stub(args: ast.arguments) -> Signature:
    """Names, kinds and defaults of parameters."""
    positional = [*args.posonlyargs, *args.args]
    defaults = [None] * (len(positional) - len(args.defaults)) + [*args.defaults]
    result = []
    for i, (arg, default) in enumerate(zip(positional, defaults, strict=True)):
        kind = "positional" if i < len(args.posonlyargs) else "either"
        # Stubs write positional-only parameters of no name as arg, arg0, ...
        name = "" if kind == "positional" else arg.arg
        result.append((name, kind, shown(default)))
    if args.vararg:
        result.append(("", "many", ""))
    for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        result.append((arg.arg, "keyword", shown(default)))
    if args.kwarg:
        result.append(("", "any keyword", ""))
    return result


def shown(default: ast.expr | None) -> str:
    return "" if default is None else spelled(ast.unparse(default))


def spelled(text: str) -> str:
    """A default as both sides write it: without the module, floats by value, lists as tuples."""
    text = text.removeprefix("mlx.core.").removeprefix("mlxc.")
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    if isinstance(value, float):
        value = float(f"{value:.6g}")
    return repr(tuple(value) if isinstance(value, list) else value)


KINDS = {
    inspect.Parameter.POSITIONAL_ONLY: "positional",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "either",
    inspect.Parameter.VAR_POSITIONAL: "many",
    inspect.Parameter.KEYWORD_ONLY: "keyword",
    inspect.Parameter.VAR_KEYWORD: "any keyword",
}


def of_function(function: Any, *, method: bool) -> Signature:
    parameters = list(inspect.signature(function).parameters.values())
    result = []
    for i, parameter in enumerate(parameters):
        kind = KINDS[parameter.kind]
        default = "" if parameter.default is parameter.empty else spelled(repr(parameter.default))
        named = kind in ("either", "keyword") and not (method and i == 0)
        result.append((parameter.name if named else "", kind, default))
    return result


def accepts(ours: Signature, theirs: Signature) -> bool:
    """Whether every call that fits their signature fits ours, and means the same.

    Ours may take by keyword too what theirs takes by position, and have more parameters, if these
    have defaults and stand behind.
    """
    places = [parameter for parameter in ours if parameter[1] in ("positional", "either")]
    named = {name: (kind, default) for name, kind, default in ours if name}
    others = {kind for _, kind, _ in ours}
    taken = 0
    for name, kind, default in theirs:
        if kind in ("many", "any keyword"):
            if kind not in others:
                return False
        elif kind == "keyword":
            if named.get(name, ("", None))[1] != default:
                return False
        else:
            if taken == len(places) or (default and places[taken][2] != default):
                return False
            if kind == "either" and places[taken][0] != name:
                return False
            taken += 1
    mentioned = {name for name, _, _ in theirs}
    more = [*places[taken:], *(p for p in ours if p[1] == "keyword" and p[0] not in mentioned)]
    return all(default for _, _, default in more)


def function(name: str) -> Any:
    """The function of that name in mlxc, None if there is none that is written in Python."""
    value = find(name)
    if name.endswith(".__init__") and not inspect.isfunction(value):
        value = find(name.replace("__init__", "__new__"))
    value = getattr(value, "__func__", value)
    return value if inspect.isfunction(value) else None


@pytest.mark.parametrize("name", sorted(filter(function, official_signatures())))
def test_a_function_is_called_as_the_official_one(name: str):
    method = isinstance(find(name.rpartition(".")[0]), type)
    ours = of_function(function(name), method=method)

    if name in CALLED_OTHERWISE:
        return
    for theirs in official_signatures()[name]:
        if method:  # self
            theirs = [("", "positional", ""), *theirs[1:]]
        assert accepts(ours, theirs)


def test_no_exception_is_out_of_date():
    for name in CALLED_OTHERWISE:
        ours = of_function(function(name), method=False)
        assert not all(accepts(ours, theirs) for theirs in official_signatures()[name])
