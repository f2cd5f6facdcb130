"""Guesses out of the text itself: what followed the same words before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event

import mlxc as mx

from .drafter import Acceptance, Draft, check_speculation
from .params import GenConfig


@dataclass(frozen=True)
class PromptLookupConfig:
    """Speculation without a draft model (https://github.com/apoorvumang/prompt-lookup-decoding).

    Where the last tokens came up before, in the prompt or in the reply, what followed them there
    is the guess. That pays where a reply repeats its prompt: summaries, corrections, code.

    Attributes:
        num_draft_tokens: The most tokens guessed at once, 64 at most; 0 for no speculation.
        max_ngram_size: How many of the last tokens are looked for at first.
        min_ngram_size: How few at last, where more were not found.
        acceptance: "exact" accepts a guess that is the token the model itself says, and so gives
            the text that plain generation with the same seed gives. "ratio" accepts a guess as
            often as it is likely; the text is another draw from the same distribution.
        context: Tokens in front of the prompt, which the caches hold already, to look in too.

    Raises:
        ValueError: A setting is out of range.

    Example:
        stream_generate(model, tokenizer, text, speculative=PromptLookupConfig())
    """

    num_draft_tokens: int = 8
    max_ngram_size: int = 3
    min_ngram_size: int = 2
    acceptance: Acceptance = "exact"
    context: Sequence[int] = ()

    def __post_init__(self) -> None:
        check_speculation(self.num_draft_tokens, self.acceptance)
        if not 1 <= self.min_ngram_size <= self.max_ngram_size <= 32:
            raise ValueError(
                "min_ngram_size must be >= 1 and at most max_ngram_size, which is at most 32, got "
                f"{self.min_ngram_size} and {self.max_ngram_size}; 2 and 3 are usual"
            )

    def make_drafter(self, params: GenConfig) -> PromptLookupDrafter:
        """See `Speculation`."""
        return PromptLookupDrafter(self.max_ngram_size, self.min_ngram_size, self.context)


class PromptLookupDrafter:
    """A `Drafter` that looks the last tokens up in the text before them.

    The longest match counts, of those of one length the last. What a call costs depends on the
    tokens that are new, not on all.

    Args:
        max_ngram_size: How many of the last tokens are looked for at first.
        min_ngram_size: How few at last.
        context: Tokens in front of the prompt.
    """

    def __init__(
        self, max_ngram_size: int = 3, min_ngram_size: int = 2, context: Sequence[int] = ()
    ) -> None:
        self._sizes = range(max_ngram_size, min_ngram_size - 1, -1)
        self._text = list(context)
        self._offset = len(self._text)
        self._indexed = 0
        # The place behind the last occurrence of each n-gram; not yet of those at the end.
        self._places: dict[tuple[int, ...], int] = {}

    def prefill(self, prompt: mx.array, *, step_size: int, cancel: Event | None) -> bool:
        return True

    def propose(self, tokens: Sequence[int], count: int) -> Draft:
        text = self._text
        text.extend(tokens[len(text) - self._offset :])
        for place in range(self._indexed + 1, len(text)):
            for size in self._sizes:
                if size <= place:
                    self._places[tuple(text[place - size : place])] = place
        self._indexed = max(len(text) - 1, 0)
        for size in self._sizes:
            found = self._places.get(tuple(text[-size:])) if size < len(text) else None
            if found is not None:
                return Draft.of(_repeat(text, found, count))
        return Draft.of([])

    def settle(self, tokens: Sequence[int]) -> None:
        pass


def _repeat(text: Sequence[int], start: int, count: int) -> list[int]:
    """Return what follows `start`, and where the text ends, what follows there on repetition."""
    period = len(text) - start
    return [text[start + i % period] for i in range(count)]
