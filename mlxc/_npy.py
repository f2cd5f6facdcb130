"""The .npy and .npz formats of numpy, checked before numpy or MLX reads them.

Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any, BinaryIO

from ._convert import new_array
from ._dtype import bfloat16, float64, uint16
from ._ffi import lib
from ._files import name_of, size_left
from ._handle import wrap

if TYPE_CHECKING:
    from zipfile import ZipFile, ZipInfo

    from numpy import ndarray

    from ._array import array

#: The header as numpy and MLX write it; MLX finds its parts by position.
HEADER = re.compile(
    rb"\{'descr': '([<>|])([biufcV])(\d)', 'fortran_order': (?:True|False), "
    rb"'shape': \(((?:\d+, ?)*\d*)\),? ?\} *\n"
)

TYPES = frozenset(
    {"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "V2"}
)

#: One byte of a deflated file becomes at most this many.
MAX_INFLATION = 1032

#: The bit in a member's flags.
ENCRYPTED = 1


def check_npy(file: BinaryIO, name: str, available: int) -> tuple[int, str]:
    """Check the header at the position of a file, which stays behind it.

    Args:
        file: the file.
        name: what to call it in messages.
        available: how many bytes follow its position.

    Returns:
        How many bytes of those are left over behind the array, and its type, as in "<f4".

    Raises:
        ValueError: it is malformed or truncated, or holds a type that arrays do not have.
    """
    if file.read(6) != b"\x93NUMPY":
        raise ValueError(f"{name} is not a .npy file")
    version = file.read(2)
    if version not in (b"\1\0", b"\2\0"):
        raise ValueError(f"{name} has version {version!r} of the .npy format; known are 1, 2")
    digits = file.read(2 if version == b"\1\0" else 4)
    length = int.from_bytes(digits, "little")
    available -= 8 + len(digits) + length
    header = file.read(length) if available >= 0 else b""
    match = HEADER.fullmatch(header)
    if match is None:
        raise ValueError(f"{name} is malformed: unknown .npy header {header[:80]!r}")
    kind, itemsize = match[2].decode(), int(match[3])
    if f"{kind}{itemsize}" not in TYPES:
        raise ValueError(f"{name} holds the type {kind}{itemsize}, which arrays do not have")
    shape = [int(length) for length in re.findall(rb"\d+", match[4])]
    if (needed := prod(shape) * itemsize) > available or max(shape, default=0) >= 2**31:
        raise ValueError(
            f"{name} is truncated or malformed: shape {shape} takes {needed} bytes, "
            f"but {available} follow its header"
        )
    return available - needed, f"{match[1].decode()}{kind}{itemsize}"


def read_npy(file: BinaryIO) -> array:
    """The array at the position of an open file, which moves behind it."""
    from numpy.lib.format import read_array

    start = file.tell()
    check_npy(file, name_of(file), size_left(file))
    file.seek(start)
    return _from_numpy(read_array(file, allow_pickle=False))  # type: ignore[no-untyped-call, unused-ignore]


def write_npy(file: BinaryIO, a: array) -> None:
    """Write an array at the position of an open file; bfloat16 as two opaque bytes an element."""
    from numpy.lib.format import write_array

    write_array(file, _to_numpy(a), allow_pickle=False)  # type: ignore[no-untyped-call, unused-ignore]


def read_npz(file: BinaryIO) -> dict[str, array]:
    """The arrays in an archive, evaluated.

    Raises:
        ValueError: it is no archive, or a malformed one, or would not fit in memory.
    """
    from zipfile import BadZipFile, ZipFile
    from zlib import error as ZlibError

    name = name_of(file)
    end = file.tell() + size_left(file)
    try:
        with ZipFile(file) as archive:
            members = archive.infolist()
            _check_members(name, members, end)
            return {_array_name(m): _read_member(archive, m, name) for m in members}
    except (BadZipFile, ZlibError, EOFError, NotImplementedError) as error:
        raise ValueError(f"{name} is malformed: {error}") from None


def write_npz(file: BinaryIO, arrays: Mapping[str, array], *, compressed: bool) -> None:
    """Write named arrays as an archive."""
    from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

    with ZipFile(file, "w", ZIP_DEFLATED if compressed else ZIP_STORED) as archive:
        for name, a in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                write_npy(member, a)  # type: ignore[arg-type]


def _array_name(member: ZipInfo) -> str:
    return member.filename.removesuffix(".npy")


def _check_members(name: str, members: list[ZipInfo], size: int) -> None:
    """Refuse what would take far more memory than the file has bytes, or mean two things."""
    from zipfile import ZIP_DEFLATED, ZIP_STORED

    seen: set[str] = set()
    for member in members:
        if _array_name(member) in seen:
            raise ValueError(f"{name} is malformed: it names {_array_name(member)!r} twice")
        seen.add(_array_name(member))
        if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise ValueError(f"{name}: {member.filename!r} is neither stored nor deflated")
        if member.flag_bits & ENCRYPTED:
            raise ValueError(f"{name}: {member.filename!r} is encrypted")
        inflation = MAX_INFLATION if member.compress_type == ZIP_DEFLATED else 1
        if member.file_size > member.compress_size * inflation:
            raise ValueError(
                f"{name} is malformed: {member.filename!r} cannot become {member.file_size} bytes"
            )
    # Members that share their bytes would multiply what each of them may become.
    end = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        if member.header_offset < end:
            raise ValueError(f"{name} is malformed: {member.filename!r} overlaps another member")
        end = member.header_offset + member.compress_size
    if end > size:
        raise ValueError(f"{name} is truncated: its members take {end} bytes of {size}")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if (total := sum(member.file_size for member in members)) > memory:
        raise ValueError(f"{name} would take {total} bytes of memory; there are {memory}")


def _read_member(archive: ZipFile, member: ZipInfo, name: str) -> array:
    from numpy.lib.format import read_array

    label = f"{name}: {member.filename!r}"
    with archive.open(member) as file:
        if check_npy(file, label, member.file_size)[0]:  # type: ignore[arg-type]
            raise ValueError(f"{label} is malformed: more bytes follow its array")
    with archive.open(member) as file:
        return _from_numpy(read_array(file, allow_pickle=False))  # type: ignore[no-untyped-call, unused-ignore]


def _from_numpy(value: ndarray[Any, Any]) -> array:
    """An array of numpy's; two opaque bytes an element are bfloat16."""
    if value.dtype.str[1:] == "V2":
        bits = new_array(value.view("<u2"))
        return wrap(lib.h_view(bits._h, bfloat16._code, 0))
    native = value.astype(value.dtype.newbyteorder("="), copy=False)
    return new_array(native, float64 if native.dtype == "f8" else None)


def _to_numpy(a: array) -> ndarray[Any, Any]:
    import numpy

    if a.dtype is not bfloat16:
        return numpy.asarray(memoryview(a))
    bits = wrap(lib.h_view(a._h, uint16._code, 0))
    return numpy.asarray(memoryview(bits)).view("V2")
