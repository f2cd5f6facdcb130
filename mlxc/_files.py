"""Files given by path or as open objects, and files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from ._errors import raise_last_error
from ._ffi import ffi, lib
from ._handle import wrap

if TYPE_CHECKING:
    from ._array import array

PathLike: TypeAlias = str | os.PathLike[str]
File: TypeAlias = PathLike | BinaryIO


def as_readable(file: File) -> BinaryIO | None:
    """The open file that `file` is, None if it is a path.

    Raises:
        ValueError: it is neither, or a file of text.
    """
    return _as_open(file, ("read", "seek", "tell"))


def _as_open(file: File, methods: tuple[str, ...]) -> BinaryIO | None:
    if isinstance(file, (str, os.PathLike)):
        if not os.fspath(file):
            raise ValueError("file must be a path or an open file, got an empty path")
        return None
    if not all(callable(getattr(file, method, None)) for method in methods):
        raise ValueError(
            f"file must be a path or an open file with {', '.join(methods)}; "
            f"got {type(file).__name__}"
        )
    if hasattr(file, "encoding"):
        raise ValueError(f"{name_of(file)} is open for text; open it with mode 'rb' or 'wb'")
    return file


def name_of(file: BinaryIO) -> str:
    """What to call an open file in messages."""
    return str(getattr(file, "name", f"the {type(file).__name__}"))


def size_left(file: BinaryIO) -> int:
    """How many bytes follow the position in an open file."""
    position = file.tell()
    end = file.seek(0, os.SEEK_END)
    file.seek(position)
    return end - position


def write_array(file: BinaryIO, a: array) -> None:
    """Write the bytes of an evaluated array in row-major order."""
    if a.size == 0:
        return
    flat = wrap(lib.h_contiguous(a._h, False, 0))
    if not (address := lib.h_data(flat._h)):
        raise_last_error()
    file.write(ffi.buffer(ffi.cast("char*", address), flat.nbytes))


@contextmanager
def writable(file: File, suffix: str) -> Iterator[BinaryIO]:
    """`file` itself if it is open; else a new file that takes its place when all went well."""
    opened = _as_open(file, ("write", "seek", "tell"))
    if opened is not None:
        yield opened
        return
    assert isinstance(file, (str, os.PathLike))
    path = os.path.realpath(os.fspath(file))
    path = path if path.endswith(suffix) else path + suffix
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"cannot save {path}: there is no folder {folder}")
    partial = os.path.join(folder, f".mlxc-{os.urandom(8).hex()}{suffix}")
    try:
        with open(partial, "xb") as new:
            yield new
            new.flush()
            os.fsync(new.fileno())
        os.replace(partial, path)
    except BaseException:
        if os.path.exists(partial):
            os.unlink(partial)
        raise
    if os.name == "posix":
        _sync_folder(folder)


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
