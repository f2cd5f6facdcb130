"""The vendored mlx-c interface as C programs and bindings meet it."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "vendor" / "mlx-c"
INCLUDE = VENDOR / "include"
HEADERS = sorted(path.name for path in (INCLUDE / "mlx" / "c").glob("*.h"))
LIBRARY = "libmlxc.dylib" if sys.platform == "darwin" else "libmlxc.so"
SUBJECTS = [
    "arrays",
    "managed_memory",
    "errors",
    "closures",
    "containers",
    "files",
    "devices",
    "options",
    "threads",
]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX C compiler")


@pytest.fixture(scope="module")
def interface() -> Any:
    """Everything that vendor/mlx-c/interface.py reads in the headers."""
    return script("interface").read_interface(INCLUDE)


@pytest.fixture(scope="module")
def prefix() -> Path:
    """libmlxc installed into the repository's build folder, compiled when it changed."""
    place = ROOT / "build" / "mlx-c"
    run_build(place)
    return place


def script(name: str) -> Any:
    """Import from vendor/mlx-c, which is a folder of scripts and not a package."""
    if str(VENDOR) not in sys.path:
        sys.path.append(str(VENDOR))
    return importlib.import_module(name)


def run_build(place: Path) -> Path:
    command = [sys.executable, str(VENDOR / "build.py"), "--prefix", str(place)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def compile_c(*arguments: str | Path) -> None:
    command = [
        *shlex.split(os.environ.get("CC", "cc")),
        "-Wall",
        "-Wextra",
        "-Werror",
        *map(str, arguments),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("suffix", "standard"), [("c", "c99"), ("c", "c11"), ("cpp", "c++17"), ("cpp", "c++20")]
)
def test_every_header_compiles_alone(tmp_path: Path, suffix: str, standard: str) -> None:
    for header in HEADERS:
        source = tmp_path / f"{Path(header).stem}.{suffix}"
        source.write_text(f'#include "mlx/c/{header}"\n')
    compile_c(f"-std={standard}", f"-I{INCLUDE}", "-fsyntax-only", *tmp_path.glob("*"))


def test_umbrella_includes_every_header() -> None:
    text = (INCLUDE / "mlx" / "c" / "mlx.h").read_text()
    included = re.findall(r'#include "mlx/c/([\w.]+)"', text)
    assert sorted([*included, "mlx.h"]) == HEADERS


def test_interface_is_complete(interface: Any) -> None:
    names = [function.name for function in interface.functions]
    assert len(names) == len(set(names)) == 620
    # 518 ints, and all but three of these a status.
    assert sum(function.returns == "int" for function in interface.functions) == 518
    assert len(interface.structs) == 34
    assert [enum.name for enum in interface.enums] == [
        "mlx_dtype",
        "mlx_device_type",
        "mlx_compile_mode",
        "mlx_fft_norm",
    ]


def test_prototypes_are_read_as_the_compiler_reads_them(interface: Any, tmp_path: Path) -> None:
    """Each prototype the parser found is declared again: C refuses a different one."""
    source = tmp_path / "again.c"
    half = "\n".join(
        f"#ifndef HAS_{n}\n#define {n.lower()}_t void\n#endif" for n in ("FLOAT16", "BFLOAT16")
    )
    source.write_text(
        '#include "mlx/c/mlx.h"\n'
        + half
        + "\n"
        + "".join(f"{function.text};\n" for function in interface.functions)
    )
    compile_c("-std=c11", f"-I{INCLUDE}", "-fsyntax-only", source)


def test_parser_refuses_what_it_cannot_read(tmp_path: Path) -> None:
    folder = tmp_path / "mlx" / "c"
    folder.mkdir(parents=True)
    (folder / "mlx.h").write_text("int fine(void);\nunion { int a; } odd;\n")
    with pytest.raises(ValueError, match="mlx.h: cannot read 'union"):
        script("interface").read_interface(tmp_path)


def test_cffi_takes_the_cdef_and_compiles_it(interface: Any, tmp_path: Path) -> None:
    cffi = pytest.importorskip("cffi")
    ffi = cffi.FFI()
    ffi.cdef(script("interface").cdef(interface))
    assert ffi.sizeof("mlx_array") == ffi.sizeof("void*")
    ffi.set_source("_interface", '#include "mlx/c/mlx.h"')
    ffi.emit_c_code(str(tmp_path / "_interface.c"))
    python = sysconfig.get_path("include")
    source = tmp_path / "_interface.c"
    compile_c("-w", f"-I{INCLUDE}", f"-I{python}", "-fsyntax-only", source)


def test_generated_glue_is_the_same_on_every_run(interface: Any, tmp_path: Path) -> None:
    texts = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        paths = script("generate").generate(interface, tmp_path / name)
        texts.append([path.read_text() for path in paths])
    assert texts[0] == texts[1]
    wrapped = re.findall(r'^extern "C" [^(]*?(\w+)\(', "".join(texts[0]), flags=re.MULTILINE)
    names = {function.name for function in interface.functions}
    assert sorted(wrapped) == sorted(names - script("generate").WHOLE)


def test_every_rule_of_the_generator_is_used(interface: Any) -> None:
    generate = script("generate")
    names = [f.name for f in interface.functions]
    regular = [n for n in names if not any(re.fullmatch(p, n) for p, _ in generate.IRREGULAR)]
    for rules, candidates in ((generate.IRREGULAR, names), (generate.PATTERNS, regular)):
        for pattern, _ in rules:
            assert any(re.fullmatch(pattern, name) for name in candidates), pattern


def test_library_exports_every_function(prefix: Path, interface: Any) -> None:
    library = prefix / "lib" / LIBRARY
    flag = "-gU" if sys.platform == "darwin" else "-D"
    listing = subprocess.run(["nm", flag, str(library)], capture_output=True, text=True, check=True)
    exported = {line.split()[-1] for line in listing.stdout.splitlines()}
    prefixed = "_" if sys.platform == "darwin" else ""
    names = [f.name for f in interface.functions]
    assert [name for name in names if prefixed + name not in exported] == []


def test_second_build_compiles_nothing(prefix: Path) -> None:
    library = prefix / "lib" / LIBRARY
    before = library.stat().st_mtime_ns
    assert run_build(prefix) == library
    assert library.stat().st_mtime_ns == before


@pytest.fixture(scope="module")
def program_output(
    prefix: Path, tmp_path_factory: pytest.TempPathFactory
) -> subprocess.CompletedProcess[str]:
    """What the C program prints when run against the library."""
    folder = tmp_path_factory.mktemp("mlx_c")
    program = folder / "program"
    lib = prefix / "lib"
    compile_c(
        *("-std=c11", "-g", "-pthread", "-DWITH_ERROR_KIND", f"-I{prefix / 'include'}"),
        *(*(Path(__file__).parent / "program").glob("*.c"), "-o", program),
        *(f"-L{lib}", "-lmlxc", "-lm", f"-Wl,-rpath,{lib}"),
    )
    return subprocess.run([str(program), str(folder)], capture_output=True, text=True)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_c_program_works(program_output: subprocess.CompletedProcess[str], subject: str) -> None:
    assert f"ok {subject}" in program_output.stdout.splitlines(), program_output.stdout


def test_c_program_ends_well(program_output: subprocess.CompletedProcess[str]) -> None:
    assert program_output.returncode == 0, program_output.stdout + program_output.stderr
    assert len(program_output.stdout.splitlines()) == len(SUBJECTS)


def test_default_handler_prints_and_exits(prefix: Path, tmp_path: Path) -> None:
    source = tmp_path / "fails.c"
    source.write_text(
        '#include "mlx/c/mlx.h"\nint main(void) { mlx_array_eval(mlx_array_new()); return 0; }\n'
    )
    lib = prefix / "lib"
    program = tmp_path / "fails"
    compile_c(
        *("-std=c11", f"-I{prefix / 'include'}", source, "-o", program),
        *(f"-L{lib}", "-lmlxc", f"-Wl,-rpath,{lib}"),
    )
    done = subprocess.run([str(program)], capture_output=True, text=True)
    assert done.returncode == 255
    assert "expected a non-empty mlx_array" in done.stderr
