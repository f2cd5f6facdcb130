"""What each token adds to a text, looked up once and shared by all detokenizers of a tokenizer."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

Entry = TypeVar("Entry")


class TokenTable(dict[int, Entry | None], Generic[Entry]):
    """A dict from token id to what the token adds; None for a token that adds nothing.

    It fills itself as tokens are met, so making one costs nothing, and ids outside the
    vocabulary are not remembered.

    Args:
        backend: the tokenizer.
        skip_special_tokens: whether special tokens add nothing.
    """

    def __init__(self, backend: Backend, *, skip_special_tokens: bool) -> None:
        super().__init__()
        self._backend = backend
        self._skipped = special_texts(backend) if skip_special_tokens else frozenset()

    def __missing__(self, token: int) -> Entry | None:
        text = self._backend.id_to_token(token) if 0 <= token < 1 << 32 else None
        if text is None:
            return None
        entry = None if text in self._skipped else self.entry(text)
        self[token] = entry
        return entry

    @abstractmethod
    def entry(self, text: str) -> Entry:
        """Returns what the token with this text in the vocabulary adds."""


def special_texts(backend: Backend) -> frozenset[str]:
    """Returns the texts of the special tokens."""
    added = backend.get_added_tokens_decoder().values()
    return frozenset(token.content for token in added if token.special)
