"""The GGUF format, little-endian, versions 2 and 3: read with every length checked, and written.

A file is a header (numbers, strings and lists by name, and a table of tensors) and the tensors'
bytes. Blocks of 32 numbers with a scale of their own become MLX's affine triples:

    Q4_0   scale * (code - 8)
    Q4_1   scale * code + offset
    Q8_0   scale * signed code

Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, and ggml-common.h beside it.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from ._convert import new_array
from ._dtype import (
    bfloat16,
    bool_,
    float16,
    float32,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)
from ._errors import raise_last_error
from ._ffi import ffi, lib
from ._handle import Handle, wrap

if TYPE_CHECKING:
    from numpy import ndarray

    from ._array import array

Metadata: TypeAlias = "array | str | list[str]"

STRING, LIST = 8, 9
NUMBERS = {
    0: ("B", uint8),
    1: ("b", int8),
    2: ("H", uint16),
    3: ("h", int16),
    4: ("I", uint32),
    5: ("i", int32),
    6: ("f", float32),
    7: ("?", bool_),
    10: ("Q", uint64),
    11: ("q", int64),
    12: ("d", float32),
}
NUMBER_TYPES = {dtype: kind for kind, (_, dtype) in NUMBERS.items() if kind != 12}
PLAIN = {0: float32, 1: float16, 24: int8, 25: int16, 26: int32, 27: int64, 30: bfloat16}
WRITTEN = {dtype: kind for kind, dtype in PLAIN.items() if dtype not in (int64, bfloat16)}
#: The bytes of a block, and the bits of its codes.
BLOCKS = {2: (18, 4), 3: (20, 4), 8: (34, 8)}
Q4_1 = 3
GROUP = 32
ALIGNMENT = 32
MAX_AXES = 8


def read_gguf(data: memoryview, name: str) -> tuple[dict[str, array], dict[str, Metadata]]:
    """The arrays in the bytes of a file, copied, and its metadata.

    Raises:
        ValueError: the file is truncated or malformed, or has a tensor of an unknown type.
    """
    try:
        return _Reader(data).file()
    except (struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"{name} is truncated or malformed: {error}") from None
    except _Malformed as error:
        raise ValueError(f"{name} is malformed: {error}") from None


class _Malformed(Exception):
    """A rule of the format is broken."""


class _Reader:
    """A position in the header, which every read moves; struct checks the end of the data."""

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.at = 0

    def number(self, code: str) -> Any:
        (value,) = struct.unpack_from("<" + code, self.data, self.at)
        self.at += struct.calcsize("<" + code)
        return value

    def take(self, length: int) -> memoryview:
        if length > len(self.data) - self.at:
            raise _Malformed(f"{length} bytes do not follow {self.at} of {len(self.data)}")
        self.at += length
        return self.data[self.at - length : self.at]

    def string(self) -> str:
        return bytes(self.take(self.number("Q"))).decode()

    def file(self) -> tuple[dict[str, array], dict[str, Metadata]]:
        if bytes(self.data[:4]) != b"GGUF":
            raise _Malformed("it does not begin with GGUF")
        self.at = 4
        if (version := self.number("I")) not in (2, 3):
            raise _Malformed(f"version {version} is unknown; known are 2, 3")
        tensors, entries = self.number("Q"), self.number("Q")
        metadata: dict[str, Metadata] = {}
        for _ in range(entries):
            key = self.string()
            if key in metadata:
                raise _Malformed(f"it names {key!r} twice")
            metadata[key] = self.value(self.number("I"), key)
        places = [self.tensor() for _ in range(tensors)]
        return self.arrays(places, _alignment(metadata)), metadata

    def value(self, kind: int, key: str) -> Metadata:
        if kind == STRING:
            return self.string()
        if kind != LIST:
            return self.numbers(kind, 1, key).reshape(())
        kind, length = self.number("I"), self.number("Q")
        if kind == STRING:
            return [self.string() for _ in range(length)]
        return self.numbers(kind, length, key)

    def numbers(self, kind: int, length: int, key: str) -> array:
        if kind not in NUMBERS:
            raise _Malformed(f"{key!r} has the unknown type {kind}")
        from numpy import frombuffer

        code, dtype = NUMBERS[kind]
        content = self.take(length * struct.calcsize("<" + code))
        return new_array(frombuffer(content, "<" + code), dtype)

    def tensor(self) -> tuple[str, list[int], int, int]:
        """The name, shape, type and offset of an entry in the table."""
        name, ndim = self.string(), self.number("I")
        if ndim > MAX_AXES:
            raise _Malformed(f"tensor {name!r} has {ndim} axes; {MAX_AXES} are allowed")
        shape = [self.number("Q") for _ in range(ndim)][::-1]
        if max(shape, default=0) >= 2**31:
            raise _Malformed(f"tensor {name!r} has the impossible shape {shape}")
        return name, shape, self.number("I"), self.number("Q")

    def arrays(
        self, places: list[tuple[str, list[int], int, int]], alignment: int
    ) -> dict[str, array]:
        start = -(-self.at // alignment) * alignment
        arrays: dict[str, array] = {}
        end = 0
        for name, shape, kind, offset in sorted(places, key=lambda place: place[3]):
            nbytes = _nbytes(name, shape, kind)
            if offset % alignment or offset < end or start + offset + nbytes > len(self.data):
                raise _Malformed(
                    f"tensor {name!r} of {nbytes} bytes at {offset} is not aligned, overlaps "
                    f"another, or ends beyond the {len(self.data)} bytes of the file"
                )
            end = offset + nbytes
            content = self.data[start + offset : start + end]
            for part, value in _decoded(name, shape, kind, content).items():
                if part in arrays:
                    raise _Malformed(f"it names {part!r} twice")
                arrays[part] = value
        return arrays


def _alignment(metadata: dict[str, Metadata]) -> int:
    value = metadata.get("general.alignment")
    if value is None:
        return ALIGNMENT
    if not isinstance(value, Handle) or value.ndim or value.dtype is not uint32:
        raise _Malformed("general.alignment is not a uint32")
    if not (alignment := int(value.item())) or alignment % 8:
        raise _Malformed(f"general.alignment is {alignment}, not a multiple of 8")
    return alignment


def _nbytes(name: str, shape: list[int], kind: int) -> int:
    if kind in PLAIN:
        return prod(shape) * PLAIN[kind].size
    if kind not in BLOCKS:
        raise _Malformed(
            f"tensor {name!r} has the type {kind}, which is not read; known are "
            f"{sorted(PLAIN.keys() | BLOCKS.keys())}"
        )
    if not shape or shape[-1] % GROUP:
        raise _Malformed(f"the rows of tensor {name!r} are not in blocks of {GROUP}: {shape}")
    return prod(shape) // GROUP * BLOCKS[kind][0]


def _decoded(name: str, shape: list[int], kind: int, content: memoryview) -> dict[str, array]:
    """The array of a tensor, or the three that its blocks become."""
    if kind in PLAIN:
        data = ffi.from_buffer(content) if content.nbytes else ffi.NULL
        return {name: wrap(lib.h_from_data(data, shape, len(shape), PLAIN[kind]._code))}
    from numpy import frombuffer

    size, bits = BLOCKS[kind]
    blocks = frombuffer(content, "u1").reshape(*shape[:-1], shape[-1] // GROUP, size)
    codes = _codes(blocks, bits).reshape(*shape[:-1], -1).view("<u4")
    scales, biases = _scales_and_biases(blocks, kind)
    stem = name.removesuffix(".weight")
    values = {name: codes, f"{stem}.scales": scales, f"{stem}.biases": biases}
    return {part: new_array(value) for part, value in values.items()}


def _codes(blocks: ndarray[Any, Any], bits: int) -> ndarray[Any, Any]:
    """The codes of each block as MLX packs them: unsigned, neighbours side by side."""
    from numpy import ascontiguousarray, concatenate

    if bits == 8:
        return ascontiguousarray(blocks[..., 2:] ^ 0x80)
    halves = blocks[..., -16:]  # 16 numbers in the low four bits, the other 16 in the high ones
    numbers = concatenate([halves & 15, halves >> 4], axis=-1)
    pairs: ndarray[Any, Any] = numbers[..., 0::2] | numbers[..., 1::2] << 4
    return pairs


def _scales_and_biases(
    blocks: ndarray[Any, Any], kind: int
) -> tuple[ndarray[Any, Any], ndarray[Any, Any]]:
    from numpy import abs, ascontiguousarray

    scales = ascontiguousarray(blocks[..., :2]).view("<f2")[..., 0]
    if kind == Q4_1:
        return scales, ascontiguousarray(blocks[..., 2:4]).view("<f2")[..., 0]
    biases = scales.astype("f4") * (-8 if BLOCKS[kind][1] == 4 else -128)
    fits = abs(biases).max(initial=0) <= 65504  # the largest float16
    return (scales, biases.astype("f2")) if fits else (scales.astype("f4"), biases)


# --- writing --------------------------------------------------------------------------


def check_writable(arrays: Mapping[str, array], metadata: Mapping[str, Metadata]) -> None:
    """Refuse what the format cannot hold.

    Raises:
        TypeError: a name, an array or a value of the metadata is of another type.
        ValueError: an array has a type that is not written, or metadata more than one axis.
    """
    for name, a in arrays.items():
        if not isinstance(name, str) or not isinstance(a, Handle):
            raise TypeError(f"arrays must map strings to arrays, got {name!r}: {a!r}")
        if a.dtype not in WRITTEN:
            known = [dtype._name for dtype in WRITTEN]
            raise ValueError(f"arrays[{name!r}] is {a.dtype._name}; GGUF is written for {known}")
    for key, value in metadata.items():
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


def write_gguf(
    file: BinaryIO, arrays: Mapping[str, array], metadata: Mapping[str, Metadata]
) -> None:
    """Write evaluated arrays and metadata, both checked, in their order."""
    header = b"GGUF" + struct.pack("<IQQ", 3, len(arrays), len(metadata))
    for key, value in metadata.items():
        header += _text(key) + _typed(value)
    end = 0
    for name, a in arrays.items():
        header += _text(name) + struct.pack(f"<I{a.ndim}Q", a.ndim, *a.shape[::-1])
        header += struct.pack("<IQ", WRITTEN[a.dtype], end)
        end += -(-a.nbytes // ALIGNMENT) * ALIGNMENT
    file.write(header + bytes(-len(header) % ALIGNMENT))
    for a in arrays.values():
        file.write(_content(a))
        file.write(bytes(-a.nbytes % ALIGNMENT))


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
    return head + bytes(_content(value))


def _content(a: array) -> Any:
    """The bytes of an array in row-major order."""
    if a.size == 0:
        return b""
    flat = wrap(lib.h_contiguous(a._h, False, 0))
    if not (address := lib.h_data(flat._h)):
        raise_last_error()
    return bytes(ffi.buffer(ffi.cast("char*", address), flat.nbytes))
