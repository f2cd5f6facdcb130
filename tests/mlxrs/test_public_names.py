import inspect
import subprocess
import sys

import mlxrs


def test_every_public_name_is_listed_and_none_other():
    names = {
        name
        for name, value in vars(mlxrs).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }

    assert mlxrs.__all__ == sorted(names | {"__version__"})


def test_importing_takes_in_none_of_the_heavy_libraries():
    """Each is needed by some calls only, and would make every start slower."""
    program = """
import mlxc, sys
before = set(sys.modules)
import mlxrs
print(*sorted(
    {"numpy", "jinja2", "tokenizers", "safetensors", "huggingface_hub"}
    & (set(sys.modules) - before)
))
"""

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert (done.stdout.strip(), done.stderr) == ("", "")
