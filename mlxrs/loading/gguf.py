"""A checked reader of GGUF files, the container of the llama.cpp family.

The file is mapped, never copied: `GgufFile(path)` reads the header and hands out views of the
tensor bytes. Nothing in the header is believed before it was compared with the size of the file.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian.
"""

from __future__ import annotations

import mmap
import stat
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import NoReturn

from ..errors import FormatError, ModelNotFoundError, UnsupportedError
from .gguf_types import TYPES, GgufType

MAX_ENTRIES = 1 << 16  # metadata keys, or tensors
MAX_ELEMENTS = 1 << 24  # array elements of the whole metadata
MAX_NAME_BYTES = 1 << 10
MAX_ARRAY_DEPTH = 4
MAX_DIMENSIONS = 4
MAX_ALIGNMENT = 1 << 16
DEFAULT_ALIGNMENT = 32

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")

_STRING = 8
_ARRAY = 9
_SCALARS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}


@dataclass(frozen=True)
class GgufTensor:
    """One entry of the tensor table.

    `shape` is in row-major order (rows first, as numpy and MLX write it; the file stores the
    reverse). `offset` counts from the start of the file, `nbytes` is the length of the data.
    """

    name: str
    shape: tuple[int, ...]
    type: GgufType
    offset: int
    nbytes: int


