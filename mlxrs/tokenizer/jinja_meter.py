"""How much work a chat template may make.

A sandbox keeps a template from doing harm elsewhere, but not from doing too much: a few characters
of source can ask for a terabyte. Here everything is counted in characters, whatever makes them:
text and lists that are read or written, turns of loops, calls. What a call would make is estimated
before it is made. Counting is exact and knows no clock, so a template fails everywhere or nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, ItemsView, Iterator, KeysView, ValuesView
from contextvars import ContextVar
from math import prod

BASE_WORK = 1 << 26
WORK_PER_CHARACTER = 128
TURN = 32
CALL = 256
_ITEM = 32

_SIZED = (str, bytes, range)
_CONTAINERS = (list, tuple, dict, KeysView, ValuesView, ItemsView)

_WIDE = re.compile(r"%(\([^)]*\))?[-+ #0]*(\*|\d{5}|\d*\.(\*|\d{5}))|\{[^{}]*:[^{}]*(\{|\d{5})")


class Meter:
    """The work left to one rendering.

    Args:
        total: how many characters may be handled.

    Attributes:
        written: how many characters of output there are so far.
        generated: the spans of output that `{% generation %}` marked.
    """

    def __init__(self, total: int) -> None:
        self.written = 0
        self.generated: list[tuple[int, int]] = []
        self._total = self._left = total
        self._weights: dict[int, tuple[object, int]] = {}

    def spend(self, work: int) -> None:
        """Counts `work` characters, and raises OverflowError when there are none left."""
        self._left -= work
        if self._left < 0:
            raise OverflowError("it does too much work; shorten the messages")

    def weigh(self, value: object) -> int:
        """Returns how many characters `value` comes to, with all that is in it.

        Containers are weighed once: nothing can change them while the template runs. That makes
        lists of lists of lists cheap to weigh that would be endless to write.
        """
        if isinstance(value, _SIZED):
            return 1 + len(value)
        if isinstance(value, int):
            return 1 + value.bit_length() // 4
        if not isinstance(value, _CONTAINERS):
            return 1
        known = self._weights.get(id(value))
        if known is not None:
            return known[1]
        weight = 1 + len(value)
        for part in (*value, *value.values()) if isinstance(value, dict) else value:
            weight += 1 + len(part) if type(part) is str else self.weigh(part)
        self._fits(weight)
        # The value is kept, so that no other takes its id.
        self._weights[id(value)] = value, weight
        return weight

    def made(self, value: object) -> object:
        """Counts a value that an expression made, by its own length, and returns it."""
        self.weigh(value)
        self.spend(TURN + shallow(value))
        return value

    def used(self, value: object) -> object:
        """Counts a value that is read to its depth, as writing and comparing do; returns it."""
        self.spend(self.weigh(value))
        return value

    def expect(self, name: str, value: object, arguments: tuple[object, ...]) -> None:
        """Counts what a call of a known name would make of `value` before it is made."""
        estimate = _ESTIMATES.get(name)
        if estimate is not None:
            self._fits(estimate(self, value, arguments))

    def _fits(self, size: int) -> None:
        if size > self._total:
            raise OverflowError("it makes something too large; shorten the messages")


meter: ContextVar[Meter] = ContextVar("meter")


def shallow(value: object) -> int:
    """Returns what making or copying `value` comes to, without what its items hold."""
    if isinstance(value, _SIZED):
        return 1 + len(value)
    return 1 + _ITEM * len(value) if isinstance(value, _CONTAINERS) else 1


def settle(value: object) -> object:
    """Returns an iterator as a list, so that it can be weighed, and all else as it is."""
    return list(value) if isinstance(value, Iterator) else value


def _largest(meter: Meter, arguments: tuple[object, ...]) -> int:
    """Returns the largest number or length among arguments that are widths or fillers."""
    sizes = [abs(item) if isinstance(item, int) else meter.weigh(item) for item in arguments]
    return max(sizes, default=1)


def _wider(meter: Meter, value: object, arguments: tuple[object, ...]) -> int:
    return meter.weigh(value) + _largest(meter, arguments)


def _times(meter: Meter, value: object, arguments: tuple[object, ...]) -> int:
    return meter.weigh(value) * _largest(meter, arguments)


def _squared(meter: Meter, value: object, arguments: tuple[object, ...]) -> int:
    return meter.weigh(value) ** 2 // 64 + _times(meter, value, arguments)


def _replaced(meter: Meter, value: object, arguments: tuple[object, ...]) -> int:
    match value, arguments:
        case (str() as text, (str() as old, str() as new, *_)):
            return len(text) + text.count(old) * len(new)
    return _times(meter, value, arguments) + meter.weigh(arguments) ** 2


def _joined(meter: Meter, separator: object, items: object) -> int:
    return meter.weigh(items) + shallow(items) * shallow(separator)


def _formatted(meter: Meter, value: object, arguments: tuple[object, ...]) -> int:
    if isinstance(value, str) and _WIDE.search(value):
        raise OverflowError("a format may not take its width from a value, or have five digits")
    places = 1 + sum(value.count(mark) for mark in "%{") if isinstance(value, str) else 1
    return meter.weigh(value) + places * meter.weigh(arguments)


def _words(meter: Meter, value: object, arguments: tuple[object, ...]) -> int:
    return 100 * prod(max(1, abs(item)) for item in arguments if isinstance(item, int))


_ESTIMATES: dict[str, Callable[[Meter, object, tuple[object, ...]], int]] = {
    **dict.fromkeys(("center", "ljust", "rjust", "zfill", "round", "to_bytes"), _wider),
    **dict.fromkeys(("batch", "slice"), _wider),
    **dict.fromkeys(("expandtabs", "indent", "tojson", "translate"), _times),
    **dict.fromkeys(("striptags", "urlize", "wordwrap", "pprint", "sum", "xmlattr"), _squared),
    **dict.fromkeys(("format", "format_map"), _formatted),
    "replace": _replaced,
    "join": lambda meter, value, arguments: max(
        _joined(meter, settle(argument), value) for argument in ("", *arguments)
    ),
    "str.join": lambda meter, value, arguments: max(
        _joined(meter, value, argument) for argument in ("", *arguments)
    ),
    "generate_lorem_ipsum": _words,
}
