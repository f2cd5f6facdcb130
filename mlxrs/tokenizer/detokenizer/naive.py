"""Any decoder: the last few tokens are decoded again, and what is new is emitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import StreamingDetokenizer
from .table import TokenTable

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

_MAX_HELD_TOKENS = 16


class KnownTable(TokenTable[bool]):
    """True for each token that adds something."""

    def entry(self, text: str) -> bool:
        return True


class NaiveDetokenizer(StreamingDetokenizer):
    """Streams tokens of a decoder it knows nothing about.

    The window is the tokens of the last emission (they settle how the next one joins) and those
    held since. Text that ends in U+FFFD is held, as it may be half a character, for at most
    16 tokens; so the cost of a token does not grow with the stream.

    Args:
        table: which tokens add something.
        backend: the tokenizer, which decodes.
    """

    def __init__(self, table: KnownTable, backend: Backend) -> None:
        self._table = table
        self._backend = backend
        super().__init__()

    def reset(self) -> None:
        super().reset()
        self._before: list[int] = []
        self._before_text = ""
        self._held: list[int] = []

    def add_token(self, token: int) -> None:
        self.tokens.append(token)
        if not self._table[token]:
            return
        self._held.append(token)
        text = self._held_text()
        incomplete = not text or text.endswith("\ufffd")
        if not incomplete or len(self._held) == _MAX_HELD_TOKENS:
            self._before, self._held = self._held, []
            self._before_text = self._decode(self._before)
            self._parts.append(text)

    def finalize(self) -> None:
        self._parts.append(self._held_text())
        self._held.clear()

    def _held_text(self) -> str:
        return self._decode(self._before + self._held)[len(self._before_text) :]

    def _decode(self, tokens: list[int]) -> str:
        return str(self._backend.decode(tokens, skip_special_tokens=False))
