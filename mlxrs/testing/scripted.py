"""A model that gives a reply it was told."""

from __future__ import annotations

from collections.abc import Sequence

import mlxc as mx

from ..lm.cache import Cache
from .fake import FakeModel, one_hot


class ScriptedModel(FakeModel):
    """Says the tokens of a reply one after the other behind a prompt of known length.

    What it says depends on the position alone, so it may be read in chunks, taken back and asked
    again. In front of the reply it says the first of its tokens, behind it the last.

    Args:
        vocab_size: V.
        reply: The ids it says, one at least.
        prompt_length: How many tokens there are before the reply.
        num_layers: How many caches it has.
        context_length: The most tokens it may see; None for no limit.

    Raises:
        ValueError: The reply is empty or holds an id that is not below V.

    Example:
        model = ScriptedModel(50, [7, 8, 9, eos], prompt_length=3)
    """

    def __init__(
        self,
        vocab_size: int,
        reply: Sequence[int],
        prompt_length: int,
        num_layers: int = 2,
        *,
        context_length: int | None = None,
    ) -> None:
        super().__init__(vocab_size, num_layers, context_length=context_length)
        if not reply or not all(0 <= token < vocab_size for token in reply):
            raise ValueError(
                f"reply must be token ids below {vocab_size}, one at least, got {list(reply)}"
            )
        self.reply = list(reply)
        self.prompt_length = prompt_length

    def answer(self, tokens: mx.array, cache: Sequence[Cache]) -> mx.array:
        offset = mx.array(cache[0].offset).reshape(-1, 1)
        super().answer(tokens, cache)
        place = offset + mx.arange(tokens.shape[1]) - (self.prompt_length - 1)
        place = mx.clip(place, 0, len(self.reply) - 1)
        said = mx.broadcast_to(mx.array(self.reply)[place], tokens.shape)
        return one_hot(self.vocab_size, said)
