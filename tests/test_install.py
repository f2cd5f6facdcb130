"""The package as it is installed: built from the source distribution, imported somewhere else."""

import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROVIDER = "accelerate" if sys.platform == "darwin" else "openblas"
PRODUCT = "import mlxc as mx; a = mx.ones((64, 64)); print((a @ a).sum().item())"
BLAS = "import mlxc as mx; print(mx.blas_info().provider)"
SDIST = "import sys; from setuptools.build_meta import build_sdist; build_sdist(sys.argv[1])"

linux = pytest.mark.skipif(sys.platform != "linux", reason="the choice of a BLAS is Linux's")
beside_mlx = pytest.mark.skipif(find_spec("mlx.core") is None, reason="mlx.core is not installed")


def run(*command: str | Path, cwd: Path, path: Path | None = None) -> str:
    """The output of a process that must succeed; `path` is all it can import from."""
    done = subprocess.run(
        command, cwd=cwd, env=environment(path), capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def environment(path: Path | None) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return inherited if path is None else {**inherited, "PYTHONPATH": str(path)}


@pytest.fixture(scope="module")
def install(tmp_path_factory):
    """A fresh environment with the wheel of the source distribution, and that wheel."""
    folder = tmp_path_factory.mktemp("install")
    ignored = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__", "*.so")
    shutil.copytree(ROOT, folder / "tree", ignore=ignored)
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    pip = (python, "-m", "pip", "install", "-qq")
    run(*pip, "setuptools>=77", "cffi>=2.0", cwd=folder)
    run(python, "-c", SDIST, folder, cwd=folder / "tree")
    shutil.rmtree(folder / "tree")
    [sdist] = folder.glob("*.tar.gz")
    run(python, "-m", "pip", "wheel", "-qq", "--no-deps", "-w", folder, sdist, cwd=folder)
    [wheel] = folder.glob("*.whl")
    run(*pip, f"{wheel}[cpu]", cwd=folder)
    return Install(python, wheel)


class Install:
    """A Python with the package in it."""

    def __init__(self, python: Path, wheel: Path) -> None:
        self.python = python
        self.wheel = wheel
        [self.site] = python.parents[1].glob("lib/python*/site-packages")

    def site_with(self, folder: Path, *, backends: list[str]) -> Path:
        """Another site-packages with the same packages, but these backends' records."""
        for entry in self.site.iterdir():
            is_backend = re.fullmatch(r"mlx(_.*\.dist-info)?", entry.name)
            if not is_backend or (backends and entry.name == "mlx"):
                (folder / entry.name).symlink_to(entry)
        for name in backends:
            (folder / f"{name}.dist-info").mkdir()
        return folder

    def failure(self, site: Path) -> str:
        """The last line of what `import mlxc` says with only `site` to import from."""
        done = subprocess.run(
            [self.python, "-S", "-c", "import mlxc"],
            cwd=site.parent,
            env=environment(site),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1
        return done.stderr.splitlines()[-1]


@pytest.fixture
def site(tmp_path):
    (tmp_path / "site").mkdir()
    return tmp_path / "site"


# --- the wheel ---


def test_one_wheel_serves_every_python_from_3_11(install):
    assert re.fullmatch(r"mlxrs-[\d.]+-cp311-abi3-\w+\.whl", install.wheel.name)


def test_the_wheel_holds_what_runs_and_nothing_of_the_build(install):
    names = zipfile.ZipFile(install.wheel).namelist()

    modules = [name for name in names if not name.startswith("mlxrs-")]
    data = {name for name in modules if not name.endswith(".py")}
    linux = ("blas", "allocator") if sys.platform == "linux" else ()
    preloaded = {f"mlxc/_ffi/libmlxc_{name}.so" for name in linux}
    assert data == {"mlxc/py.typed", "mlxrs/py.typed", "mlxc/_ffi/_mlx.abi3.so", *preloaded}
    assert {name.split("/")[0] for name in modules} == {"mlxc", "mlxrs"}
    assert "mlxc/_ffi/_built.py" in modules


# --- imports in a fresh process ---


def test_an_installed_wheel_computes_with_the_fast_blas(install, tmp_path):
    assert run(install.python, "-c", BLAS, cwd=tmp_path) == PROVIDER
    assert run(install.python, "-c", PRODUCT, cwd=tmp_path) == "262144.0"


def test_this_environment_computes_with_the_fast_blas(tmp_path):
    assert run(sys.executable, "-c", BLAS, cwd=tmp_path) == PROVIDER
    assert run(sys.executable, "-c", PRODUCT, cwd=tmp_path) == "262144.0"


@linux
@beside_mlx
def test_beside_mlx_core_the_first_to_load_libmlx_chooses_its_blas(tmp_path):
    after = "import mlx.core, mlxc; b = mlxc.blas_info(); print(b.provider, b.reason, sep='; ')"
    before = f"{BLAS}; import mlx.core; maps = open('/proc/self/maps').read().split()"
    count = "print(len({path for path in maps if path.endswith('/libmlx.so')}))"

    reason = "libmlx was loaded before mlxc; import mlxc first to use OpenBLAS"
    assert run(sys.executable, "-c", after, cwd=tmp_path) == f"reference; {reason}"
    assert run(sys.executable, "-c", f"{before}; {count}", cwd=tmp_path) == "openblas\n1"
    assert run(sys.executable, "-c", f"import mlx.core; {PRODUCT}", cwd=tmp_path) == "262144.0"


# --- backends that do not fit ---


@linux
def test_without_a_backend_the_import_names_what_to_install(install, site):
    message = install.failure(install.site_with(site, backends=[]))

    assert message == (
        'ImportError: mlxc needs libmlx, and no backend is installed: pip install "mlxrs[cpu]"'
    )


@linux
def test_a_backend_of_another_version_is_refused(install, site):
    message = install.failure(install.site_with(site, backends=["mlx_cpu-0.1.2"]))

    assert re.fullmatch(
        r"ImportError: mlxc was built with MLX ([\d.]+), but mlx-cpu 0\.1\.2 is installed: "
        r"pip install mlx-cpu==\1",
        message,
    )


@linux
def test_two_backends_over_one_libmlx_are_refused(install, site):
    backends = ["mlx_cpu-0.32.4", "mlx_cuda_13-0.32.4"]

    message = install.failure(install.site_with(site, backends=backends))

    assert re.fullmatch(
        r"ImportError: mlx-cpu and mlx-cuda-13 are both installed and overwrite each other's "
        r"libmlx: pip uninstall -y mlx-cpu mlx-cuda-13 && pip install mlx-cpu==[\d.]+",
        message,
    )
