"""What all streaming detokenizers share."""

from __future__ import annotations

from abc import ABC, abstractmethod


class StreamingDetokenizer(ABC):
    """Turns a stream of token ids into text, piece by piece.

    A character split over several tokens appears when its last byte has arrived; what is still
    incomplete at `finalize` appears as U+FFFD, as a full decode shows it.

    Example:
        >>> detokenizer = tokenizer.detokenizer()
        >>> for token in tokens:
        ...     detokenizer.add_token(token)
        ...     print(detokenizer.last_segment, end="", flush=True)
        >>> detokenizer.finalize()
        >>> print(detokenizer.last_segment)

    Attributes:
        tokens: the ids added since the last `reset`.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forgets all tokens and text."""
        self.tokens: list[int] = []
        self._seen: list[str] = []
        self._unseen: list[str] = []
        self._start()

    def add_token(self, token: int) -> None:
        """Adds one token id; an id outside the vocabulary adds no text, as in `decode`."""
        self.tokens.append(token)
        self._emit(self._next_text(token))

    def finalize(self) -> None:
        """Ends the stream: text that was held back for further tokens comes out."""
        self._emit(self._last_text())

    @property
    def text(self) -> str:
        """All text so far, without what is still held back."""
        self._seen = ["".join(self._seen)]
        return self._seen[0] + "".join(self._unseen)

    @property
    def last_segment(self) -> str:
        """The text that is new since this property was last read."""
        segment = "".join(self._unseen)
        self._seen.append(segment)
        self._unseen.clear()
        return segment

    @abstractmethod
    def _start(self) -> None:
        """Resets the state of the subclass."""

    @abstractmethod
    def _next_text(self, token: int) -> str:
        """Returns the text that is certain now that `token` has arrived."""

    @abstractmethod
    def _last_text(self) -> str:
        """Returns the text that was held back."""

    def _emit(self, text: str) -> None:
        if text:
            self._unseen.append(text)
