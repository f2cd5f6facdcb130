"""Arrays in files: .npy, .npz, .safetensors and .gguf.

A file is checked before it is believed, and written under another name and then renamed, so
that it appears whole or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ._device import cpu
from ._dtype import float64
from ._errors import check
from ._eval import eval
from ._ffi import ffi, lib
from ._files import File, as_readable, name_of, size_left, writable
from ._handle import Handle, at, only_array, wrap
from ._mapping import maps_files
from ._npy import check_npy, read_npy, read_npz, write_npy, write_npz
from ._safetensors import map_safetensors, read_header, read_safetensors, write_safetensors
from ._structs import c_stream, take_array
from .gguf import GgufFile
from .gguf._arrays import read_arrays, read_metadata
from .gguf._write import check_writable, write_gguf

if TYPE_CHECKING:
    from ._array import array
    from ._device import StreamOrDevice
    from .gguf._arrays import Metadata

__all__ = ["load", "save", "save_gguf", "save_safetensors", "savez", "savez_compressed"]

Loaded: TypeAlias = "array | dict[str, array] | tuple[dict[str, array], dict[str, Any]]"

FORMATS = ("npy", "npz", "safetensors", "gguf")


def load(
    file: File,
    /,
    format: str | None = None,
    return_metadata: bool = False,
    *,
    stream: StreamOrDevice = None,
) -> Loaded:
    """The array or arrays in a file.

    Given by its path, a .safetensors file is mapped on the CPU: its arrays are there at once, take
    no memory until they are used, and share what the system keeps of the file with other
    processes. Deleting the file or renaming another over it, as saving here does, leaves them
    alone; but whoever writes into the file changes them, and whoever shortens it ends the process
    (SIGBUS) when it next reads what is gone. A GPU reads such a file, and every backend a .npy
    file, when the arrays are evaluated. An open file is read at once, from its position on.

    Args:
        file: the path, or a file open for reading bytes, which can seek.
        format: "npy", "npz", "safetensors" or "gguf"; None goes by the ending of the path or of
            the open file's name.
        return_metadata: give the metadata of a .safetensors or .gguf file too.
        stream: a stream or device of the CPU, which reads; None is its default stream.

    Returns:
        An array for "npy"; a dict of names to arrays, in the order of the file, for the others;
        with `return_metadata` a tuple of that dict and one of strings, for "gguf" of arrays,
        strings and lists of strings. Of a quantized tensor in GGUF (Q4_0, Q4_1 or Q8_0) come the
        packed codes, `scales` and `biases` that `dequantize` takes with a group size of 32.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the format is unknown or has no metadata, or the file is malformed: it is
            truncated, names an array twice, or would take far more memory than it has bytes.

    Example:
        >>> import io
        >>> import mlxc as mx
        >>> file = io.BytesIO()
        >>> mx.save(file, mx.array([1, 2]))
        >>> _ = file.seek(0)
        >>> mx.load(file, format="npy")
        array([1, 2], dtype=int32)
    """
    opened = as_readable(file)
    name = name_of(opened) if opened else os.fspath(file)  # type: ignore[arg-type]
    if format is None:
        format = os.path.splitext(name)[1][1:]
    if format not in FORMATS:
        raise ValueError(f"cannot load {name}: format must be one of {FORMATS}, got {format!r}")
    if return_metadata and format not in ("safetensors", "gguf"):
        raise ValueError(f"return_metadata is for safetensors and gguf; {name} is {format}")
    stream = cpu if stream is None else stream
    if format == "npy":
        return read_npy(opened) if opened else _load_npy(name, stream)
    if format == "npz":
        if opened:
            return read_npz(opened)
        with open(name, "rb") as archive:
            return read_npz(archive)
    arrays: dict[str, array]
    metadata: Mapping[str, object]
    if format == "gguf":
        stored = GgufFile(opened.read(), name) if opened else GgufFile.open(name)
        arrays = read_arrays(stored)
        metadata = read_metadata(stored) if return_metadata else {}
    else:
        arrays, metadata = read_safetensors(opened) if opened else _load_safetensors(name, stream)
    return (arrays, dict(metadata)) if return_metadata else arrays


def _load_npy(path: str, stream: StreamOrDevice) -> array:
    with open(path, "rb") as file:
        rest, dtype = check_npy(file, path, size_left(file))
        if rest:
            raise ValueError(f"{path} is malformed: {rest} bytes follow its array")
        if dtype == ">c8":  # MLX would exchange the real and imaginary parts
            file.seek(0)
            return read_npy(file)
    return wrap(lib.h_load(os.fsencode(path), at(stream)))


def _load_safetensors(path: str, stream: StreamOrDevice) -> tuple[dict[str, array], dict[str, str]]:
    with open(path, "rb") as file:
        header, metadata = read_header(file)
        if maps_files():
            at(stream)
            return map_safetensors(file, header), metadata
    values = ffi.new("mlx_map_string_to_array*", lib.mlx_map_string_to_array_new())
    strings = ffi.new("mlx_map_string_to_string*", lib.mlx_map_string_to_string_new())
    try:
        check(lib.mlx_load_safetensors(values, strings, os.fsencode(path), c_stream(stream)))
        return {name: _from_map(values[0], name) for name in header}, metadata
    finally:
        lib.mlx_map_string_to_array_free(values[0])
        lib.mlx_map_string_to_string_free(strings[0])


def _from_map(values: Any, name: str) -> array:
    result = ffi.new("mlx_array*")
    check(lib.mlx_map_string_to_array_get(result, values, name.encode()))
    return take_array(result)


def save(file: File, arr: array) -> None:
    """Save an array in the .npy format of numpy.

    Args:
        file: the path, to which .npy is appended if it ends in something else; or a file open
            for writing bytes.
        arr: the array; bfloat16 is written as two opaque bytes an element.

    Raises:
        TypeError: `arr` is not an array.

    Example:
        >>> import io
        >>> import mlxc as mx
        >>> file = io.BytesIO()
        >>> mx.save(file, mx.array([1, 2]))
        >>> file.getvalue()[:6]
        b'\\x93NUMPY'
    """
    arr = only_array(arr)
    eval(arr)
    with writable(file, ".npy") as opened:
        write_npy(opened, arr)


def savez(file: File, /, *args: array, **kwargs: array) -> None:
    """Save several arrays in the .npz format of numpy, uncompressed.

    Args:
        file: the path, to which .npz is appended if it ends in something else; or a file open
            for writing bytes.
        args: arrays to be named arr_0, arr_1, ...
        kwargs: arrays by name.

    Raises:
        TypeError: one of them is not an array.
        ValueError: an array by name has the name of one without.

    Example:
        >>> import io
        >>> import mlxc as mx
        >>> file = io.BytesIO()
        >>> mx.savez(file, mx.array([1, 2]), bias=mx.array([3]))
        >>> _ = file.seek(0)
        >>> mx.load(file, format="npz")
        {'arr_0': array([1, 2], dtype=int32), 'bias': array([3], dtype=int32)}
    """
    _savez(file, args, kwargs, compressed=False)


def savez_compressed(file: File, /, *args: array, **kwargs: array) -> None:
    """Save several arrays in the .npz format of numpy, compressed.

    Args:
        file: the path, to which .npz is appended if it ends in something else; or a file open
            for writing bytes.
        args: arrays to be named arr_0, arr_1, ...
        kwargs: arrays by name.

    Raises:
        TypeError: one of them is not an array.
        ValueError: an array by name has the name of one without.

    Example:
        >>> import io
        >>> import mlxc as mx
        >>> file = io.BytesIO()
        >>> mx.savez_compressed(file, weight=mx.zeros((1000,)))
        >>> len(file.getvalue()) < 1000
        True
    """
    _savez(file, args, kwargs, compressed=True)


def _savez(
    file: File, args: Sequence[array], kwargs: Mapping[str, array], *, compressed: bool
) -> None:
    named = {f"arr_{i}": value for i, value in enumerate(args)}
    if taken := named.keys() & kwargs.keys():
        raise ValueError(f"the names {sorted(taken)} are those of the arrays without one")
    arrays = {name: only_array(value) for name, value in {**named, **kwargs}.items()}
    eval(arrays)
    with writable(file, ".npz") as opened:
        write_npz(opened, arrays, compressed=compressed)


def save_safetensors(
    file: File, arrays: Mapping[str, array], metadata: Mapping[str, str] | None = None
) -> None:
    """Save named arrays in the safetensors format.

    Args:
        file: the path, to which .safetensors is appended if it ends in something else; or a file
            open for writing bytes.
        arrays: names to arrays, of any type but float64, which the format's reader lacks.
        metadata: names to strings, written beside the arrays.

    Raises:
        TypeError: a name is not a string, an array not an array, or metadata not strings.
        ValueError: an array is float64, or a name contains a zero character.

    Example:
        >>> import io
        >>> import mlxc as mx
        >>> file = io.BytesIO()
        >>> mx.save_safetensors(file, {"w": mx.ones((2,))}, {"format": "mlx"})
        >>> _ = file.seek(0)
        >>> mx.load(file, format="safetensors", return_metadata=True)
        ({'w': array([1, 1], dtype=float32)}, {'format': 'mlx'})
    """
    _check_named(arrays, "arrays")
    _check_named(metadata or {}, "metadata")
    for name, a in arrays.items():
        _check_text(name, "a name in arrays")
        if not isinstance(a, Handle):
            raise TypeError(f"arrays[{name!r}] must be an array, got {type(a).__name__}")
        if a.dtype is float64:
            raise ValueError(f"arrays[{name!r}] is float64; use .astype(mlxc.float32)")
    for name, text in (metadata or {}).items():
        _check_text(name, "a name in metadata")
        _check_text(text, f"metadata[{name!r}]")
    eval(list(arrays.values()))
    with writable(file, ".safetensors") as opened:
        write_safetensors(opened, arrays, metadata or {})


def save_gguf(
    file: File, arrays: Mapping[str, array], metadata: Mapping[str, Metadata] | None = None
) -> None:
    """Save named arrays in the GGUF format.

    Args:
        file: the path, to which .gguf is appended if it ends in something else; or a file open
            for writing bytes.
        arrays: names to arrays of float32, float16, int8, int16 or int32.
        metadata: names to strings, lists of strings, or arrays of at most one axis.

    Raises:
        TypeError: a name, an array or a value of the metadata is of another type.
        ValueError: an array has a type that the format does not have, or metadata too many axes.

    Example:
        >>> import io
        >>> import mlxc as mx
        >>> file = io.BytesIO()
        >>> mx.save_gguf(file, {"w": mx.ones((2,))}, {"general.name": "two ones"})
        >>> _ = file.seek(0)
        >>> mx.load(file, format="gguf", return_metadata=True)
        ({'w': array([1, 1], dtype=float32)}, {'general.name': 'two ones'})
    """
    _check_named(arrays, "arrays")
    _check_named(metadata or {}, "metadata")
    check_writable(arrays, metadata or {})
    eval(list(arrays.values()), list((metadata or {}).values()))
    with writable(file, ".gguf") as opened:
        write_gguf(opened, arrays, metadata or {})


def _check_named(values: object, what: str) -> None:
    if not isinstance(values, Mapping):
        raise TypeError(f"{what} must be a dict, got {type(values).__name__}")


def _check_text(text: str, what: str) -> None:
    if not isinstance(text, str):
        raise TypeError(f"{what} must be a string, got {text!r}")
    if "\0" in text:
        raise ValueError(f"{what} must not contain a zero character, got {text!r}")
