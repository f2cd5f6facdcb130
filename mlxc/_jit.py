"""Whether MLX can compile graphs here.

On the CPU it writes C++ to `mlx` in the folder for temporary files, compiles that with `g++`, and
loads the library that comes out. So there must be a compiler, and nobody else may write there.
"""

from __future__ import annotations

import os
import stat
import warnings
from functools import cache

from ._device import cpu, default_device

#: What C++ asks for the folder of temporary files, in its order.
TEMPORARY = ("TMPDIR", "TMP", "TEMP", "TEMPDIR")


def can_compile() -> bool:
    """Whether graphs can be compiled for the default device; warns once if they cannot."""
    if default_device().type is not cpu:
        return True
    folder = next((os.environ[name] for name in TEMPORARY if os.environ.get(name)), "/tmp")
    return _can_compile(os.environ.get("PATH"), folder)


@cache
def _can_compile(path: str | None, folder: str) -> bool:
    from shutil import which

    if which("g++", path=path) is None:
        _warn("needs the C++ compiler g++ on the CPU, and PATH has none; install it")
    elif not _is_private(os.path.join(folder, "mlx")):
        _warn(
            f"keeps libraries in {os.path.join(folder, 'mlx')}, where other users can write; set "
            "TMPDIR to a folder of your own"
        )
    else:
        return True
    return False


def _is_private(folder: str) -> bool:
    """Whether only this user can write to a folder, which is made if it is not there."""
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        found = os.lstat(folder)
    except OSError:
        return False
    others_write = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not others_write


@cache
def _warn(reason: str) -> None:
    warnings.warn(
        f"mlxc.compile {reason}, or call mlxc.disable_compile(). Compiled functions run as they "
        "are, which may be slower",
        RuntimeWarning,
        stacklevel=6,
    )
