"""A checksum behind what a file holds, for readers that take a file at its word.

The last 64 bytes are `MARK` and the SHA-256 of all before it. Readers that know of no seal stop
before it; a file that was cut short has none, which such a reader notices by itself.
"""

from __future__ import annotations

import os
from typing import BinaryIO

#: Long enough to be known by a part of it.
MARK = b"mlxc: SHA-256 of all before this"
LENGTH = len(MARK) + 32
BLOCK = 1 << 20


def append_seal(path: str) -> None:
    """Seal a file that is complete."""
    with open(path, "r+b") as file:
        file.write(MARK + _digest(file, os.fstat(file.fileno()).st_size))


def check_seal(path: str | os.PathLike[str]) -> None:
    """Raise a ValueError if the file has a seal and was changed since."""
    with open(path, "rb") as file:
        end = os.fstat(file.fileno()).st_size
        size = max(0, end - LENGTH)
        file.seek(max(0, size - LENGTH))
        tail = file.read()
        file.seek(0)
        if _has_mark(tail) and tail[-LENGTH:] != MARK + _digest(file, size):
            raise ValueError(f"{path} is damaged: its checksum does not match; export it again")


def _has_mark(tail: bytes) -> bool:
    """Whether a seal is there, intact or not: a quarter of the mark, wherever it is."""
    windows = (tail[start : start + len(MARK)] for start in range(len(tail)))
    return any(sum(map(int.__eq__, window, MARK)) >= len(MARK) // 4 for window in windows)


def _digest(file: BinaryIO, size: int) -> bytes:
    """The SHA-256 of the next bytes of a file."""
    import hashlib

    total = hashlib.sha256()
    for place in range(0, size, BLOCK):
        total.update(file.read(min(BLOCK, size - place)))
    return total.digest()
