"""Byte-level BPE: every token is a run of bytes, written in the 256 letters of GPT-2."""

from __future__ import annotations

import codecs

from ..byte_letters import byte_of_letter
from .base import StreamingDetokenizer
from .table import TokenTable


class ByteLevelTable(TokenTable[str | bytes]):
    """For each token its text, or its bytes if they are not UTF-8 by themselves."""

    def entry(self, text: str) -> str | bytes:
        try:
            data = bytes([byte_of_letter()[letter] for letter in text])
        except KeyError:
            # A token with a letter outside the 256 is an added one, in plain text.
            return text
        try:
            return data.decode()
        except UnicodeDecodeError:
            return data


class BpeDetokenizer(StreamingDetokenizer):
    """Streams byte-level BPE: bytes go in, UTF-8 comes out.

    No space is trimmed: `decode` of a byte-level tokenizer keeps a leading space, too.
    """

    def __init__(self, table: ByteLevelTable) -> None:
        self._table = table
        super().__init__()

    def reset(self) -> None:
        super().reset()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._unfinished = False

    def add_token(self, token: int) -> None:
        self.tokens.append(token)
        piece = self._table[token]
        if isinstance(piece, str):
            if self._unfinished:
                self.finalize()
            self._parts.append(piece)
        elif piece is not None:
            text = self._decoder.decode(piece)
            self._unfinished = self._decoder.getstate()[0] != b""
            if text:
                self._parts.append(text)

    def finalize(self) -> None:
        if self._unfinished:
            self._parts.append(self._decoder.decode(b"", True))
            self._unfinished = False
