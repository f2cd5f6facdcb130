"""A reply taken apart while it comes: text, reasoning, calls.

The parser looks at each character once. What it tells depends on the characters alone, never on
how they were cut into pieces; the end of the reply decides what nothing else did.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from functools import cache

from .events import (
    CallEvent,
    Event,
    InvalidCallEvent,
    MarkupEvent,
    ReasoningEvent,
    TextEvent,
)
from .formats import Bracket, ToolFormat
from .harmony import HEADER_END, HEADER_STARTS, MESSAGE_ENDS, call_bracket, is_reasoning
from .payloads import json_calls
from .reasoning import ReasoningTags
from .scan import Scan
from .schema import argument_schemas

# A call without tags begins with an object that has one of these names first.
_BARE = re.compile(r'[\s;,]*\{\s*"(name|type|function|tool_name|id|parameters|arguments)"')
_BARE_BEGUN = re.compile(r'[\s;,]*(\{\s*("\w*)?)?\Z')
_BARE_CALL = Bracket("", (), json_calls)

# More white space than this is said, and not held back for a tag that may follow.
_MAX_SPACE = 256


class ReplyParser:
    """Takes a reply apart, piece by piece.

    White space beside tags belongs to the tags. A tag of reasoning counts only before the first
    text, so that a reply can speak about it.

    Args:
        format: how the model writes calls; None leaves them as text.
        reasoning: the tags between which it thinks; None leaves them as text.
        tools: the functions it may call, whose schemas give arguments their types.
        in_reasoning: whether the prompt ended with the tag that begins reasoning.

    Example:
        >>> parser = ReplyParser(format_named("json_tools"))
        >>> parser.feed('Well.\\n<tool_call>{"name": "now", "argu')
        [TextEvent(text='Well.')]
        >>> [event.call.name for event in parser.feed('ments": {}}</tool_call>')]
        ['now']
        >>> parser.finish()
        []
    """

    def __init__(
        self,
        format: ToolFormat | None = None,
        reasoning: ReasoningTags | None = None,
        *,
        tools: Sequence[object] = (),
        in_reasoning: bool = False,
    ) -> None:
        self._format = format or ToolFormat("none")
        self._reasoning = reasoning
        self._in_reasoning = in_reasoning
        self._schemas = argument_schemas(tools)
        self._brackets = {bracket.start: bracket for bracket in self._format.brackets}
        self._sections = dict(self._format.sections)
        self._thinking = in_reasoning
        self._section_end = ""
        self._in_header = False
        self._call: Scan | None = None
        self._said = False
        self._after_tag = in_reasoning
        self._ended = False
        self._text = ""
        self._events: list[Event] = []

    @property
    def format(self) -> ToolFormat:
        """How the model writes calls."""
        return self._format

    @property
    def reasoning(self) -> ReasoningTags | None:
        """The tags between which the model thinks; None where it does not, or otherwise."""
        return self._reasoning

    @property
    def in_reasoning(self) -> bool:
        """Whether the reply begins with reasoning."""
        return self._in_reasoning

    def feed(self, text: str) -> list[Event]:
        """Takes the next piece of the reply; returns what is certain by now.

        Raises:
            ValueError: the reply was finished.
        """
        if self._ended:
            raise ValueError("the reply was finished; make a parser for each reply")
        self._text += text
        return self._read()

    def finish(self) -> list[Event]:
        """Takes the end of the reply; returns all that was left."""
        self._ended = True
        return self._read()

    def parse(self, text: str) -> list[Event]:
        """Takes a whole reply; returns all of its events."""
        return [*self.feed(text), *self.finish()]

    def _read(self) -> list[Event]:
        going = True
        while going:
            if self._call:
                going = self._read_call(self._call)
            elif self._in_header:
                going = self._read_header()
            elif self._section_end:
                going = self._read_section()
            else:
                going = self._read_text()
        events, self._events = self._events, []
        return events

    # Each of these reads one thing from the start of the text, and returns whether to go on.

    def _read_text(self) -> bool:
        if self._format.bare and not (self._said or self._thinking):
            head = self._text[:_MAX_SPACE]
            if _BARE.match(head):
                self._call = Scan(_BARE_CALL, 0)
                return True
            if not self._ended and len(head) < _MAX_SPACE and _BARE_BEGUN.match(head):
                return False
        tags = self._tags()
        place, tag = self._next(tags)
        spoken = max(len(self._text[:place].rstrip()), place - _MAX_SPACE)
        if spoken:
            self._say(self._text[:spoken])
            return True
        if tag:
            self._pass(place, tag)
            return True
        if self._ended and self._text:
            self._emit(MarkupEvent(self._text) if self._after_tag else self._spoken(self._text))
        return False

    def _read_section(self) -> bool:
        place, tag = self._next((*self._brackets, self._section_end))
        if not tag and not self._ended:
            return False
        stray = self._text[:place]
        if stray.strip():
            # Nothing but calls may stand here; some models leave the inner tags out.
            self._finish_call(_BARE_CALL, stray, place)
        elif tag:
            self._pass(place, tag)
        elif stray:
            self._emit(MarkupEvent(stray))
        return bool(tag)

    def _read_header(self) -> bool:
        place = self._text.find(HEADER_END)
        if place < 0:
            if self._ended and self._text:
                self._emit(MarkupEvent(self._text))
            return False
        self._in_header = False
        header, end = self._text[:place], place + len(HEADER_END)
        bracket = call_bracket(header)
        if bracket:
            self._call = Scan(bracket, end)
        else:
            self._thinking = is_reasoning(header)
            self._mark(end)
        return True

    def _read_call(self, call: Scan) -> bool:
        found = call.find(self._text)
        if found is None and not self._ended:
            return False
        self._call = None
        body_end, end = found or self._cut(call)
        if body_end < 0:
            self._invalid(end, "the reply ended inside the call")
        else:
            self._finish_call(call.bracket, self._text[call.begin : body_end], end, call.begin)
        return True

    def _cut(self, call: Scan) -> tuple[int, int]:
        """Returns where a call ends that has no end in its right place; -1 for nowhere."""
        bracket, whole = call.bracket, len(self._text)
        if bracket.may_end_open:
            with suppress(ValueError, RecursionError):
                bracket.read(self._text[call.begin :], self._schemas)
                return whole, whole
        ends = [(self._text.find(tag, call.begin), len(tag)) for tag in bracket.ends]
        place, length = min((found for found in ends if found[0] >= 0), default=(-1, 0))
        if place >= 0:
            return place, place + length
        again = self._text.rfind(bracket.start, call.begin) if bracket.start else -1
        return -1, again if again >= 0 else whole

    def _finish_call(self, bracket: Bracket, body: str, end: int, begin: int = 0) -> None:
        """Tells a call, or what is wrong with it; its body begins and it ends where told."""
        try:
            calls = bracket.read(body, self._schemas)
        except (ValueError, RecursionError) as error:
            again = body.rfind(bracket.start) if bracket.start else -1
            if bracket is _BARE_CALL and not self._section_end:
                self._say(self._text[:end])
            else:
                # What begins another call is not a part of this one.
                self._invalid(begin + again if again >= 0 else end, str(error))
            return
        raw = self._text[:end]
        for call in calls:
            self._emit(CallEvent(call, raw))
            raw = ""
        self._thinking = False
        self._after_tag = True

    def _invalid(self, end: int, reason: str) -> None:
        self._emit(InvalidCallEvent(self._text[:end], reason or "the call is nested too deeply"))
        self._thinking = False
        self._after_tag = True

    def _tags(self) -> tuple[str, ...]:
        """Returns the tags that mean something here."""
        if self._format.channels:
            return (*HEADER_STARTS, *MESSAGE_ENDS)
        calls = (*self._brackets, *self._sections)
        if self._reasoning is None or self._said:
            return calls
        if not self._thinking:
            return (*self._reasoning, *calls)
        return (self._reasoning.end, *(calls if self._format.ends_reasoning else ()))

    def _next(self, tags: tuple[str, ...]) -> tuple[int, str]:
        """Returns the place and text of the next tag, or of what may become one and ""."""
        found = _pattern(tags).search(self._text) if tags else None
        if found:
            return found.start(), found[0]
        held = 0 if self._ended else _held(self._text, tags)
        return len(self._text) - held, ""

    def _pass(self, place: int, tag: str) -> None:
        """Enters what a tag begins, or leaves what it ends."""
        end = place + len(tag)
        if tag in self._brackets:
            self._call = Scan(self._brackets[tag], end)
            return
        if tag in HEADER_STARTS and self._format.channels:
            self._in_header = True
            return
        self._thinking = self._reasoning is not None and tag == self._reasoning.start
        self._section_end = self._sections.get(tag, "")
        self._mark(end)

    def _mark(self, end: int) -> None:
        self._emit(MarkupEvent(self._text[:end]))
        self._after_tag = True

    def _say(self, text: str) -> None:
        if self._after_tag:
            self._emit(MarkupEvent(text[: len(text) - len(text.lstrip())]))
            text = text.lstrip()
        if text:
            self._emit(self._spoken(text))
            self._after_tag = False
            self._said = self._said or not self._thinking

    def _spoken(self, text: str) -> Event:
        return ReasoningEvent(text) if self._thinking else TextEvent(text)

    def _emit(self, event: Event) -> None:
        """Tells an event, and takes what it was read from off the text."""
        self._text = self._text[len(event.raw) :]
        if event.raw or isinstance(event, CallEvent):
            self._events.append(event)


@cache
def _pattern(tags: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(tags, key=len, reverse=True))))


def _held(text: str, tags: tuple[str, ...]) -> int:
    """Returns how many characters at the end of `text` may be the beginning of a tag."""
    firsts, longest = _firsts(tags)
    tail = text[-longest:] if longest else ""
    for place, letter in enumerate(tail):
        if letter in firsts and any(tag.startswith(tail[place:]) for tag in tags):
            return len(tail) - place
    return 0


@cache
def _firsts(tags: tuple[str, ...]) -> tuple[frozenset[str], int]:
    return frozenset(tag[0] for tag in tags), max(map(len, tags), default=1) - 1
