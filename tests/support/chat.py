"""Chat sessions with models whose answers are known, and what to look at in them."""

from __future__ import annotations

from support.word_tokenizers import byte_level_tokenizer, word_tokenizer

import mlxc as mx
from mlxrs.lm.cache import Cache
from mlxrs.lm.params import GenConfig
from mlxrs.lm.session import ChatSession
from mlxrs.testing import FakeModel


def chat(max_tokens: int, model=None, tokenizer=None, **options) -> ChatSession:
    """Return a session with a model of 11 tokens that says `</think>`, unless told otherwise."""
    return ChatSession(
        model or FakeModel(11),
        tokenizer or word_tokenizer(),
        params=GenConfig(max_tokens=max_tokens),
        **options,
    )


def offset(session: ChatSession) -> int:
    """Return how many tokens the caches hold; all layers must agree."""
    offsets = {cache.offset for cache in session.current_cache or []}
    assert len(offsets) == 1, "the layers are out of step"
    return offsets.pop()


def contents(session: ChatSession) -> list[tuple[str, str]]:
    """Return who said what."""
    return [(str(message.role), message.content) for message in session.history]


def restored(length: int) -> list[Cache]:
    """Return caches that hold so many tokens nobody names."""
    model = FakeModel(11)
    caches = model.make_cache()
    model(mx.zeros((1, length), dtype=mx.int32), caches)
    return caches


def unfinished(count: int) -> str:
    """Return what a new detokenizer makes of `count` unfinished bytes in the end."""
    detokenizer = byte_level_tokenizer().detokenizer()
    for _ in range(count):
        detokenizer.add_token(11)
    detokenizer.finalize()
    return detokenizer.text
