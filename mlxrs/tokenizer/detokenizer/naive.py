"""Any decoder: the last few tokens are decoded again, and what is new is emitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import StreamingDetokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

_MAX_HELD_TOKENS = 16


class NaiveDetokenizer(StreamingDetokenizer):
    """Streams tokens of a decoder it knows nothing about.

    The window is the tokens of the last emission (they settle how the next one joins) and those
    held since. Text that ends in U+FFFD is held, as it may be half a character, for at most
    16 tokens; so the cost of a token does not grow with the stream.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        super().__init__()

    def _start(self) -> None:
        self._before: list[int] = []
        self._held: list[int] = []

    def _next_text(self, token: int) -> str:
        if self._backend.id_to_token(token) is None:
            return ""
        self._held.append(token)
        text = self._held_text()
        incomplete = not text or text.endswith("\ufffd")
        if incomplete and len(self._held) < _MAX_HELD_TOKENS:
            return ""
        self._before, self._held = self._held, []
        return text

    def _last_text(self) -> str:
        text = self._held_text()
        self._held.clear()
        return text

    def _held_text(self) -> str:
        return self._decode(self._before + self._held)[len(self._decode(self._before)) :]

    def _decode(self, tokens: list[int]) -> str:
        return str(self._backend.decode(tokens, skip_special_tokens=False))
