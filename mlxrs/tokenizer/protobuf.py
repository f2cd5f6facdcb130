"""Reading protobuf messages field by field, with every length checked.

Source: https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from ..errors import FormatError

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yields number and value of each field: an int, or a view of its bytes.

    Raises:
        FormatError: a field is cut off, or of a type that protobuf does not have.
    """
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        number, wire = tag >> 3, tag & 7
        if number == 0:
            raise _damaged(f"field 0 at byte {position}")
        if wire == _VARINT:
            value, position = _varint(data, position)
            yield number, value
            continue
        if wire == _BYTES:
            size, position = _varint(data, position)
        elif wire in (_FIXED32, _FIXED64):
            size = 4 if wire == _FIXED32 else 8
        else:
            raise _damaged(f"wire type {wire} at byte {position}")
        if size > len(data) - position:
            raise _damaged(f"a field that goes {size - len(data) + position} bytes too far")
        yield number, data[position : position + size]
        position += size


def text(value: int | memoryview) -> str:
    """Returns the string that a field holds."""
    try:
        return blob(value).decode()
    except UnicodeDecodeError as error:
        raise _damaged(f"a string that is not UTF-8 ({error.reason})") from None


def blob(value: int | memoryview) -> bytes:
    """Returns the bytes that a field holds."""
    if isinstance(value, int):
        raise _damaged("a number where bytes belong")
    return value.tobytes()


def message(value: int | memoryview) -> memoryview:
    """Returns the message that a field holds."""
    if isinstance(value, int):
        raise _damaged("a number where a message belongs")
    return value


def single(value: int | memoryview) -> float:
    """Returns the 32-bit float that a field holds."""
    data = blob(value)
    if len(data) != 4:
        raise _damaged(f"a float of {len(data)} bytes")
    return float(struct.unpack("<f", data)[0])


def number(value: int | memoryview) -> int:
    """Returns the signed 32-bit integer that a field holds."""
    if not isinstance(value, int):
        raise _damaged("bytes where a number belongs")
    low = value & 0xFFFFFFFF
    return low - (1 << 32) if low >= 1 << 31 else low


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position == len(data):
            break
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise _damaged(f"a number without an end at byte {position}")


def _damaged(what: str) -> FormatError:
    return FormatError(f"not a SentencePiece model: it has {what}; download it again")
