"""Opens OpenBLAS, the BLAS forwarder, an allocator and libmlx, in the order that makes arrays fast.

libmlx binds its BLAS calls when it is first loaded. On Linux the official wheels carry the
slow reference BLAS, so the forwarder (the same names, leading into OpenBLAS) has to be in the
process before libmlx is; if another package loaded libmlx first, its choice stands. The same
holds for an allocator that raises where that of the CPU wheels goes on without memory.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from pathlib import Path
from typing import Any

import _cffi_backend

from ._built import MLX_VERSION

BACKENDS = ("mlx_cpu", "mlx_cuda_12", "mlx_cuda_13", "mlx_metal")
LIBMLX = "libmlx.dylib" if sys.platform == "darwin" else "libmlx.so"
LOCAL = _cffi_backend.RTLD_NOW | _cffi_backend.RTLD_LOCAL
GLOBAL = _cffi_backend.RTLD_NOW | _cffi_backend.RTLD_GLOBAL

#: Opened libraries; one that is collected would be closed.
_opened: list[object] = []


class Blas:
    """Which BLAS libmlx calls, and why; read by `mlxc.blas_info`."""

    provider = "reference"
    reason = ""
    library: str | None = None
    openblas: Any = None  # the opened library


blas = Blas()


def load() -> None:
    """Load libmlx so that the extension module can be imported.

    Raises:
        ImportError: no backend wheel is installed, more than one is, or one of another version
            than the extension was built with.
    """
    folder = _mlx_folder()
    libmlx = str(folder / "lib" / LIBMLX)
    if sys.platform == "darwin":
        blas.provider, blas.reason = "accelerate", "libmlx links Apple's Accelerate"
    elif _is_loaded(libmlx):
        blas.reason = "libmlx was loaded before mlxc; import mlxc first to use OpenBLAS"
    else:
        _open_blas()
        _open_allocator(folder)
    # A global libmlx on Linux would lend its reference BLAS to libraries that are loaded later.
    scope = GLOBAL if sys.platform == "darwin" else LOCAL
    _opened.append(_cffi_backend.load_library(libmlx, scope))


def _mlx_folder() -> Path:
    spec = importlib.util.find_spec("mlx")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if os.path.exists(os.path.join(place, "lib", LIBMLX)):
            _check_wheels(os.path.dirname(place))
            return Path(place)
    extra = "" if sys.platform == "darwin" else "[cpu]"
    raise ImportError(f'mlxc needs libmlx, and no backend is installed: pip install "mlxrs{extra}"')


def _check_wheels(site_packages: str) -> None:
    """Refuse two backends over one libmlx, and a version the extension does not fit."""
    pattern = re.compile(rf"({'|'.join(BACKENDS)})-(.+)\.dist-info")
    found = [match for name in os.listdir(site_packages) if (match := pattern.fullmatch(name))]
    names = sorted(match[1].replace("_", "-") for match in found)
    if len(names) > 1:
        raise ImportError(
            f"{' and '.join(names)} are both installed and overwrite each other's libmlx: "
            f"pip uninstall -y {' '.join(names)} && pip install {names[0]}=={MLX_VERSION}"
        )
    for match in found:
        if match[2] != MLX_VERSION:
            raise ImportError(
                f"mlxc was built with MLX {MLX_VERSION}, but {names[0]} {match[2]} is installed: "
                f"pip install {names[0]}=={MLX_VERSION}"
            )


def _is_loaded(path: str) -> bool:
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        return os.path.realpath(path) in maps.read()


def _open_allocator(mlx: Path) -> None:
    path = os.path.join(os.path.dirname(__file__), "libmlxc_allocator.so")
    on_cpu = any(name.startswith("mlx_cpu-") for name in os.listdir(mlx.parent))
    if on_cpu and os.path.exists(path):  # one built against an installed mlx-c has none
        _opened.append(_cffi_backend.load_library(path, GLOBAL))


def _open_blas() -> None:
    spec = importlib.util.find_spec("scipy_openblas32")
    places = (spec.submodule_search_locations or ()) if spec else ()
    folder = next((p for p in places if os.path.isdir(os.path.join(p, "lib"))), None)
    if folder is None:
        blas.reason = "scipy-openblas32 is not installed: pip install scipy-openblas32"
        return
    openblas = os.path.join(folder, "lib", "libscipy_openblas.so")
    forwarder = os.path.join(os.path.dirname(__file__), "libmlxc_blas.so")
    try:
        library = _cffi_backend.load_library(openblas, LOCAL)
        unseen = _cffi_backend.load_library(forwarder, LOCAL)
        _fill(unseen, openblas)
        _opened.extend((unseen, _cffi_backend.load_library(forwarder, GLOBAL)))
    except OSError as error:
        blas.reason = f"OpenBLAS could not be loaded: {error}"
        return
    blas.provider, blas.library, blas.openblas = "openblas", openblas, library
    blas.reason = "the forwarder was loaded before libmlx"


def _fill(forwarder: Any, openblas: str) -> None:
    """Point the forwarder's jumps into OpenBLAS, before libmlx can see them."""
    text = _cffi_backend.new_pointer_type(_cffi_backend.new_primitive_type("char"))
    function = _cffi_backend.new_function_type((text,), text, False)
    wrong = forwarder.load_function(function, "mlxc_blas_forward_to")(os.fsencode(openblas))
    if wrong:
        raise OSError(_cffi_backend.string(wrong).decode())
