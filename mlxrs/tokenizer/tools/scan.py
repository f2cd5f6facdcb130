"""The end of a call, looked for while it comes."""

from __future__ import annotations

import re
from functools import cache

from .formats import Bracket

# A list of JSON does not begin with A or C; what Mistral puts between a name and its arguments
# does. One character more must be there to tell.
_BRACKETS = (r"\[(?:ARGS|CALL_ID)\]", r"[{}\]]", r"\[(?=[^AC])")
_LONGEST_BRACKET = len("[CALL_ID]")


class Scan:
    """Looks for the end of one call, at each character once.

    Args:
        bracket: what the call stands between.
        begin: the place behind its first tag.

    Attributes:
        bracket: the same.
        begin: the same.
    """

    def __init__(self, bracket: Bracket, begin: int) -> None:
        self.bracket = bracket
        self.begin = begin
        self._place = begin
        self._quotes = dict(bracket.quotes)
        self._quote = ""
        self._depth = 0
        self._longest = max(_LONGEST_BRACKET, *map(len, (*bracket.ends, *self._quotes)))

    def find(self, text: str) -> tuple[int, int] | None:
        """Returns where the call ends and where its last tag does; None where text is missing."""
        while True:
            # A backslash and what follows it are found together.
            longest = max(2, len(self._quote)) if self._quote else self._longest
            pattern = _closing(self._quote) if self._quote else _ending(self.bracket)
            found = pattern.search(text, self._place)
            if found is None:
                self._place = max(self._place, len(text) - longest + 1)
                return None
            self._place = found.end()
            tag = found[0]
            if self._quote:
                self._quote = "" if tag == self._quote else self._quote
            elif tag in self._quotes:
                self._quote = self._quotes[tag]
            elif tag in self.bracket.ends:
                return found.start(), found.end()
            else:
                self._depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(tag, 0)
                if tag in "}]" and self._depth <= 0:
                    return found.end(), found.end()


@cache
def _closing(quote: str) -> re.Pattern[str]:
    """Returns what ends a quotation; a backslash lets the next character pass."""
    escape = r"\\.|" if len(quote) == 1 else ""
    return re.compile(escape + re.escape(quote), re.DOTALL)


@cache
def _ending(bracket: Bracket) -> re.Pattern[str]:
    tags = map(re.escape, (*dict(bracket.quotes), *bracket.ends))
    return re.compile("|".join((*tags, *(() if bracket.ends else _BRACKETS))))
