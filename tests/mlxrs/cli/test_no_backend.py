"""Without a backend wheel the command says in one line what to install, and a program gets why."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REMEDY = "mlxc needs libmlx, and no backend is installed: pip install"
SCRIPT = "import sys\nfrom mlxrs.cli import main\nsys.exit(main())\n"


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Runs Python where a package `mlx` without a library hides the one of the wheel."""
    (folder / "mlx").mkdir()
    (folder / "mlx" / "__init__.py").touch()
    path = os.pathsep.join([str(folder), *sys.path])
    return subprocess.run(
        [sys.executable, *command],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("script", [True, False], ids=["mlxrs", "python -m mlxrs"])
def test_the_command_says_what_to_install(tmp_path: Path, script: bool) -> None:
    (tmp_path / "mlxrs").write_text(SCRIPT)

    command = [str(tmp_path / "mlxrs")] if script else ["-m", "mlxrs"]
    done = run(tmp_path, *command, "models")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"mlxrs: error: {REMEDY}")
    assert done.stderr.count("\n") == 1


def test_a_program_gets_an_import_error(tmp_path: Path) -> None:
    program = "try:\n    import mlxrs\nexcept ImportError as error:\n    print(error)"

    done = run(tmp_path, "-c", program)

    assert done.stdout.startswith(REMEDY)
