"""Values of the metadata from bytes that `Header` has stepped over, and thereby checked."""

from __future__ import annotations

from struct import Struct

from ._header import LIST, NUMBERS, STRING

_HEAD = Struct("<IQ")  # element type and length of a list
_U64 = Struct("<Q")


def decode(content: bytes, kind: int, count: int) -> list[object]:
    """The `count` values of type `kind` in `content`.

    Raises:
        UnicodeDecodeError: a text is not UTF-8.
    """
    return _values(content, 0, kind, count)[0]


def _values(content: bytes, at: int, kind: int, count: int) -> tuple[list[object], int]:
    """Values from a position on, and the position behind them."""
    if kind == STRING:
        return _strings(content, at, count)
    if kind == LIST:
        return _lists(content, at, count)
    layout = Struct(f"<{count}{NUMBERS[kind]}")
    return list(layout.unpack_from(content, at)), at + layout.size


def _strings(content: bytes, at: int, count: int) -> tuple[list[object], int]:
    strings: list[object] = []
    length_at = _U64.unpack_from
    for _ in range(count):
        start = at + 8
        at = start + length_at(content, at)[0]
        strings.append(content[start:at].decode())
    return strings, at


def _lists(content: bytes, at: int, count: int) -> tuple[list[object], int]:
    lists: list[object] = []
    for _ in range(count):
        values, at = _values(content, at + _HEAD.size, *_HEAD.unpack_from(content, at))
        lists.append(values)
    return lists, at
