"""Arrays in files: .npy, .npz and .safetensors.

A file is checked before it is believed, and written under another name and then renamed, so
that it appears whole or not at all.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

from ._device import cpu
from ._dtype import bfloat16, float64, uint16
from ._errors import check
from ._ffi import ffi, lib
from ._handle import Handle, as_array, at, wrap
from ._safetensors import read_header
from ._structs import c_array, c_stream, take_array

if TYPE_CHECKING:
    from numpy import ndarray

    from ._array import array
    from ._device import StreamOrDevice
    from ._handle import ArrayLike

__all__ = ["load", "save", "save_safetensors", "savez", "savez_compressed"]

PathLike: TypeAlias = str | os.PathLike[str]
Loaded: TypeAlias = "array | dict[str, array] | tuple[dict[str, array], dict[str, str]]"

FORMATS = ("npy", "npz", "safetensors")


def load(
    file: PathLike,
    /,
    format: str | None = None,
    return_metadata: bool = False,
    *,
    stream: StreamOrDevice = None,
) -> Loaded:
    """The array or arrays in a file; those of .npy and .safetensors are read when evaluated.

    Args:
        file: the path.
        format: "npy", "npz" or "safetensors"; None goes by the ending of the path.
        return_metadata: give the metadata of a .safetensors file too.
        stream: a stream or device of the CPU, which reads; None is its default stream.

    Returns:
        An array for "npy"; a dict of names to arrays, in the order of the file, for the others;
        with `return_metadata` a tuple of that dict and one of strings.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the format is unknown or has no metadata, or the file is malformed.
    """
    path = os.fspath(file)
    if format is None:
        format = os.path.splitext(path)[1][1:]
    if format not in FORMATS:
        raise ValueError(f"cannot load {path}: format must be one of {FORMATS}, got {format!r}")
    if return_metadata and format != "safetensors":
        raise ValueError(f"return_metadata is for safetensors; {path} is {format}")
    stream = cpu if stream is None else stream
    if format == "npy":
        return _load_npy(path, stream)
    if format == "npz":
        return _load_npz(path)
    arrays, metadata = _load_safetensors(path, stream)
    return (arrays, metadata) if return_metadata else arrays


def save(file: PathLike, arr: ArrayLike) -> None:
    """Save an array in the .npy format of numpy.

    Args:
        file: the path; .npy is appended if it ends in something else.
        arr: the array; bfloat16 is written as two opaque bytes an element.
    """
    arr = as_array(arr)
    with _written_whole(file, ".npy") as path:
        check(lib.mlx_save(os.fsencode(path), c_array(arr)))


def savez(file: PathLike, /, *args: ArrayLike, **kwargs: ArrayLike) -> None:
    """Save several arrays in the .npz format of numpy, uncompressed.

    Args:
        file: the path; .npz is appended if it ends in something else.
        args: arrays to be named arr_0, arr_1, ...
        kwargs: arrays by name.
    """
    _save_npz(file, args, kwargs, compressed=False)


def savez_compressed(file: PathLike, /, *args: ArrayLike, **kwargs: ArrayLike) -> None:
    """Save several arrays in the .npz format of numpy, compressed.

    Args:
        file: the path; .npz is appended if it ends in something else.
        args: arrays to be named arr_0, arr_1, ...
        kwargs: arrays by name.
    """
    _save_npz(file, args, kwargs, compressed=True)


def save_safetensors(
    file: PathLike, arrays: Mapping[str, array], metadata: Mapping[str, str] | None = None
) -> None:
    """Save named arrays in the safetensors format.

    Args:
        file: the path; .safetensors is appended if it ends in something else.
        arrays: names to arrays, of any type but float64, which the format's reader lacks.
        metadata: names to strings, written beside the arrays.

    Raises:
        TypeError: a name is not a string, an array not an array, or metadata not strings.
        ValueError: an array is float64, or a name contains a zero character.
    """
    for name, a in arrays.items():
        if not isinstance(a, Handle):
            raise TypeError(f"arrays[{name!r}] must be an array, got {type(a).__name__}")
        if a.dtype is float64:
            raise ValueError(f"arrays[{name!r}] is float64; use .astype(mlxc.float32)")
    values = lib.mlx_map_string_to_array_new()
    strings = lib.mlx_map_string_to_string_new()
    try:
        for name, a in arrays.items():
            key = _c_text(name, "a name in arrays")
            check(lib.mlx_map_string_to_array_insert(values, key, c_array(a)))
        for name, text in (metadata or {}).items():
            key, value = _c_text(name, "a name in metadata"), _c_text(text, f"metadata[{name!r}]")
            check(lib.mlx_map_string_to_string_insert(strings, key, value))
        with _written_whole(file, ".safetensors") as path:
            check(lib.mlx_save_safetensors(os.fsencode(path), values, strings))
    finally:
        lib.mlx_map_string_to_array_free(values)
        lib.mlx_map_string_to_string_free(strings)


def _c_text(text: str, what: str) -> bytes:
    if not isinstance(text, str):
        raise TypeError(f"{what} must be a string, got {text!r}")
    if "\0" in text:
        raise ValueError(f"{what} must not contain a zero character, got {text!r}")
    return text.encode()


@contextmanager
def _written_whole(file: PathLike, suffix: str) -> Iterator[str]:
    """A path to write to; when all went well, the file there takes its place under `file`."""
    path = os.path.realpath(os.fspath(file))
    path = path if path.endswith(suffix) else path + suffix
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"cannot save {path}: there is no folder {folder}")
    partial = os.path.join(folder, f".mlxc-{os.urandom(8).hex()}{suffix}")
    try:
        yield partial
        _sync(partial)
        os.replace(partial, path)
    except BaseException:
        if os.path.exists(partial):
            os.unlink(partial)
        raise
    if os.name == "posix":
        _sync(folder)


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- safetensors ----------------------------------------------------------------------


def _load_safetensors(path: str, stream: StreamOrDevice) -> tuple[dict[str, array], dict[str, str]]:
    names, metadata = read_header(path)
    values = ffi.new("mlx_map_string_to_array*", lib.mlx_map_string_to_array_new())
    strings = ffi.new("mlx_map_string_to_string*", lib.mlx_map_string_to_string_new())
    try:
        check(lib.mlx_load_safetensors(values, strings, os.fsencode(path), c_stream(stream)))
        return {name: _from_map(values[0], name) for name in names}, metadata
    finally:
        lib.mlx_map_string_to_array_free(values[0])
        lib.mlx_map_string_to_string_free(strings[0])


def _from_map(values: Any, name: str) -> array:
    result = ffi.new("mlx_array*")
    check(lib.mlx_map_string_to_array_get(result, values, name.encode()))
    return take_array(result)


# --- numpy ----------------------------------------------------------------------------

#: The header as numpy and MLX write it; MLX finds its parts by position.
NPY_HEADER = re.compile(
    rb"\{'descr': '([<>|])([biufcV])(\d)', 'fortran_order': (?:True|False), "
    rb"'shape': \(((?:\d+, ?)*\d*)\),? ?\} *\n"
)

NPY_TYPES = frozenset(
    {"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "V2"}
)


def _load_npy(path: str, stream: StreamOrDevice) -> array:
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if file.read(6) != b"\x93NUMPY":
            raise ValueError(f"{path} is not a .npy file")
        version = file.read(2)
        if version not in (b"\1\0", b"\2\0"):
            raise ValueError(f"{path} has version {version!r} of the .npy format; known are 1, 2")
        length = int.from_bytes(file.read(2 if version == b"\1\0" else 4), "little")
        header = file.read(length)
        available = size - file.tell()
    match = NPY_HEADER.fullmatch(header)
    if match is None:
        raise ValueError(f"{path} is malformed: unknown .npy header {header[:80]!r}")
    kind, itemsize = match[2].decode(), int(match[3])
    if f"{kind}{itemsize}" not in NPY_TYPES:
        raise ValueError(f"{path} holds the type {kind}{itemsize}, which arrays do not have")
    shape = [int(length) for length in re.findall(rb"\d+", match[4])]
    if (needed := prod(shape) * itemsize) != available or max(shape, default=0) >= 2**31:
        raise ValueError(
            f"{path} is truncated or malformed: shape {shape} takes {needed} bytes, "
            f"but {available} follow its header"
        )
    return wrap(lib.h_load(os.fsencode(path), at(stream)))


def _load_npz(path: str) -> dict[str, array]:
    import numpy

    with open(path, "rb") as file, numpy.load(file, allow_pickle=False) as archive:
        return {name: _from_numpy(archive[name]) for name in archive.files}


def _from_numpy(value: ndarray[Any, Any]) -> array:
    """An array of numpy's; two opaque bytes an element are bfloat16."""
    if value.dtype.str[1:] != "V2":
        return as_array(value)  # type: ignore[arg-type]
    bits = as_array(value.view("<u2"))  # type: ignore[arg-type]
    return wrap(lib.h_view(bits._h, bfloat16._code, 0))


def _save_npz(
    file: PathLike, args: Sequence[ArrayLike], kwargs: Mapping[str, ArrayLike], *, compressed: bool
) -> None:
    from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

    from numpy.lib.format import write_array

    named = {f"arr_{i}": value for i, value in enumerate(args)}
    if taken := named.keys() & kwargs.keys():
        raise ValueError(f"the names {sorted(taken)} are those of the arrays without one")
    method = ZIP_DEFLATED if compressed else ZIP_STORED
    with _written_whole(file, ".npz") as path, ZipFile(path, "w", method) as archive:
        for name, value in {**named, **kwargs}.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                write_array(member, _to_numpy(as_array(value)), allow_pickle=False)


def _to_numpy(a: array) -> ndarray[Any, Any]:
    import numpy

    if a.dtype is not bfloat16:
        return numpy.array(a)
    bits = wrap(lib.h_view(a._h, uint16._code, 0))
    return numpy.array(bits).view("V2")
