"""Stop strings in a text that comes piece by piece."""

from __future__ import annotations

from collections.abc import Sequence


class StopMatcher:
    """Lets text through up to the first stop string, and never a part of one.

    The end of the text so far is withheld as long as it may be the beginning of a stop string.
    What a piece costs depends on its length and on that of the stop strings, not on the text
    before.

    Attributes:
        matched: The stop string found; None as long as there is none.
    """

    def __init__(self, stop_strings: Sequence[str]) -> None:
        """Look for any of several texts; empty ones are passed over."""
        self._stops = [stop for stop in stop_strings if stop]
        self._withheld = ""
        self.matched: str | None = None

    def feed(self, piece: str) -> str:
        """Take the next piece of text and return what is certain to belong to the reply.

        Where a stop string is complete, what stands before it is returned, `matched` is set, and
        everything after is dropped. Of several the one that begins first counts, of those that
        begin together the one named first.
        """
        if self.matched is not None:
            return ""
        text = self._withheld + piece
        found = [(text.find(stop), rank) for rank, stop in enumerate(self._stops) if stop in text]
        if found:
            start, rank = min(found)
            self.matched, self._withheld = self._stops[rank], ""
            return text[:start]
        safe = len(text) - self._unfinished(text)
        self._withheld = text[safe:]
        return text[:safe]

    def flush(self) -> str:
        """Return what is withheld: there is no more text."""
        text, self._withheld = self._withheld, ""
        return text

    def _unfinished(self, text: str) -> int:
        """The length of the longest end of `text` that begins a stop string."""
        longest = min(len(text), max(map(len, self._stops), default=1) - 1)
        for length in range(longest, 0, -1):
            end = text[-length:]
            if any(stop.startswith(end) for stop in self._stops):
                return length
        return 0
