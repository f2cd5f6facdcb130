"""Sessions whose caches have so many bytes and no more."""

from __future__ import annotations

import pytest
from support.chat import chat, contents

import mlxc as mx
from mlxrs.errors import ContextLengthError
from mlxrs.lm.cache import (
    ArraysCache,
    CacheList,
    ChunkedKVCache,
    KVCache,
    QuantizedKVCache,
    RotatingKVCache,
    RotatingQuantizedKVCache,
)
from mlxrs.lm.cache_budget import CacheBudget
from mlxrs.lm.draft_model import SpeculativeDecodingConfig
from mlxrs.lm.response import FinishReason
from mlxrs.lm.session import ChatSession
from mlxrs.testing import FakeModel, RecallModel

# Two layers of keys and values, of 128 numbers of 4 bytes each.
TOKEN = 2 * 2 * 128 * 4
BLOCK = 256 * TOKEN


def words(count: int) -> str:
    return " ".join(["hello"] * count)


@pytest.mark.parametrize(
    "make",
    [
        KVCache,
        QuantizedKVCache,
        lambda: RotatingKVCache(300, keep=4),
        lambda: RotatingKVCache(1000),
        lambda: RotatingQuantizedKVCache(300),
        lambda: ChunkedKVCache(None),
        lambda: CacheList(KVCache(), RotatingKVCache(256)),
    ],
)
@pytest.mark.parametrize("tokens", [1, 256, 257, 600])
def test_one_token_tells_what_many_take(make, tokens):
    def held(count):
        caches = [make()]
        for cache in caches[0].caches if isinstance(caches[0], CacheList) else caches:
            rows = mx.zeros((1, 1, 1, 128))
            for _ in range(count):
                cache.update_and_fetch(rows, rows)
        return caches[0]

    assert held(1).nbytes_for(tokens) == held(tokens).nbytes


def test_a_state_takes_what_it_takes():
    cache = ArraysCache(1)
    cache[0] = mx.zeros((1, 10))

    assert cache.nbytes_for(10**6) == cache.nbytes == 40


def test_a_budget_is_whole_blocks_of_tokens():
    model = FakeModel(11)

    def tokens(nbytes):
        return CacheBudget.of(nbytes, [(model, model.make_cache)]).tokens

    assert [tokens(BLOCK), tokens(3 * BLOCK - 1), tokens(3 * BLOCK)] == [256, 512, 768]
    with pytest.raises(ValueError, match=f"at least {BLOCK}, .* of 256 tokens take, got 1000"):
        tokens(1000)


def test_windows_that_fit_are_no_limit():
    model = RecallModel(11, lambda: [RotatingKVCache(256), RotatingKVCache(100)])

    assert CacheBudget.of(BLOCK, [(model, model.make_cache)]).tokens is None


def test_a_prompt_beyond_the_bytes_is_refused_with_numbers():
    session = chat(3, max_cache_bytes=2 * BLOCK)
    session.respond("hello")
    before = contents(session)

    with pytest.raises(ContextLengthError, match=rf"={2 * BLOCK} holds the caches of 512; raise"):
        session.respond(words(600))

    assert contents(session) == before and session.respond("world")


def test_a_reply_ends_where_the_bytes_do():
    session = chat(2000, max_cache_bytes=BLOCK)

    reply = session.respond("hello")

    # The last token is never read.
    assert reply.generation_tokens == 256 - reply.prompt_tokens + 1
    assert reply.finish_reason is FinishReason.LENGTH and session.cache_nbytes == BLOCK


def test_the_context_of_the_model_counts_where_it_is_shorter():
    session = chat(3, FakeModel(11, context_length=20), max_cache_bytes=BLOCK)

    with pytest.raises(ContextLengthError, match="the context of the model holds 20"):
        session.respond(words(30))


def test_a_draft_model_takes_its_part():
    speculative = SpeculativeDecodingConfig(FakeModel(11))
    session = chat(2000, speculative=speculative, max_cache_bytes=2 * BLOCK)

    reply = session.respond("hello")

    assert reply.prompt_tokens + reply.generation_tokens == 256 + 1
    assert 0 < session.cache_nbytes <= 2 * BLOCK


def test_packed_caches_hold_more():
    session = chat(600, kv_bits=4, max_cache_bytes=BLOCK)

    assert session.respond("hello").generation_tokens == 600
    assert session.cache_nbytes <= BLOCK


@pytest.mark.parametrize("overflow", ["drop_oldest", "rotate"])
def test_a_long_conversation_stays_within_its_bytes(overflow):
    model = RecallModel(11)
    session = chat(40, model, max_cache_bytes=BLOCK, overflow=overflow)
    for turn in range(8):
        session.respond(words(20 + turn))
        assert session.cache_nbytes <= BLOCK or overflow == "rotate"

    assert len(session.history) == 16
    assert max(cache.nbytes for cache in session.current_cache) <= BLOCK // 2


def test_moments_to_come_back_to_are_given_up_for_want_of_bytes():
    def model():
        return RecallModel(11, lambda: [RotatingKVCache(16), RotatingKVCache(16)])

    plain = chat(20, model())
    thrifty = chat(20, model(), max_cache_bytes=40 * TOKEN)
    for turn in ("hello", "the fox", "quick brown", "world", "hello world"):
        assert thrifty.respond(turn) == plain.respond(turn)

    assert thrifty.cache_nbytes <= 40 * TOKEN < plain.cache_nbytes
    for session in (thrifty, plain):
        session.undo(3)
    replies = [session.respond("brown") for session in (thrifty, plain)]
    assert replies[0] == replies[1] and replies[0].cached_tokens < replies[1].cached_tokens


def test_the_bytes_of_nothing_are_none():
    session = chat(3)
    assert session.cache_nbytes == 0

    session.respond("hello")
    session.clear()

    assert session.cache_nbytes == 0


def test_a_limit_goes_along_with_a_session(tmp_path):
    session = chat(3, max_cache_bytes=BLOCK)
    session.respond("hello")
    session.save(tmp_path / "a.safetensors")
    loaded = ChatSession.load(tmp_path / "a.safetensors", session._model, session._tokenizer)

    for other in (session.fork(), loaded):
        with pytest.raises(ContextLengthError, match="max_cache_bytes"):
            other.respond(words(300))


@pytest.mark.parametrize("value", [0, -1, 1.5, "1 GB"])
def test_a_limit_is_checked(value):
    with pytest.raises((ValueError, TypeError), match="max_cache_bytes"):
        chat(3, max_cache_bytes=value)