class GgufFile:
    """A mapped GGUF file whose header was checked.

    Args:
        path: the file.

    Attributes:
        path: the file, as given.
        version: 2 or 3.
        metadata: every key of the header; a value is an int, float, bool, str or list of these.
        tensors: the tensor table, by tensor name, in file order.

    Raises:
        ModelNotFoundError: there is no such file.
        FormatError: the file breaks a rule of the format.
        UnsupportedError: another version, big-endian data, or an unknown tensor type.

    The mapping lives as long as this object or any view handed out by `data`.

    Example:
        >>> file = GgufFile("model.gguf")
        >>> file.metadata["general.architecture"]
        'llama'
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._mapping = _map(self.path)
        reader = _Reader(self.path, self._mapping)
        self.version = reader.version()
        tensor_count = reader.count("tensor count", minimum_bytes=24)
        metadata_count = reader.count("metadata count", minimum_bytes=13)
        self.metadata = reader.metadata(metadata_count)
        self.tensors = reader.tensors(tensor_count, _alignment(self.path, self.metadata))

    def data(self, name: str) -> memoryview:
        """Returns the bytes of the tensor `name` as a read-only view of the mapping."""
        tensor = self.tensors[name]
        return memoryview(self._mapping)[tensor.offset : tensor.offset + tensor.nbytes]


def _map(path: Path) -> mmap.mmap:
    try:
        # A pipe or a device would block or lie about its size.
        if not stat.S_ISREG(path.stat().st_mode):
            raise FormatError(f"{path}: not a regular file; give the path of a .gguf file")
        if path.stat().st_size == 0:
            raise FormatError(f"{path}: the file is empty; download it again")
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (FileNotFoundError, NotADirectoryError):
        raise ModelNotFoundError(f"{path}: no such file; check the path") from None


def _alignment(path: Path, metadata: dict[str, object]) -> int:
    value = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
    power_of_two = isinstance(value, int) and 0 < value <= MAX_ALIGNMENT and not value & (value - 1)
    if not (isinstance(value, int) and power_of_two):
        raise FormatError(
            f"{path}: general.alignment must be a power of two up to {MAX_ALIGNMENT}, "
            f"got {value!r}; the file is damaged"
        )
    return value


class _Reader:
    """A cursor over the header; every step is checked against the end of the file."""

    def __init__(self, path: Path, mapping: mmap.mmap) -> None:
        self._path = path
        self._data = mapping
        self._size = len(mapping)
        self._at = 0
        self._elements = 0

    def version(self) -> int:
        if self._data[:4] != b"GGUF":
            self._fail("the file must start with b'GGUF'", self._data[:4])
        self._at = 4
        version = self._u32("version")
        if version in (2, 3):
            return version
        if version in (2 << 24, 3 << 24):
            raise UnsupportedError(
                f"{self._path}: big-endian GGUF is not read; convert the file to little-endian"
            )
        raise UnsupportedError(
            f"{self._path}: GGUF version must be 2 or 3, got {version}; convert the file again"
        )

    def count(self, what: str, minimum_bytes: int) -> int:
        count = self._u64(what)
        limit = min(MAX_ENTRIES, (self._size - self._at) // minimum_bytes)
        if count > limit:
            self._fail(
                f"the {what} must be at most {limit} in a file of {self._size} bytes",
                count,
            )
        return count

    def metadata(self, count: int) -> dict[str, object]:
        metadata: dict[str, object] = {}
        for _ in range(count):
            key = self._name("metadata key")
            if key in metadata:
                self._fail("a metadata key must be unique", key)
            metadata[key] = self._value(key, self._u32(f"type of {key}"))
        return metadata

    def tensors(self, count: int, alignment: int) -> dict[str, GgufTensor]:
        entries: dict[str, tuple[tuple[int, ...], GgufType, int]] = {}
        for _ in range(count):
            name = self._name("tensor name")
            if name in entries:
                self._fail("a tensor name must be unique", name)
            entries[name] = self._tensor_entry(name, alignment)
        start = -(-self._at // alignment) * alignment
        tensors = {
            name: GgufTensor(
                name, shape, kind, start + offset, prod(shape) // kind.block * kind.size
            )
            for name, (shape, kind, offset) in entries.items()
        }
        self._check_extents(tensors)
        return tensors

    def _tensor_entry(self, name: str, alignment: int) -> tuple[tuple[int, ...], GgufType, int]:
        rank = self._u32(f"rank of {name}")
        if rank > MAX_DIMENSIONS:
            self._fail(f"the rank of {name} must be at most {MAX_DIMENSIONS}", rank)
        shape = tuple(self._u64(f"dimension of {name}") for _ in range(rank))[::-1]
        if 0 in shape:
            self._fail(f"the dimensions of {name} must be positive", shape)
        type_id = self._u32(f"type of {name}")
        kind = TYPES.get(type_id)
        if kind is None:
            known = ", ".join(known.name for known in TYPES.values())
            raise UnsupportedError(
                f"{self._path}: tensor {name} has the unknown type {type_id}; known are {known}"
            )
        if (shape[-1] if shape else 1) % kind.block:
            self._fail(
                f"a row of {name} ({kind.name}) must be a multiple of {kind.block}",
                shape,
            )
        offset = self._u64(f"offset of {name}")
        if offset % alignment:
            self._fail(f"the offset of {name} must be a multiple of {alignment}", offset)
        return shape, kind, offset

    def _check_extents(self, tensors: dict[str, GgufTensor]) -> None:
        end = 0
        for tensor in sorted(tensors.values(), key=lambda tensor: tensor.offset):
            if tensor.offset < end:
                self._fail(f"tensor {tensor.name} must not overlap another", tensor.offset)
            end = tensor.offset + tensor.nbytes
            if end > self._size:
                self._fail(f"tensor {tensor.name} must end within {self._size} bytes", end)

    def _value(self, key: str, type_id: int, depth: int = 0) -> object:
        if type_id == _STRING:
            return self._strings(key, 1)[0]
        if type_id == _ARRAY:
            return self._array(key, depth + 1)
        return self._scalars(key, type_id, 1)[0]

    def _array(self, key: str, depth: int) -> list[object]:
        if depth > MAX_ARRAY_DEPTH:
            self._fail(f"arrays in {key} must nest at most", MAX_ARRAY_DEPTH)
        type_id = self._u32(f"element type of {key}")
        count = self._u64(f"length of {key}")
        self._elements += count
        if self._elements > MAX_ELEMENTS:
            self._fail(f"the metadata must hold at most {MAX_ELEMENTS} array elements", key)
        if type_id == _STRING:
            return self._strings(key, count)
        if type_id == _ARRAY:
            return [self._array(key, depth + 1) for _ in range(count)]
        return self._scalars(key, type_id, count)

    def _scalars(self, key: str, type_id: int, count: int) -> list[object]:
        code = _SCALARS.get(type_id)
        if code is None:
            self._fail(f"the type of {key} must be a GGUF value type", type_id)
        layout = struct.Struct(f"<{count}{code}")
        start = self._skip(layout.size, key)
        return list(layout.unpack_from(self._data, start))

    def _strings(self, key: str, count: int) -> list[object]:
        # Half a million strings are not rare: this loop is the cost of opening a file.
        data, size, at = self._data, self._size, self._at
        length_at = _U64.unpack_from
        strings: list[object] = []
        try:
            for _ in range(count):
                start = at + 8
                at = start + length_at(data, at)[0]
                if at > size:
                    self._truncated(key, at)
                strings.append(data[start:at].decode())
        except struct.error:
            self._truncated(key, at + 8)
        except UnicodeDecodeError as error:
            self._fail(f"the text of {key} must be UTF-8", error.reason)
        self._at = at
        return strings

    def _name(self, what: str) -> str:
        start = self._skip(8, what)
        length = _U64.unpack_from(self._data, start)[0]
        if not 0 < length < MAX_NAME_BYTES:
            self._fail(f"the length of a {what} must be in 1..{MAX_NAME_BYTES - 1}", length)
        start = self._skip(length, what)
        name = self._data[start : self._at].decode(errors="replace")
        # Names stand in messages, so they must not move the cursor of a terminal.
        if not name.isprintable() or "\ufffd" in name:
            self._fail(f"a {what} must be printable UTF-8", name)
        return name

    def _u32(self, what: str) -> int:
        value: int = _U32.unpack_from(self._data, self._skip(4, what))[0]
        return value

    def _u64(self, what: str) -> int:
        value: int = _U64.unpack_from(self._data, self._skip(8, what))[0]
        return value

    def _skip(self, nbytes: int, what: str) -> int:
        start = self._at
        if nbytes > self._size - start:
            self._truncated(what, start + nbytes)
        self._at = start + nbytes
        return start

    def _truncated(self, what: str, end: int) -> NoReturn:
        raise FormatError(
            f"{self._path}: {what} must end within {self._size} bytes, but ends at {end}; "
            "the file is truncated or damaged: download it again"
        )

    def _fail(self, rule: str, value: object) -> NoReturn:
        raise FormatError(f"{self._path}: {rule}, got {value!r}; the file is damaged")
