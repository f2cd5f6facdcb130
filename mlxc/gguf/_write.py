"""Writing GGUF files, version 3."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, BinaryIO

from .._dtype import float16, float32, int8, int16, int32, uint32
from .._files import write_array
from .._handle import Handle
from ._arrays import NUMBERS, Metadata
from ._header import ALIGNMENT, ALIGNMENTS, DEFAULT_ALIGNMENT, LIST, STRING, fault_of_name
from ._header import NUMBERS as CODES

if TYPE_CHECKING:
    from .._array import array

WRITTEN = {float32: 0, float16: 1, int8: 24, int16: 25, int32: 26}
NUMBER_TYPES = {NUMBERS[code]: kind for kind, code in CODES.items() if code != "d"}


def check_writable(arrays: Mapping[str, array], metadata: Mapping[str, Metadata]) -> None:
    """Refuse what the format cannot hold.

    Raises:
        TypeError: a name, an array or a value of the metadata is of another type.
        ValueError: an array has a type that is not written, or metadata more than one axis; or a
            name is empty, too long or not printable.
    """
    for name, a in arrays.items():
        if not isinstance(name, str) or not isinstance(a, Handle):
            raise TypeError(f"arrays must map strings to arrays, got {name!r}: {a!r}")
        _check_name(name, "a name in arrays")
        if a.dtype not in WRITTEN:
            known = [dtype._name for dtype in WRITTEN]
            raise ValueError(f"arrays[{name!r}] is {a.dtype._name}; GGUF is written for {known}")
    for key, value in metadata.items():
        _check_name(key, "a name in metadata")
        if isinstance(value, Handle):
            if value.ndim > 1 or value.dtype not in NUMBER_TYPES:
                raise ValueError(
                    f"metadata[{key!r}] must have at most one axis and a type of "
                    f"{[dtype._name for dtype in NUMBER_TYPES]}"
                )
        elif not isinstance(value, str) and not (
            isinstance(value, list) and all(isinstance(item, str) for item in value)
        ):
            raise TypeError(f"metadata[{key!r}] must be an array, a string or a list of strings")
    _alignment(metadata)


def _alignment(metadata: Mapping[str, Metadata]) -> int:
    if ALIGNMENT not in metadata:
        return DEFAULT_ALIGNMENT
    value = metadata[ALIGNMENT]
    if not isinstance(value, Handle) or value.ndim or value.dtype is not uint32:
        raise ValueError(f"metadata[{ALIGNMENT!r}] must be a uint32, got {value!r}")
    if value.item() not in ALIGNMENTS:
        raise ValueError(f"metadata[{ALIGNMENT!r}] must be one of {ALIGNMENTS}, got {value!r}")
    return int(value.item())


def _check_name(name: str, what: str) -> None:
    if not isinstance(name, str):
        raise TypeError(f"{what} must be a string, got {name!r}")
    if fault := fault_of_name(name):
        raise ValueError(f"{what} {fault}, got {name[:80]!r}")


def write_gguf(
    file: BinaryIO, arrays: Mapping[str, array], metadata: Mapping[str, Metadata]
) -> None:
    """Write evaluated arrays and metadata, both checked, in their order."""
    alignment = _alignment(metadata)
    header = b"GGUF" + struct.pack("<IQQ", 3, len(arrays), len(metadata))
    for key, value in metadata.items():
        header += _text(key) + _typed(value)
    end = 0
    for name, a in arrays.items():
        header += _text(name) + struct.pack(f"<I{a.ndim}Q", a.ndim, *a.shape[::-1])
        header += struct.pack("<IQ", WRITTEN[a.dtype], end)
        end += -(-a.nbytes // alignment) * alignment
    file.write(header + bytes(-len(header) % alignment))
    for a in arrays.values():
        write_array(file, a)
        file.write(bytes(-a.nbytes % alignment))


def _text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def _typed(value: Metadata) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", STRING) + _text(value)
    if isinstance(value, list):
        return struct.pack("<IIQ", LIST, STRING, len(value)) + b"".join(map(_text, value))
    kind = NUMBER_TYPES[value.dtype]
    head = struct.pack("<IIQ", LIST, kind, value.size) if value.ndim else struct.pack("<I", kind)
    return head + memoryview(value).tobytes()
