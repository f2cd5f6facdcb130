"""Where graphs cannot be compiled, functions run as they are, and one warning says why."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import mlxc as mx
runs = []
state = [mx.array(1.0)]
def fun(x):
    runs.append(1)
    state[0] = state[0] + 1
    return mx.exp(x * 0) + x * state[0]
f = mx.compile(fun, inputs=state, outputs=state)
g = mx.compile(lambda x: mx.sin(x) + mx.cos(x))
print(*(f(mx.array(1.0)).item() for _ in range(3)), len(runs) < 3, g(mx.array(0.0)).item())
"""


def run(environment):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def test_a_private_folder_is_made_for_compiled_graphs(tmp_path):
    done = run({"TMPDIR": str(tmp_path)})

    assert (done.stdout, done.stderr) == ("3.0 4.0 5.0 True 1.0\n", "")
    assert list((tmp_path / "mlx").rglob("*.so"))
    assert (tmp_path / "mlx").stat().st_mode & 0o777 == 0o700


def test_without_a_compiler_functions_run_as_they_are(tmp_path):
    done = run({"TMPDIR": str(tmp_path), "PATH": str(tmp_path)})

    assert (done.returncode, done.stdout) == (0, "3.0 4.0 5.0 False 1.0\n")
    assert done.stderr.count("RuntimeWarning") == 1
    assert "g++" in done.stderr


def test_a_folder_where_others_write_is_not_used(tmp_path):
    (tmp_path / "mlx").mkdir()
    (tmp_path / "mlx").chmod(0o777)

    done = run({"TMPDIR": str(tmp_path)})

    assert (done.returncode, done.stdout) == (0, "3.0 4.0 5.0 False 1.0\n")
    assert done.stderr.count("RuntimeWarning") == 1
    assert "TMPDIR" in done.stderr
    assert not list((tmp_path / "mlx").iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="another system, another compiler")
def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "mlx").symlink_to(tmp_path / "elsewhere")

    assert "TMPDIR" in run({"TMPDIR": str(tmp_path)}).stderr
