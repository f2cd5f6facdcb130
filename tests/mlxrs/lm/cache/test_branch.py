"""Copies of caches that can come back to the moments their originals can."""

from __future__ import annotations

import pytest

import mlxc as mx
from mlxrs.lm.cache import (
    ArraysCache,
    CacheList,
    ChunkedKVCache,
    KVCache,
    QuantizedKVCache,
    RotatingKVCache,
    RotatingQuantizedKVCache,
)

KINDS = {
    "plain": KVCache,
    "packed": QuantizedKVCache,
    "ring": lambda: RotatingKVCache(6, keep=2),
    "packed ring": lambda: RotatingQuantizedKVCache(5),
    "chunks": lambda: ChunkedKVCache(4),
    "states": lambda: ArraysCache(1),
    "list": lambda: CacheList(RotatingKVCache(4), ArraysCache(1)),
}


def feed(cache, value: float, length: int = 1) -> None:
    if isinstance(cache, CacheList):
        for child in cache.caches:
            feed(child, value, length)
    elif isinstance(cache, ArraysCache):
        before = mx.zeros((1, 3)) if cache[0] is None else cache[0]
        cache[0] = before * 2 + value
        cache.advance(length)
    else:
        rows = mx.full((1, 1, length, 64), value, mx.float32)
        cache.update_and_fetch(rows, rows)


def held(cache) -> tuple[object, ...]:
    return [array.tolist() for array in cache.state], cache.meta_state, cache.position


@pytest.mark.parametrize("kind", KINDS)
def test_a_branch_and_its_origin_come_back_to_the_same_moments(kind):
    cache = KINDS[kind]()
    snapshots, moments = [], []
    for value in range(1, 6):
        feed(cache, value, length=3 if value == 3 else 1)
        snapshots.append(cache.snapshot())
        moments.append(held(cache))
        feed(cache, value + 0.5)

    twin, copies = cache.branch(snapshots)

    assert held(twin) == held(cache) and len(copies) == len(snapshots)
    for value in (7, 8, 9):
        feed(cache, value)
    feed(twin, 10, length=2)
    feed(twin, 11)
    for place in (4, 1, 0):
        twin.restore(copies[place])
        assert held(twin) == moments[place]
        feed(twin, 12)
        cache.restore(snapshots[place])
        assert held(cache) == moments[place]
        feed(cache, 13)


@pytest.mark.parametrize("kind", KINDS)
def test_a_branch_of_a_branch_goes_its_own_way(kind):
    cache = KINDS[kind]()
    feed(cache, 1, length=2)
    first = cache.snapshot()
    moment = held(cache)
    feed(cache, 2)

    one, [of_one] = cache.branch([first])
    feed(one, 3)
    other, [of_other] = one.branch([of_one])
    del cache, first, one, of_one
    feed(other, 4)
    other.restore(of_other)

    assert held(other) == moment


@pytest.mark.parametrize("kind", KINDS)
def test_snapshots_of_others_do_not_go_along(kind):
    cache, stranger = KINDS[kind](), KINDS[kind]()
    for made in (cache, stranger):
        feed(made, 1)
    foreign = stranger.snapshot()

    with pytest.raises(ValueError, match="only snapshots of this cache"):
        cache.branch([foreign])


@pytest.mark.parametrize("kind", KINDS)
def test_a_branch_without_moments_is_a_copy(kind):
    cache = KINDS[kind]()
    feed(cache, 1)

    twin, none = cache.branch([])
    feed(twin, 2)

    assert none == [] and held(twin) != held(cache)
