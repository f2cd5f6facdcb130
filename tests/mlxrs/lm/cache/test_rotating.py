import numpy as np
import pytest
from support.seen import read, shown

import mlxc as mx
from mlxrs.lm.cache import KVCache, RotatingKVCache, RotatingQuantizedKVCache


def fed(max_size, keep, *lengths):
    """A cache that was fed ids 0, 1, 2, … in steps of the given lengths."""
    cache, position = RotatingKVCache(max_size, keep), 0
    for length in lengths:
        read(cache, [list(range(position, position + length))])
        position += length
    return cache


def test_the_ring_behind_the_first_tokens_is_overwritten_in_place():
    cache, returned = RotatingKVCache(8, keep=4), []
    for token in range(12):
        read(cache, [[token]])
        returned.append(shown(cache))

    assert returned[:8] == [list(range(count)) for count in range(1, 9)]
    assert returned[8:] == [
        [0, 1, 2, 3, 8, 5, 6, 7],
        [0, 1, 2, 3, 8, 9, 6, 7],
        [0, 1, 2, 3, 8, 9, 10, 7],
        [0, 1, 2, 3, 8, 9, 10, 11],
    ]
    assert cache.offset == 12 and not cache.is_trimmable() and cache.trim(1) == 0


def test_a_prompt_and_then_single_tokens():
    assert shown(fed(6, 2, 5)) == [0, 1, 2, 3, 4]
    assert shown(fed(6, 2, 5, 1)) == [0, 1, 2, 3, 4, 5]
    assert shown(fed(6, 2, 5, 1, 1)) == [0, 1, 6, 3, 4, 5]
    assert fed(6, 2, 5, 1, 1).offset == 7


def test_several_tokens_behind_a_full_ring_put_it_in_order():
    cache = fed(8, 4, *[1] * 9, 2)

    assert shown(cache) == [0, 1, 2, 3, 6, 7, 8, 9, 10]
    assert cache.offset == 11


def test_a_prompt_longer_than_the_window_keeps_what_every_query_needs():
    cache = fed(4, 0, 10)

    assert shown(cache) == list(range(10))
    assert shown(fed(4, 0, 10, 1)) == [10, 7, 8, 9]


def test_masks():
    assert fed(8, 0, 2).make_mask(3) == "causal"
    assert fed(8, 0, 2).make_mask(1) is None
    assert fed(8, 0, *[1] * 10).make_mask(3).shape == (3, 10)
    assert fed(8, 0, *[1] * 20).make_mask(1) is None


def test_a_window_within_the_ring_shows_the_newest_slots():
    # Slots hold 4 5 2 3; 6 will overwrite 2, and a window of 2 sees 5 and 6.
    assert fed(4, 0, *[1] * 6).make_mask(1, 2).tolist() == [False, True, True, False]
    # Slots hold 0 1 4 5; 6 will overwrite 4.
    assert fed(4, 2, *[1] * 6).make_mask(1, 2).tolist() == [False, False, True, True]


def test_a_window_as_wide_as_the_ring_or_wider_is_no_window():
    cache = fed(4, 0, *[1] * 6)

    assert cache.make_mask(1, 4) is None and cache.make_mask(1, 9) is None
    assert cache.make_mask(3, 9).tolist() == cache.make_mask(3).tolist()


def test_trim_moves_both_counters():
    cache = fed(8, 2, 5)

    assert cache.trim(2) == 2 and cache.offset == 3
    assert cache.meta_state == ("2", "8", "3", "3")
    read(cache, [[77]])
    assert shown(cache) == [0, 1, 2, 77]


@pytest.mark.parametrize("max_size, keep", [(0, 0), (-1, 0), (4, 4), (4, -1)])
def test_a_ring_without_room_is_refused(max_size, keep):
    with pytest.raises(ValueError, match="max_size|keep"):
        RotatingKVCache(max_size, keep)


@pytest.mark.parametrize(
    "meta",
    [
        ("0", "8", "5"),
        ("0", "8", "5", "5", "1"),
        ("0", "8", "6", "6"),
        ("0", "8", "5", "4"),
        ("0", "4", "9", "2"),
        ("9", "8", "5", "5"),
        ("0", "0", "5", "5"),
        ("-1", "8", "5", "5"),
        ("0", "8", "5", "x"),
        ("0", "8", "5", "5" * 40),
    ],
)
def test_a_state_that_no_ring_can_be_in_is_refused(meta):
    with pytest.raises(ValueError):
        RotatingKVCache.from_state(fed(8, 0, 5).state, meta)


def test_an_empty_state_needs_counters_of_zero():
    assert RotatingKVCache.from_state([], ("2", "8", "0", "0")).offset == 0
    with pytest.raises(ValueError, match="cannot hold 0 rows after 3"):
        RotatingKVCache.from_state([], ("2", "8", "3", "0"))


def test_a_write_that_does_not_fit_changes_nothing():
    cache = fed(4, 0, 3)
    with pytest.raises(ValueError, match="keys and values must"):
        cache.update_and_fetch(mx.zeros((1, 2, 1, 128)), mx.zeros((1, 2, 1, 128)))

    assert shown(cache) == [0, 1, 2] and cache.offset == 3


def test_a_full_cache_becomes_a_ring():
    full = KVCache()
    read(full, [list(range(10))])

    ring = full.to_rotating(6, keep=2)

    assert (ring.offset, ring.max_size, ring.keep) == (10, 6, 2)
    assert read(ring, [[10]])[0][0] == [(0, 0), (1, 1), (7, 7), (8, 8), (9, 9), (10, 10)]


def test_a_packed_ring_goes_on_where_the_plain_one_was():
    plain = fed(6, 2, *[1] * 9)
    packed = plain.to_quantized(64, 4)

    assert isinstance(packed, RotatingQuantizedKVCache) and packed.bits == 4
    assert packed.nbytes < plain.nbytes / 4
    assert read(packed, [[9]]) == read(plain, [[9]])


def test_overwriting_while_a_snapshot_lives_leaves_earlier_results_alone():
    cache = fed(4, 0, *[1] * 6)
    before = cache.snapshot()
    keys = cache.state[0]
    held = np.array(keys)

    for token in range(6, 20):
        read(cache, [[token]])
    cache.restore(before)

    np.testing.assert_array_equal(np.array(keys), held)
    np.testing.assert_array_equal(np.array(cache.state[0]), held)


def test_a_snapshot_of_another_cache_is_refused():
    cache, other = fed(4, 0, 3), fed(4, 0, 3)

    with pytest.raises(ValueError, match="restore the cache it was taken of"):
        cache.restore(other.snapshot())


def test_snapshots_that_nobody_holds_keep_nothing_alive():
    cache = fed(1024, 0, *[1] * 2)
    mx.eval(cache.state)
    for token in range(2, 40):
        cache.snapshot()
        read(cache, [[token]])

    assert cache._rows._mark() is None


def test_a_step_under_a_snapshot_copies_no_buffer():
    cache, rows = RotatingKVCache(1024), mx.zeros((1, 8, 1024, 64))
    cache.update_and_fetch(rows, rows)
    new = mx.ones((1, 8, 1, 64))
    extra = []
    for _ in range(6):
        before = cache.snapshot()
        mx.eval(cache.update_and_fetch(new, new))
        mx.reset_peak_memory()
        held = mx.get_active_memory()
        snapshot = cache.snapshot()
        mx.eval(cache.update_and_fetch(new, new))
        extra.append(mx.get_peak_memory() - held)
        del before, snapshot

    # The first write under a snapshot may copy, those after it save a row ahead.
    assert min(extra[1:]) < rows.nbytes // 8
