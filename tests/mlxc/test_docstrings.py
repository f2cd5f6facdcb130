"""The docstrings of mlxc: there is one for every public function, and their examples run."""

import doctest
import importlib
import pkgutil

import pytest

import mlxc as mx

MODULES = [
    module.name
    for module in pkgutil.walk_packages(mx.__path__, "mlxc.")
    if not module.name.startswith("mlxc._ffi")
]


# Their examples use what a foreign mlx-c lacks, or what MLX did otherwise before 0.32.
NATIVE = {
    "mlxc._device",
    "mlxc._export",
    "mlxc._printing",
    "mlxc.fast._attention",
    "mlxc.fast._kernels",
    "mlxc.fast._layers",
    "mlxc.fft._short_time",
    "mlxc.memory",
    "mlxc.ops.matmul",
    "mlxc.ops.sort",
}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.native] if n in NATIVE else []) for n in MODULES]
)
def test_the_examples_of_a_module_run(name):
    results = doctest.testmod(importlib.import_module(name), raise_on_error=False)

    assert results.failed == 0


@pytest.mark.parametrize("name", [n for n in MODULES if not n.rpartition(".")[2].startswith("_")])
def test_every_public_function_of_a_module_is_described(name):
    module = importlib.import_module(name)
    public = getattr(module, "__all__", ())

    assert list(public) == sorted(public)
    assert [n for n in public if not (getattr(module, n).__doc__ or "").strip()] == []
