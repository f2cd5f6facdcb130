"""What is in a GGUF file: the table of its tensors, their bytes, and the metadata."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from mmap import ACCESS_READ, PAGESIZE, mmap

from ._decode import decode
from ._header import (
    ALIGNMENT,
    ALIGNMENTS,
    DEFAULT_ALIGNMENT,
    NUMBERS,
    Field,
    Header,
    UnsupportedError,
)
from ._types import TYPES, GgufType

MAX_RANK = 8
MAX_DIMENSION = 2**31 - 1


@dataclass(frozen=True)
class GgufTensor:
    """One entry of the tensor table.

    Attributes:
        name: the name.
        shape: rows first, as numpy and MLX write it; the file stores the reverse.
        type: how the numbers are stored.
        offset: where the data begins, in bytes from the start of the file.
        nbytes: the length of the data.
    """

    name: str
    shape: tuple[int, ...]
    type: GgufType
    offset: int
    nbytes: int


class GgufMetadata(Mapping[str, object]):
    """The metadata of a file; a value is an int, float, bool, str, or a list of these or of lists.

    A list is decoded when it is first asked for, because the list of a vocabulary is long.

    Raises:
        ValueError: a list that is asked for has a text that is not UTF-8.
    """

    def __init__(self, fields: Mapping[str, Field], file: str) -> None:
        self._fields = fields
        self._file = file
        self._values = {key: self._decoded(key) for key in fields if fields[key].length is None}

    def __getitem__(self, key: str) -> object:
        if key not in self._values:
            self._values[key] = self._decoded(key)
        return self._values[key]

    def _decoded(self, key: str) -> object:
        field = self._fields[key]
        count = 1 if field.length is None else field.length
        try:
            values = decode(bytes(field.content), field.kind, count)
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{self._file} is malformed: the text of {key} must be UTF-8, got {error.reason}"
            ) from None
        return values[0] if field.length is None else values

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def code(self, key: str) -> str | None:
        """The struct code of the number or numbers under `key`, None where there are none."""
        return NUMBERS.get(self._fields[key].kind)

    def numbers(self, key: str) -> memoryview:
        """The bytes of the number or numbers under `key`."""
        return self._fields[key].content


class GgufFile:
    """A GGUF file whose header was checked against its size.

    Args:
        data: the bytes of the whole file, which are not copied.
        name: what to call it in messages.

    Attributes:
        name: as given.
        version: 2 or 3.
        metadata: the values of the header, by key, in file order.
        tensors: the tensor table, by tensor name, in file order.

    Raises:
        ValueError: the file breaks a rule of the format.
        UnsupportedError: another version, big-endian data, or an unknown tensor type.

    Example:
        >>> import io
        >>> import mlxc as mx
        >>> saved = io.BytesIO()
        >>> mx.save_gguf(saved, {"w": mx.ones((2, 3))}, {"general.name": "ones"})
        >>> file = mx.gguf.GgufFile(saved.getbuffer(), "ones.gguf")
        >>> file.metadata["general.name"], file.tensors["w"].shape, file.data("w").nbytes
        ('ones', (2, 3), 24)
    """

    def __init__(self, data: bytes | bytearray | memoryview, name: str) -> None:
        self.name = name
        self._data = memoryview(data).cast("B").toreadonly()
        header = Header(self._data, name)
        self.version = header.version()
        tensor_count = header.count("tensor count", minimum_bytes=24)
        metadata_count = header.count("metadata count", minimum_bytes=13)
        self.metadata = _metadata(header, metadata_count)
        self.tensors = _tensors(header, tensor_count, _alignment(header, self.metadata))
        _check_extents(header, self.tensors, len(self._data))

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> GgufFile:
        """Map the file at `path`, for as long as it or any view of its data lives.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it is not a regular file, or breaks a rule of the format.
        """
        name = os.fspath(path)
        # A pipe or a device would block or lie about its size.
        found = os.stat(name)
        if not stat.S_ISREG(found.st_mode):
            raise ValueError(f"{name} is not a regular file; give the path of a .gguf file")
        if found.st_size == 0:
            raise ValueError(f"{name} is truncated: it is empty")
        with open(name, "rb") as file:
            return cls(memoryview(mmap(file.fileno(), 0, access=ACCESS_READ)), name)

    def data(self, name: str) -> memoryview:
        """The bytes of the tensor `name`, a read-only view of the file."""
        tensor = self.tensors[name]
        return self._data[tensor.offset : tensor.offset + tensor.nbytes]

    def release(self, name: str) -> None:
        """Let go of the memory that the bytes of the tensor `name` have taken since they were read.

        They can be read again, from the file. Nothing happens where the system has no way to say
        so, or if the file is not mapped.
        """
        mapped = self._data.obj
        if sys.platform != "linux" or not isinstance(mapped, mmap):
            return
        from mmap import MADV_DONTNEED

        tensor = self.tensors[name]
        first = -(-tensor.offset // PAGESIZE) * PAGESIZE
        last = (tensor.offset + tensor.nbytes) // PAGESIZE * PAGESIZE
        if first < last:
            mapped.madvise(MADV_DONTNEED, first, last - first)


def _metadata(header: Header, count: int) -> GgufMetadata:
    fields: dict[str, Field] = {}
    for _ in range(count):
        key = header.name("metadata key")
        if key in fields:
            header.fail("a metadata key must be unique", key)
        fields[key] = header.field(key)
    return GgufMetadata(fields, header.file)


def _alignment(header: Header, metadata: GgufMetadata) -> int:
    if ALIGNMENT not in metadata:
        return DEFAULT_ALIGNMENT
    value = metadata[ALIGNMENT]
    if not isinstance(value, int) or metadata.code(ALIGNMENT) != "I" or value not in ALIGNMENTS:
        header.fail(f"{ALIGNMENT} must be a uint32 that is one of {ALIGNMENTS}", value)
    return value


def _tensors(header: Header, count: int, alignment: int) -> dict[str, GgufTensor]:
    entries: dict[str, tuple[tuple[int, ...], GgufType, int]] = {}
    for _ in range(count):
        name = header.name("tensor name")
        if name in entries:
            header.fail("a tensor name must be unique", name)
        entries[name] = _entry(header, name, alignment)
    start = -(-header.at // alignment) * alignment
    return {
        name: GgufTensor(name, shape, kind, start + offset, prod(shape) // kind.block * kind.size)
        for name, (shape, kind, offset) in entries.items()
    }


def _entry(header: Header, name: str, alignment: int) -> tuple[tuple[int, ...], GgufType, int]:
    rank = header.u32(f"rank of {name}")
    if rank > MAX_RANK:
        header.fail(f"the rank of {name} must be at most {MAX_RANK}", rank)
    shape = tuple(header.u64(f"dimension of {name}") for _ in range(rank))[::-1]
    if max(shape, default=0) > MAX_DIMENSION:
        header.fail(f"the dimensions of {name} must be at most {MAX_DIMENSION}", shape)
    type_id = header.u32(f"type of {name}")
    if type_id not in TYPES:
        known = ", ".join(known.name for known in TYPES.values())
        raise UnsupportedError(
            f"{header.file}: tensor {name} has the unknown type {type_id}; known are {known}"
        )
    kind = TYPES[type_id]
    if (shape[-1] if shape else 1) % kind.block:
        header.fail(f"a row of {name} ({kind.name}) must be a multiple of {kind.block}", shape)
    offset = header.u64(f"offset of {name}")
    if offset % alignment:
        header.fail(f"the offset of {name} must be a multiple of {alignment}", offset)
    return shape, kind, offset


def _check_extents(header: Header, tensors: Mapping[str, GgufTensor], size: int) -> None:
    end = 0
    for tensor in sorted(tensors.values(), key=lambda tensor: (tensor.offset, tensor.nbytes)):
        if tensor.offset < end:
            header.fail(f"tensor {tensor.name} must not overlap another", tensor.offset)
        end = tensor.offset + tensor.nbytes
        if end > size:
            header.fail(f"tensor {tensor.name} must end within {size} bytes", end)
