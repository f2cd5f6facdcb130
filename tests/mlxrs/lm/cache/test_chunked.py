import pytest
from support.seen import read, shown

import mlxc as mx
from mlxrs.lm.cache import ChunkedKVCache
from mlxrs.testing.token_rows import token_rows


def filled(chunk_size, count):
    rows = token_rows(mx.arange(count)[None], 0)
    return ChunkedKVCache.from_state([rows, rows], (str(chunk_size), "0"))


def test_the_front_goes_when_a_chunk_is_full():
    cache = filled(4, 6)
    assert (cache.offset, cache.meta_state) == (6, ("4", "0"))

    cache.maybe_trim_front()
    assert shown(cache) == [2, 3, 4, 5]
    assert (cache.offset, cache.meta_state) == (6, ("4", "2"))

    read(cache, [[6]])
    assert shown(cache) == [2, 3, 4, 5, 6]
    assert (cache.offset, cache.meta_state) == (7, ("4", "2"))


@pytest.mark.parametrize("chunk_size", [4, None])
def test_nothing_goes_while_there_is_room(chunk_size):
    cache = ChunkedKVCache(chunk_size)
    cache.maybe_trim_front()
    read(cache, [[0]])
    cache.maybe_trim_front()

    assert shown(cache) == [0] and cache.meta_state == (str(chunk_size), "0")


def test_trim_stops_at_the_first_token_held_and_needs_its_front():
    cache = filled(4, 6)
    assert cache.is_trimmable()

    cache.maybe_trim_front()

    assert not cache.is_trimmable()
    assert cache.trim(9) == 4 and cache.offset == 2


def test_a_snapshot_brings_the_front_back():
    cache = filled(4, 6)
    before = cache.snapshot()
    cache.maybe_trim_front()
    read(cache, [[6, 7]])

    cache.restore(before)

    assert shown(cache) == [0, 1, 2, 3, 4, 5] and cache.meta_state == ("4", "0")


@pytest.mark.parametrize(
    "meta", [(), ("4",), ("x", "0"), ("0", "0"), ("4", "-1"), ("None", "0", "1")]
)
def test_a_foreign_state_is_refused(meta):
    with pytest.raises(ValueError):
        ChunkedKVCache.from_state([], meta)
