"""A checksum behind what a file holds, for readers that take a file at its word.

The last 44 bytes are `MARK` and the SHA-256 of all before it. Readers that know of no seal stop
before it; a file that was cut short has none, which such a reader notices by itself.
"""

from __future__ import annotations

import os
from typing import BinaryIO

MARK = b"mlxc-sha-256"
LENGTH = len(MARK) + 32
BLOCK = 1 << 20


def append_seal(path: str) -> None:
    """Seal a file that is complete."""
    with open(path, "r+b") as file:
        file.write(MARK + _digest(file, os.fstat(file.fileno()).st_size))


def check_seal(path: str | os.PathLike[str]) -> None:
    """Raise a ValueError if the file has a seal and was changed since."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size - LENGTH
        if size < 0:
            return
        file.seek(size)
        seal = file.read()
        file.seek(0)
        if seal.startswith(MARK) and seal != MARK + _digest(file, size):
            raise ValueError(f"{path} is damaged: its checksum does not match; export it again")


def _digest(file: BinaryIO, size: int) -> bytes:
    """The SHA-256 of the next bytes of a file."""
    import hashlib

    total = hashlib.sha256()
    for place in range(0, size, BLOCK):
        total.update(file.read(min(BLOCK, size - place)))
    return total.digest()
