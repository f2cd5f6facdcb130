"""SentencePiece with byte fallback: a token is text with "▁" for a space, or one byte `<0xHH>`."""

from __future__ import annotations

import re

from .base import StreamingDetokenizer
from .table import TokenTable

_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")


class PieceTable(TokenTable[str | int]):
    """For each token its text, or its byte as a number."""

    def entry(self, text: str) -> str | int:
        if match := _BYTE.fullmatch(text):
            return int(match.group(1), 16)
        return text.replace("▁", " ")


class SpmDetokenizer(StreamingDetokenizer):
    """Streams SentencePiece tokens.

    A run of byte tokens is held until a text token ends it: `decode` shows a run as text only if
    all of it is UTF-8, and otherwise one U+FFFD a byte.

    Args:
        table: of the tokenizer.
        strip_first_space: whether one space at the very start is dropped.
    """

    def __init__(self, table: PieceTable, *, strip_first_space: bool) -> None:
        self._table = table
        self._strip_first_space = strip_first_space
        super().__init__()

    def reset(self) -> None:
        super().reset()
        self._bytes = bytearray()
        self._at_start = self._strip_first_space

    def add_token(self, token: int) -> None:
        self.tokens.append(token)
        piece = self._table[token]
        if isinstance(piece, str):
            if self._bytes:
                self.finalize()
            if self._at_start:
                self._begin(piece)
            else:
                self._parts.append(piece)
        elif piece is not None:
            self._bytes.append(piece)

    def finalize(self) -> None:
        if not self._bytes:
            return
        try:
            text = self._bytes.decode()
        except UnicodeDecodeError:
            text = "\ufffd" * len(self._bytes)
        self._bytes.clear()
        if self._at_start:
            self._begin(text)
        else:
            self._parts.append(text)

    def _begin(self, text: str) -> None:
        """Adds the first text; an empty one is not yet the first."""
        if text:
            self._at_start = False
            self._parts.append(text.removeprefix(" "))
