"""Builds `mlxc._ffi._mlx`: the mlx-c interface as one cffi extension module.

The headers in vendor/mlx-c, and extras.h and cpu/cpu.h of mlxc/_native for what mlx-c lacks, are
the only place where a C function of MLX is declared.
From them come the cdef, the glue to libmlx, and a second form of every function
that makes an array: `h_add(a, b, s)` takes handles as integers and returns the
new handle, 0 on failure, which saves cffi a struct and an out-parameter a call.

    python build_ffi.py --print     shows the cdef

`MLXC_PREFIX=/opt/homebrew` builds against the mlx-c installed there instead.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from cffi import FFI
from setuptools import Extension
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
VENDOR = Path("vendor/mlx-c")
NATIVE = Path("mlxc/_native")
KERNELS = NATIVE / "cpu" / "kernels"
EXTRAS = ("extras.h", "cpu/cpu.h")
OF_HANDLES = (
    *("handle.c", "callback.c", "cut.c", "dlpack.c"),
    *("let_go.c", "quick.c", "strings.c"),
)
MODULE = "mlxc._ffi._mlx"
FORWARDER = "libmlxc_blas.so"
ALLOCATOR = "libmlxc_allocator.so"
RECORD = "_built.py"
CXX = ["-std=c++20"]
C = ["-std=c11", "-Werror=implicit-function-declaration", "-Werror=incompatible-pointer-types"]
LIMITED_API = ("Py_LIMITED_API", "0x030b0000")


def vendor_module(name: str) -> ModuleType:
    """Import a module of vendor/mlx-c, which is a folder of scripts, not a package."""
    if str(ROOT / VENDOR) not in sys.path:
        sys.path.insert(0, str(ROOT / VENDOR))
    return importlib.import_module(name)


# --- the second form of the functions -------------------------------------------------

RESULTS = ("mlx_array*", "mlx_vector_array*", "mlx_closure*", "mlxc_decoder*")
OPTIONALS = {"mlx_optional_int": "int", "mlx_optional_float": "float", "mlx_optional_dtype": "int"}


def second_form(function: Any, interface: Any) -> tuple[str, str] | None:
    """Declaration and definition of `h_NAME` for a function that makes arrays or a handle.

    That is one array, vector, closure or decoder, which is returned, or two vectors, which are set
    in `results` beside a status. Handles become integers, a vector of arrays a pointer and a
    length, an optional value a value and a flag, and a null stream the calling thread's default.
    """
    if function.returns != "int" or not function.params:
        return None
    made = [param for param in function.params if re.fullmatch(r"res(_\d)?", param.name)]
    types = [param.type for param in made]
    two = types == ["mlx_vector_array*"] * 2
    if not two and (len(types) != 1 or types[0] not in RESULTS):
        return None
    params = ["uintptr_t* results"] if two else []
    arguments = [f"&{param.name}" for param in made]
    before = "".join(f"  {param.type.removesuffix('*')} {param.name} = {{0}};\n" for param in made)
    after = ""
    for param in function.params[len(made) :]:
        bare = param.type.removeprefix("const ")
        if bare == "mlx_stream":
            params.append(f"uintptr_t {param.name}")
            given = f"(mlx_stream){{(void*){param.name}}}"
            arguments.append(f"{param.name} ? {given} : mlxc_default_stream()")
        elif bare == "mlx_vector_array":
            params += [f"const uintptr_t* {param.name}", f"size_t {param.name}_num"]
            vector = f"mlx_vector_array_new_data((const mlx_array*){param.name}, {param.name}_num)"
            before += f"  mlx_vector_array {param.name}_ = {vector};\n"
            after += f"  mlx_vector_array_free({param.name}_);\n"
            arguments.append(f"{param.name}_")
        elif bare in interface.handles:
            params.append(f"uintptr_t {param.name}")
            arguments.append(f"({bare}){{(void*){param.name}}}")
        elif bare in OPTIONALS:
            params += [f"{OPTIONALS[bare]} {param.name}", f"bool has_{param.name}"]
            arguments.append(f"({bare}){{{param.name}, has_{param.name}}}")
        elif "(" in bare or bare in ("void*", "void**"):
            return None
        else:
            params.append(param.text)
            arguments.append(param.name)
    name = re.sub("^mlxc?_", "h_", function.name)
    head = f"{'int' if two else 'uintptr_t'} {name}({', '.join(params) or 'void'})"
    if two:
        after += "".join(f"  results[{i}] = (uintptr_t)res_{i}.ctx;\n" for i in range(2))
    definition = (
        f"static {head} {{\n"
        f"{before}"
        f"  int status = {function.name}({', '.join(arguments)});\n"
        f"{after}"
        f"  return {'status' if two else 'status ? 0 : (uintptr_t)res.ctx'};\n"
        f"}}\n"
    )
    return f"{head};", definition


def cdef_and_preamble() -> tuple[str, str]:
    """Everything cffi is told: the declarations, and the C they are compiled with."""
    vendor = vendor_module("interface")
    interface = vendor.read_interface(ROOT / VENDOR / "include")
    for header in EXTRAS:
        structs, text = vendor.read_structs(header, vendor.declarations(ROOT / NATIVE / header))
        functions = (*interface.functions, *vendor.read_functions(header, text))
        structs = (*interface.structs, *structs)
        interface = replace(interface, structs=structs, functions=functions)
    forms = [form for f in interface.functions if (form := second_form(f, interface))]
    # mlx-c has these only where the compiler has half types; they are read as bytes instead.
    functions = tuple(f for f in interface.functions if not f.name.endswith("float16"))
    interface = replace(interface, functions=functions)
    own = (ROOT / NATIVE / "ffi_cdef.h").read_text()
    declarations = [vendor.cdef(interface), own, *(declaration for declaration, _ in forms)]
    includes = [f'#include "{header}"' for header in ("ffi_preamble.h", *EXTRAS)]
    preamble = [*includes, *(definition for _, definition in forms)]
    return "\n".join(declarations), "\n".join(preamble)


# --- where libmlx and mlx-c are -------------------------------------------------------


BACKEND = "mlx-metal" if sys.platform == "darwin" else "mlx-cpu"


def mlx_folder() -> Path:
    """The `mlx` folder of the backend wheel: headers in `include`, libmlx in `lib`."""
    spec = importlib.util.find_spec("mlx")
    for place in (spec.submodule_search_locations or []) if spec else []:
        if (Path(place) / "include" / "mlx" / "mlx.h").exists():
            return Path(place)
    raise SystemExit(
        "build_ffi: no MLX headers in this environment; install a backend wheel first, "
        f"as in: pip install {BACKEND}"
    )


def mlx_version(mlx: Path) -> str:
    header = (mlx / "include" / "mlx" / "version.h").read_text()
    parts = [re.search(rf"MLX_VERSION_{p} (\d+)", header) for p in ("MAJOR", "MINOR", "PATCH")]
    return ".".join(part[1] for part in parts if part)


@dataclass(frozen=True)
class Interface:
    """Where the implementation of mlx-c comes from."""

    include_dirs: list[Path]
    sources: list[Path]
    libraries: list[str]
    library_dirs: list[str]
    macros: list[tuple[str, str | None]]


def vendored_mlx_c(out: Path) -> Interface:
    """Our own glue, generated into `out` and compiled into the extension."""
    out.mkdir(parents=True, exist_ok=True)
    generated = vendor_module("generate").generate(
        vendor_module("interface").read_interface(ROOT / VENDOR / "include"), out
    )
    handwritten = sorted((VENDOR / "src").glob("*.cpp"))
    return Interface([VENDOR / "include", VENDOR / "src"], [*generated, *handwritten], [], [], [])


def installed_mlx_c(prefix: Path, mlx: Path) -> Interface:
    """An mlx-c installed below `prefix`, static or shared, maybe with its MLX."""
    if not (prefix / "include" / "mlx" / "c" / "mlx.h").exists():
        raise SystemExit(f"build_ffi: MLXC_PREFIX={prefix} has no include/mlx/c/mlx.h")
    libraries = [
        found for place in ("lib*", "lib*/*") for found in prefix.glob(f"{place}/libmlxc.*")
    ]
    folders = [str(path.parent) for path in libraries if path.suffix in (".so", ".dylib", ".a")]
    if not folders:
        raise SystemExit(f"build_ffi: MLXC_PREFIX={prefix} has no lib/libmlxc")
    if (prefix / "include" / "mlx" / "version.h").exists():
        theirs, ours = mlx_version(prefix), mlx_version(mlx)
        if theirs != ours:
            raise SystemExit(
                f"build_ffi: MLXC_PREFIX={prefix} has MLX {theirs}, but the backend installed "
                f"here is {ours}: pip install {BACKEND}=={theirs}"
            )
    return Interface([prefix / "include"], [], ["mlxc"], folders[:1], [("MLXC_FOREIGN", None)])


# --- kernels --------------------------------------------------------------------------

X86, ARM = ("x86_64", "AMD64"), ("aarch64", "arm64")
OF_DOTS = ("quantized",)  # what dot products of bytes are for


def kernel_sources(out: Path) -> list[Path]:
    """One source for each file of kernels and instruction set of this machine's architecture."""
    machine = platform.machine()
    sets, dots = ("portable",), ()
    if machine in X86:
        sets, dots = ("portable", "avx2", "avx512"), ("avx_vnni",)
    elif machine in ARM:
        sets, dots = ("portable", "neon"), ("neon_dot",)
    sources = []
    out.mkdir(parents=True, exist_ok=True)
    for kernels in sorted((ROOT / KERNELS).glob("*.inl")):
        for isa in (*sets, *(dots if kernels.stem in OF_DOTS else ())):
            source = out / f"{kernels.stem}_{isa}.cpp"
            text = f'#define MLXC_ISA {isa}\n#define MLXC_{isa.upper()}\n#include "{kernels}"\n'
            if not source.exists() or source.read_text() != text:
                source.write_text(text)
            sources.append(source)
    return sources


