"""Every transform answers as mlx.core does, which runs the same cases in a process of its own."""

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest
from support import transform_cases

import mlxc as mx

# Functions are exported through the extension of mlx-c.
NATIVE = {"export_forms", "export_several", "export_callback"}


@pytest.fixture(scope="module")
def official():
    if find_spec("mlx.core") is None:
        pytest.skip("mlx.core is not installed")
    command = [sys.executable, transform_cases.__file__, "mlx.core"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.native] if name in NATIVE else [])
        for name in transform_cases.CASES
    ],
)
def test_the_answers_are_those_of_mlx_core(name, official):
    ours = json.loads(json.dumps(transform_cases.CASES[name](mx)))

    assert ours == official[name]
