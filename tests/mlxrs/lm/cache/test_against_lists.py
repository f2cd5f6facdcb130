"""Every kind of cache beside one that keeps lists."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.seen import read

from mlxrs.lm.cache import (
    ChunkedKVCache,
    KVCache,
    QuantizedKVCache,
    RotatingKVCache,
    RotatingQuantizedKVCache,
)


def within(query, key, window):
    return window is None or key > query - window


everything = within


def ring(max_size, keep):
    def rule(query, key, window):
        # A window as wide as the ring or wider hides nothing, not even the first tokens.
        held = key < keep or key > query - (max_size - keep)
        return held and (window is None or window >= max_size or within(query, key, window))

    return rule


def chunk(size):
    return lambda query, key, window: query // size == key // size and within(query, key, window)


class SmallSteps(KVCache):
    STEP = 4


KINDS = {
    "full": (KVCache, everything),
    "full, growing by 4": (SmallSteps, everything),
    "quantized": (lambda: QuantizedKVCache(64, 4), everything),
    "quantized to 2 bits after 5 tokens": (lambda: QuantizedKVCache(32, 2, start=5), everything),
    "rotating": (lambda: RotatingKVCache(7), ring(7, 0)),
    "rotating, first kept": (lambda: RotatingKVCache(8, keep=3), ring(8, 3)),
    "rotating, one token": (lambda: RotatingKVCache(1), ring(1, 0)),
    "rotating quantized": (lambda: RotatingQuantizedKVCache(6, 2, 128, 8), ring(6, 2)),
    "rotating quantized late": (lambda: RotatingQuantizedKVCache(6, 0, 64, 3, start=9), ring(6, 0)),
    "chunked": (lambda: ChunkedKVCache(5), chunk(5)),
}

ACTIONS = st.one_of(
    st.tuples(st.just("read"), st.integers(1, 9)),
    st.tuples(st.just("read"), st.just(1)),
    st.tuples(st.just("trim"), st.integers(1, 4)),
    st.tuples(st.just("copy"), st.just(0)),
    st.tuples(st.just("rebuild"), st.just(0)),
    st.tuples(st.just("snapshot"), st.just(0)),
    st.tuples(st.just("restore"), st.integers(0, 3)),
)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None)
@given(actions=st.lists(ACTIONS, max_size=14), window=st.sampled_from([None, 3, 20]))
def test_attention_sees_what_lists_would_show(kind, actions, window):
    make, rule = KINDS[kind]
    cache, tokens, next_id = make(), [], 1000
    snapshots = []
    for action, number in actions:
        if action == "read":
            new = list(range(next_id, next_id + number))
            next_id += number
            if isinstance(cache, ChunkedKVCache):
                cache.maybe_trim_front()
            first, tokens = len(tokens), tokens + new
            expected = [
                [(key, tokens[key]) for key in range(query + 1) if rule(query, key, window)]
                for query in range(first, len(tokens))
            ]
            assert read(cache, [new], window) == [expected]
        elif action == "trim" and cache.is_trimmable():
            gone = cache.trim(number)
            assert gone == number or gone < number
            tokens = tokens[: len(tokens) - gone]
        elif action == "copy":
            other, cache = cache, cache.copy()
            snapshots = []
            if other.position:
                read(other, [[1, 2]])
                read(other, [[3]])
        elif action == "rebuild" and cache.position:
            cache = type(cache).from_state(cache.state, cache.meta_state)
            snapshots = []
        elif action == "snapshot":
            snapshots.append((cache.snapshot(), list(tokens)))
        elif action == "restore" and snapshots:
            snapshot, tokens = snapshots[number % len(snapshots)]
            tokens = list(tokens)
            cache.restore(snapshot)
        assert cache.position == cache.offset == len(tokens)
