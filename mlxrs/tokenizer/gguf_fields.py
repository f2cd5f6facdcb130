"""Typed, checked access to the `tokenizer.ggml.` metadata of a GGUF file."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from ..errors import FormatError

_PREFIX = "tokenizer.ggml."


class GgufFields:
    """The tokenizer's part of the metadata; every read is checked.

    Raises:
        FormatError: of every method, if a value breaks its rule.
    """

    def __init__(self, metadata: Mapping[str, object]) -> None:
        self._metadata = metadata
        self.vocabulary_size = len(self.tokens())

    def text(self, key: str, default: str | None = None) -> str:
        value = self._metadata.get(_PREFIX + key, default)
        if not isinstance(value, str):
            raise damaged(key, "a string", value)
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self._metadata.get(_PREFIX + key, default)
        if not isinstance(value, bool):
            raise damaged(key, "true or false", value)
        return value

    def tokens(self) -> list[str]:
        return self._strings("tokens")

    def unique_tokens(self) -> dict[str, int]:
        """Returns the id of every token."""
        tokens = self.tokens()
        vocabulary = {token: index for index, token in enumerate(tokens)}
        if len(vocabulary) != len(tokens):
            raise damaged("tokens", "unique", f"{len(tokens) - len(vocabulary)} tokens twice")
        return vocabulary

    def merges(self, ids: Mapping[str, int]) -> list[tuple[str, str]]:
        """Returns the pairs of tokens that are merged, given the ids of all."""
        merges: list[tuple[str, str]] = []
        for text in self._strings("merges"):
            # A token may begin with a space, but holds none behind that.
            cut = text.find(" ", 1)
            left, right = text[:cut], text[cut + 1 :]
            if cut < 0 or not right:
                raise damaged("merges", "pairs of tokens", text)
            merges.append((left, right))
        # The library ends in a panic where a pair makes no token.
        if missing := next((text for text in map("".join, merges) if text not in ids), None):
            raise damaged("merges", "pairs that are joined in the vocabulary", missing)
        return merges

    def kinds(self) -> list[int]:
        """Returns the kind of every token, normal where the file tells none."""
        value = self._metadata.get(_PREFIX + "token_type", [1] * self.vocabulary_size)
        if not isinstance(value, list) or len(value) != self.vocabulary_size:
            raise damaged("token_type", f"a list of {self.vocabulary_size} numbers", value)
        return value

    def scores(self) -> list[float]:
        value = self._metadata.get(_PREFIX + "scores")
        if (
            not isinstance(value, list)
            or len(value) != self.vocabulary_size
            or type(value[0]) is not float
            or not all(map(isfinite, value))
        ):
            raise damaged("scores", f"a list of {self.vocabulary_size} finite floats", value)
        return value

    def data(self, key: str) -> bytes:
        """Returns a list of bytes, signed or not; empty where there is none."""
        value = self._metadata.get(_PREFIX + key, [])
        if not isinstance(value, list) or (value and type(value[0]) is not int):
            raise damaged(key, "a list of bytes", value)
        try:
            return bytes(item & 0xFF for item in value)
        except TypeError:
            raise damaged(key, "a list of bytes", value) from None

    def token_id(self, key: str, default: int | None = None) -> int | None:
        value = self._metadata.get(_PREFIX + key, default)
        if value is None:
            return None
        if type(value) is not int or not 0 <= value < self.vocabulary_size:
            raise damaged(key, f"a token id below {self.vocabulary_size}", value)
        return value

    def _strings(self, key: str) -> list[str]:
        value = self._metadata.get(_PREFIX + key)
        if not isinstance(value, list) or not value or type(value[0]) is not str:
            raise damaged(key, "a list of strings", value)
        return value


def damaged(key: str, rule: str, value: object) -> FormatError:
    """Returns the error for a value that breaks its rule."""
    return FormatError(
        f"metadata {_PREFIX}{key} must be {rule}, got {str(value)[:80]!r}; "
        "the GGUF file is damaged or has no tokenizer: convert the model again"
    )
