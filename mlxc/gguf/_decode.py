"""Values of the metadata from bytes that `Header` has stepped over, and thereby checked."""

from __future__ import annotations

from struct import Struct

from .._ffi import handle
from ._header import LIST, NUMBERS, STRING

_HEAD = Struct("<IQ")  # element type and length of a list


def decode(content: bytes, kind: int, count: int) -> list[object]:
    """The `count` values of type `kind` in `content`.

    Raises:
        UnicodeDecodeError: a text is not UTF-8.
    """
    return _values(content, 0, kind, count)[0]


def _values(content: bytes, at: int, kind: int, count: int) -> tuple[list[object], int]:
    """Values from a position on, and the position behind them."""
    if kind == STRING:
        return handle.strings(content, at, count)  # type: ignore[no-any-return]
    if kind == LIST:
        return _lists(content, at, count)
    layout = Struct(f"<{count}{NUMBERS[kind]}")
    return list(layout.unpack_from(content, at)), at + layout.size


def _lists(content: bytes, at: int, count: int) -> tuple[list[object], int]:
    lists: list[object] = []
    for _ in range(count):
        values, at = _values(content, at + _HEAD.size, *_HEAD.unpack_from(content, at))
        lists.append(values)
    return lists, at
