"""A position in a GGUF header; nothing is believed before it was compared with the size.

Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct, calcsize
from typing import NoReturn

from .._ffi import handle

MAX_ENTRIES = 1 << 16  # metadata keys, or tensors
MAX_ELEMENTS = 1 << 24  # list elements of the whole metadata
MAX_NAME_BYTES = 1 << 10
MAX_LIST_DEPTH = 4
ALIGNMENT = "general.alignment"
ALIGNMENTS = tuple(1 << power for power in range(3, 17))
DEFAULT_ALIGNMENT = 32

STRING, LIST = 8, 9
#: The struct codes of numbers.
NUMBERS = {
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

_U32 = Struct("<I")
_U64 = Struct("<Q")


class UnsupportedError(ValueError):
    """The file is well-formed, but of a version or with a type that is not read."""


@dataclass(frozen=True)
class Field:
    """The bytes of a value of the metadata: one of type `kind`, or `length` of them."""

    kind: int
    length: int | None
    content: memoryview


class Header:
    """A cursor, which every read checks against the end of the data and moves.

    Args:
        data: the bytes of the whole file.
        file: what to call it in messages.

    Raises:
        ValueError: the header breaks a rule of the format.
        UnsupportedError: another version, or big-endian data.
    """

    def __init__(self, data: memoryview, file: str) -> None:
        self.file = file
        self.at = 0
        self._data = data
        self._elements = 0

    def version(self) -> int:
        if (magic := bytes(self._data[:4])) != b"GGUF":
            self.fail("the file must start with b'GGUF'", magic)
        self.at = 4
        version = self.u32("version")
        if version in (2 << 24, 3 << 24):
            raise UnsupportedError(f"{self.file}: big-endian GGUF is not read")
        if version not in (2, 3):
            raise UnsupportedError(f"{self.file}: GGUF version must be 2 or 3, got {version}")
        return version

    def count(self, what: str, minimum_bytes: int) -> int:
        """The number of entries that follow somewhere, each of some bytes at least."""
        count = self.u64(what)
        limit = min(MAX_ENTRIES, max(0, len(self._data) - self.at) // minimum_bytes)
        if count > limit:
            self.fail(f"the {what} must be at most {limit} in {len(self._data)} bytes", count)
        return count

    def u32(self, what: str) -> int:
        value: int = _U32.unpack_from(self._data, self._skip(4, what))[0]
        return value

    def u64(self, what: str) -> int:
        value: int = _U64.unpack_from(self._data, self._skip(8, what))[0]
        return value

    def name(self, what: str) -> str:
        length = self.u64(what)
        if not 0 < length < MAX_NAME_BYTES:
            self.fail(f"the length of a {what} must be in 1..{MAX_NAME_BYTES - 1}", length)
        start = self._skip(length, what)
        name = str(self._data[start : self.at], "utf-8", "replace")
        if fault := fault_of_name(name):
            self.fail(f"a {what} {fault}", name)
        return name

    def field(self, key: str) -> Field:
        """The value that follows, checked and not decoded."""
        kind, length = self.u32(f"type of {key}"), None
        if kind == LIST:
            kind, length = self._list(key)
        start = self.at
        self._skip_values(key, kind, 1 if length is None else length)
        return Field(kind, length, self._data[start : self.at])

    def fail(self, rule: str, value: object) -> NoReturn:
        raise ValueError(f"{self.file} is malformed: {rule}, got {value!r}")

    def _list(self, key: str) -> tuple[int, int]:
        return self.u32(f"element type of {key}"), self.u64(f"length of {key}")

    def _skip_values(self, key: str, kind: int, count: int, depth: int = 1) -> None:
        self._elements += count
        if self._elements > MAX_ELEMENTS:
            self.fail(f"the metadata must hold at most {MAX_ELEMENTS} list elements", key)
        if kind == STRING:
            self._skip_strings(key, count)
        elif kind == LIST:
            if depth == MAX_LIST_DEPTH:
                self.fail(f"the depth of {key} must be at most {MAX_LIST_DEPTH}", depth + 1)
            for _ in range(count):
                self._skip_values(key, *self._list(key), depth + 1)
        elif kind in NUMBERS:
            self._skip(count * calcsize(f"<{NUMBERS[kind]}"), key)
        else:
            self.fail(f"the type of {key} must be a GGUF value type", kind)

    def _skip_strings(self, key: str, count: int) -> None:
        end = handle.end_of_strings(self._data, self.at, count)
        if end > len(self._data):
            self._truncated(key, end)
        self.at = end

    def _skip(self, nbytes: int, what: str) -> int:
        start = self.at
        if nbytes > len(self._data) - start:
            self._truncated(what, start + nbytes)
        self.at = start + nbytes
        return start

    def _truncated(self, what: str, end: int) -> NoReturn:
        raise ValueError(
            f"{self.file} is truncated or malformed: {what} must end within {len(self._data)} "
            f"bytes, but ends at {end}"
        )


def fault_of_name(name: str) -> str | None:
    """What is wrong with the characters of a name or their number."""
    if not 0 < len(name.encode(errors="replace")) < MAX_NAME_BYTES:
        return f"must have 1 to {MAX_NAME_BYTES - 1} bytes"
    # Names stand in messages, so they must not move the cursor of a terminal.
    good = name.isprintable() and "\ufffd" not in name
    return None if good else "must be printable UTF-8"
