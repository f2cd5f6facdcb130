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
        self._parts: list[str] = []
        self._read = 0  # how many of the parts `last_segment` has returned

    @abstractmethod
    def add_token(self, token: int) -> None:
        """Adds one token id; an id outside the vocabulary adds no text, as in `decode`."""

    @abstractmethod
    def finalize(self) -> None:
        """Ends the stream: text that was held back for further tokens comes out."""

    @property
    def text(self) -> str:
        """All text so far, without what is still held back."""
        self._parts = ["".join(self._parts[: self._read]), "".join(self._parts[self._read :])]
        self._read = 1
        return self._parts[0] + self._parts[1]

    @property
    def last_segment(self) -> str:
        """The text that is new since this property was last read."""
        parts, read = self._parts, self._read
        self._read = len(parts)
        if len(parts) - read == 1:
            return parts[read]
        return "".join(parts[read:])
