"""SentencePiece with byte fallback: a token is text with "▁" for a space, or one byte `<0xHH>`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .base import StreamingDetokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")


class SpmDetokenizer(StreamingDetokenizer):
    """Streams SentencePiece tokens.

    A run of byte tokens is held until a text token ends it: `decode` shows a run as text only if
    all of it is UTF-8, and otherwise one U+FFFD a byte.

    Args:
        backend: the tokenizer.
        strip_first_space: whether one space at the very start is dropped.
    """

    def __init__(self, backend: Backend, *, strip_first_space: bool) -> None:
        self._backend = backend
        self._strip_first_space = strip_first_space
        super().__init__()

    def _start(self) -> None:
        self._bytes = bytearray()
        self._at_start = self._strip_first_space

    def _next_text(self, token: int) -> str:
        piece = self._backend.id_to_token(token)
        if piece is None:
            return ""
        if match := _BYTE.fullmatch(piece):
            self._bytes.append(int(match.group(1), 16))
            return ""
        return self._stripped(self._byte_text() + piece.replace("▁", " "))

    def _last_text(self) -> str:
        return self._stripped(self._byte_text())

    def _byte_text(self) -> str:
        try:
            return self._bytes.decode()
        except UnicodeDecodeError:
            return "\ufffd" * len(self._bytes)
        finally:
            self._bytes.clear()

    def _stripped(self, text: str) -> str:
        if self._at_start and text:
            self._at_start = False
            return text.removeprefix(" ")
        return text
