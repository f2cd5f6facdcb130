"""What the packages offer: every name listed, and each in one place."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from itertools import combinations

import pytest

PUBLIC = [
    "mlxc",
    "mlxc.cuda",
    "mlxc.distributed",
    "mlxc.fast",
    "mlxc.fft",
    "mlxc.gguf",
    "mlxc.linalg",
    "mlxc.metal",
    "mlxc.random",
    "mlxc.tree",
    "mlxrs",
    "mlxrs.lm.cache",
    "mlxrs.lm.models",
    "mlxrs.nn",
    "mlxrs.notebook",
    "mlxrs.testing",
    "mlxrs.tokenizer.tools",
]
HEAVY = {"huggingface_hub", "jinja2", "numpy", "safetensors", "tokenizers"}


def names_of(module: str) -> list[str]:
    return list(importlib.import_module(module).__all__)


@pytest.mark.parametrize("module", PUBLIC)
def test_all_is_sorted_and_names_nothing_twice(module: str):
    names = names_of(module)

    assert names == sorted(set(names))


@pytest.mark.parametrize("module", PUBLIC)
def test_every_listed_name_exists(module: str):
    there = vars(importlib.import_module(module))

    assert [name for name in names_of(module) if name not in there] == []


@pytest.mark.parametrize("module", ["mlxc", "mlxrs", "mlxrs.nn"])
def test_no_public_name_is_left_unlisted(module: str):
    there = {
        name
        for name, value in vars(importlib.import_module(module)).items()
        if not name.startswith("_") and not inspect.ismodule(value) and name != "annotations"
    }

    assert there - set(names_of(module)) == set()


@pytest.mark.parametrize(
    "modules", [*combinations([name for name in PUBLIC if name.startswith("mlxrs")], 2)]
)
def test_a_name_of_mlxrs_has_one_place(modules: tuple[str, str]):
    first, second = modules

    assert set(names_of(first)) & set(names_of(second)) == set()


@pytest.mark.parametrize("package", ["mlxc", "mlxrs"])
def test_importing_takes_in_none_of_the_heavy_libraries(package: str):
    """Each is needed by some calls only, and would make every start slower."""
    program = f"import sys, {package}; print(*sorted({HEAVY} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert (done.stdout.strip(), done.stderr) == ("", "")
