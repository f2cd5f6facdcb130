"""Builds libmlxc, the mlx-c interface as a shared library for C programs.

    python vendor/mlx-c/build.py --prefix DIR [--mlx DIR_OF_mlx_PACKAGE]

The library lands in ``DIR/lib`` and the headers in ``DIR/include/mlx/c``. It finds libmlx where
it was at build time; a second run with nothing changed compiles nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from generate import HERE, generate
from interface import read_interface

LIBRARY = "libmlxc.dylib" if sys.platform == "darwin" else "libmlxc.so"
FLAGS = ("-std=c++20", "-O2", "-fPIC", "-Wall", "-Wextra")


def build(prefix: Path, mlx: Path) -> Path:
    """Make ``prefix/lib/libmlxc`` and ``prefix/include/mlx/c``.

    Args:
        prefix: where to install; made if missing.
        mlx: the ``mlx`` folder of an MLX wheel, with ``include`` and ``lib``.

    Returns:
        The path of the library.

    Raises:
        subprocess.CalledProcessError: the compiler failed; its output went to stderr.
    """
    library = prefix / "lib" / LIBRARY
    stamp = prefix / "lib" / f"{LIBRARY}.sha256"
    digest = fingerprint(mlx)
    if library.exists() and stamp.exists() and stamp.read_text() == digest:
        return library
    library.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(HERE / "include", prefix / "include", dirs_exist_ok=True)
    with tempfile.TemporaryDirectory(dir=prefix) as folder:
        made = Path(folder)
        sources = generate(read_interface(HERE / "include"), made) + handwritten()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            objects = list(pool.map(lambda source: compile_source(source, made, mlx), sources))
        os.replace(link(objects, made, mlx), library)
    stamp.write_text(digest)
    return library


def handwritten() -> list[Path]:
    return sorted((HERE / "src").glob("*.cpp"))


def compiler() -> list[str]:
    return shlex.split(os.environ.get("CXX", "c++"))


def fingerprint(mlx: Path) -> str:
    """A digest of everything that decides what the library contains."""
    version = subprocess.run([*compiler(), "--version"], capture_output=True, check=True).stdout
    digest = hashlib.sha256(repr((compiler(), version, FLAGS, str(mlx.resolve()))).encode())
    inputs = [*HERE.glob("*.py"), *HERE.rglob("include/**/*.h"), *HERE.glob("src/*")]
    inputs.append(mlx / "include" / "mlx" / "version.h")
    for path in sorted(inputs):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def compile_source(source: Path, out: Path, mlx: Path) -> Path:
    made = out / f"{source.stem}.o"
    includes = [f"-I{HERE / 'src'}", f"-I{HERE / 'include'}", "-isystem", str(mlx / "include")]
    subprocess.run([*compiler(), *FLAGS, *includes, "-c", str(source), "-o", str(made)], check=True)
    return made


def link(objects: list[Path], out: Path, mlx: Path) -> Path:
    made = out / LIBRARY
    lib = (mlx / "lib").resolve()
    if sys.platform == "darwin":
        options = ["-dynamiclib", "-install_name", f"@rpath/{LIBRARY}"]
    else:
        options = ["-shared", f"-Wl,-soname,{LIBRARY}", "-Wl,--no-undefined"]
    names = [str(path) for path in objects]
    search = [f"-L{lib}", "-lmlx", f"-Wl,-rpath,{lib}"]
    subprocess.run([*compiler(), *options, *names, *search, "-o", str(made)], check=True)
    return made


def find_mlx() -> Path:
    """The ``mlx`` folder of the installed MLX wheel.

    Raises:
        FileNotFoundError: none is installed.
    """
    spec = importlib.util.find_spec("mlx")
    for place in (spec and spec.submodule_search_locations) or []:
        if (Path(place) / "include" / "mlx" / "version.h").exists():
            return Path(place)
    raise FileNotFoundError("no MLX headers are installed; pip install mlx-cpu, or give --mlx")


def main() -> None:
    parser = argparse.ArgumentParser(description="Build libmlxc, the mlx-c interface.")
    parser.add_argument("--prefix", type=Path, required=True, help="where to install")
    parser.add_argument("--mlx", type=Path, help="the mlx folder of an MLX wheel")
    args = parser.parse_args()
    print(build(args.prefix, args.mlx or find_mlx()))


if __name__ == "__main__":
    main()