# --- the extension --------------------------------------------------------------------


class BuildExt(build_ext):
    """Compiles several files at once, records what it built against, adds the forwarder."""

    def build_extension(self, ext: Extension) -> None:
        temp = Path(self.build_temp)
        prefix = os.environ.get("MLXC_PREFIX")
        mlx = mlx_folder()
        if prefix:
            mlx_c = installed_mlx_c(Path(prefix).resolve(), mlx)
        else:
            mlx_c = vendored_mlx_c(temp / "glue")
        self.prepare(ext, temp, mlx, mlx_c)
        self.compile_in_parallel()
        self.force = True  # another MLXC_PREFIX or MLX changes no source, but the result
        super().build_extension(ext)
        package = Path(self.get_ext_fullpath(ext.name)).parent
        if sys.platform == "linux":
            self.build_forwarder(package / FORWARDER)
        if sys.platform == "linux" and not prefix:  # before 0.32 MLX ends where a stream fails
            self.build_allocator(package / ALLOCATOR, mlx)
        (package / RECORD).write_text(
            '"""What the extension was built with. Written by build_ffi.py."""\n\n'
            f'MLX_VERSION = "{mlx_version(mlx)}"\n'
        )

    def copy_extensions_to_source(self) -> None:
        """For an editable install, where the package is the source folder."""
        super().copy_extensions_to_source()
        built = Path(self.build_lib, *MODULE.split(".")[:-1])
        for name in (FORWARDER, ALLOCATOR, RECORD):
            if (built / name).exists():
                self.copy_file(str(built / name), str(ROOT / "mlxc" / "_ffi" / name))

    def prepare(self, ext: Extension, temp: Path, mlx: Path, mlx_c: Interface) -> None:
        declarations, preamble = cdef_and_preamble()
        ffi = FFI()
        ffi.cdef(declarations)
        ffi.set_source(MODULE, preamble)
        source = temp / "_mlx.c"
        source.parent.mkdir(parents=True, exist_ok=True)
        ffi.emit_c_code(str(source))
        native = [*sorted(NATIVE.glob("*.cpp")), *sorted((NATIVE / "cpu").glob("*.cpp"))]
        native += [
            *kernel_sources(temp / "kernels"),
            *(NATIVE / name for name in OF_HANDLES),
            source,
        ]
        ext.sources = [str(path) for path in [*mlx_c.sources, *native]]
        ext.include_dirs = [str(path) for path in [*mlx_c.include_dirs, NATIVE, mlx / "include"]]
        ext.extra_compile_args = ["-O2", "-g0"]
        ext.define_macros = [LIMITED_API, *mlx_c.macros]
        ext.libraries = [*mlx_c.libraries, "mlx"]
        ext.library_dirs = [*mlx_c.library_dirs, str(mlx / "lib")]
        ext.runtime_library_dirs = mlx_c.library_dirs

    def compile_in_parallel(self) -> None:
        compiler = self.compiler
        compile_one = compiler._compile

        def compile(obj: str, src: str, ext: str, cc_args: list, extra: list, pp: list) -> None:
            language = CXX if src.endswith(".cpp") else C
            jobs.append(pool.submit(compile_one, obj, src, ext, cc_args, extra + language, pp))

        jobs: list[Future[None]] = []
        pool = ThreadPoolExecutor(os.cpu_count())
        link = compiler.link_shared_object

        def wait_then_link(*args: Any, **kwargs: Any) -> None:
            for job in jobs:
                job.result()
            link(*args, **kwargs)

        compiler._compile = compile
        compiler.link_shared_object = wait_then_link

    def build_forwarder(self, out: Path) -> None:
        """The library of plain BLAS names, whose jumps the loader fills."""
        source = str(ROOT / NATIVE / "blas.c")
        subprocess.run([*self.compiler.compiler_so, "-shared", source, "-o", str(out)], check=True)

    def build_allocator(self, out: Path, mlx: Path) -> None:
        """The library whose allocator libmlx calls, with nothing else to be seen of it."""
        source = str(ROOT / NATIVE / "preload" / "allocator.cpp")
        command = [*self.compiler.compiler_so_cxx, *CXX, "-O2", "-g0", "-fvisibility=hidden"]
        command += [f"-I{mlx / 'include'}", "-shared", source, "-o", str(out)]
        subprocess.run(command, check=True)


EXTENSION = Extension(MODULE, sources=[], language="c++", py_limited_api=True)


if __name__ == "__main__":
    if sys.argv[1:] != ["--print"]:
        raise SystemExit("usage: python build_ffi.py --print")
    print(cdef_and_preamble()[0])
