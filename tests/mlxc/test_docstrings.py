"""The docstrings of mlxc: every public function has one with an example, and the examples run."""

import doctest
import importlib
import inspect
import pkgutil
import re

import pytest

import mlxc as mx

MODULES = [
    module.name
    for module in pkgutil.walk_packages(mx.__path__, "mlxc.")
    if not module.name.startswith("mlxc._ffi")
]
EXAMPLES = {
    found.name: found
    for module in MODULES
    for found in doctest.DocTestFinder().find(importlib.import_module(module))
    if found.examples
}

# Their examples use what a foreign mlx-c lacks, or what MLX did otherwise before 0.32.
NATIVE = {
    "mlxc._device.new_thread_local_stream",
    "mlxc._device.new_thread_unsafe_stream",
    "mlxc._export.export_function",
    "mlxc._export.exporter",
    "mlxc._export.import_function",
    "mlxc._printing.get_printoptions",
    "mlxc._printing.printoptions",
    "mlxc._printing.set_printoptions",
    "mlxc.fast._kernels.metal_kernel",
    "mlxc.fft._short_time.istft",
    "mlxc.fft._short_time.stft",
    "mlxc.memory.get_array_buffer_size",
    "mlxc.ops.matmul.einsum_path",
    "mlxc.ops.quantize.gather_qqmm",
    "mlxc.ops.sort.unique",
}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.native] if n in NATIVE else []) for n in EXAMPLES]
)
def test_an_example_runs(name):
    results = doctest.DocTestRunner().run(EXAMPLES[name], clear_globs=False)

    assert results.attempted and results.failed == 0


def test_no_mark_is_out_of_date():
    assert NATIVE <= EXAMPLES.keys()


@pytest.mark.parametrize("name", [n for n in MODULES if not n.rpartition(".")[2].startswith("_")])
def test_every_public_function_of_a_module_is_described(name):
    module = importlib.import_module(name)
    public = getattr(module, "__all__", ())

    assert list(public) == sorted(public)
    assert [n for n in public if not (getattr(module, n).__doc__ or "").strip()] == []


@pytest.mark.parametrize("name", ["mlxc", *[n for n in MODULES if "._" not in n]])
def test_every_public_function_of_a_module_has_an_example(name):
    module = importlib.import_module(name)
    public = [(n, getattr(module, n)) for n in getattr(module, "__all__", ())]
    functions = {n: f.__doc__ or "" for n, f in public if inspect.isfunction(f)}

    assert [n for n, docstring in functions.items() if ">>>" not in docstring] == []


def described(docstring: str) -> list[str]:
    """The names in the section of arguments, whose texts are indented further."""
    _, _, section = docstring.partition("\nArgs:\n")
    section = re.split(r"\n\n\S", section)[0]
    return re.findall(r"^    [*]*(\w+):", section, re.MULTILINE)


@pytest.mark.parametrize("name", MODULES)
def test_the_arguments_described_are_those_of_the_signature(name):
    module = importlib.import_module(name)

    for member, function in inspect.getmembers(module, inspect.isfunction):
        names = described(inspect.getdoc(function) or "")
        taken = [n for n in inspect.signature(function).parameters if n != "stream"]

        if names and member != "exported":  # a method, which has a self
            assert [n for n in names if n != "stream"] == taken, member
