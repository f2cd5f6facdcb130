"""Byte-level BPE: every token is a run of bytes, written in the 256 characters of GPT-2."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from ..byte_letters import byte_of_letter
from .base import StreamingDetokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend


class BpeDetokenizer(StreamingDetokenizer):
    """Streams byte-level BPE: bytes go in, UTF-8 comes out.

    No space is trimmed: `decode` of a byte-level tokenizer keeps a leading space, too.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._byte_of = byte_of_letter()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        super().__init__()

    def _start(self) -> None:
        self._decoder.reset()

    def _next_text(self, token: int) -> str:
        piece = self._backend.id_to_token(token)
        if piece is None:
            return ""
        try:
            data = bytes([self._byte_of[character] for character in piece])
        except KeyError:
            # A token with a character outside the table is an added one, in plain text.
            data = piece.encode()
        return self._decoder.decode(data)

    def _last_text(self) -> str:
        return self._decoder.decode(b"", True)
