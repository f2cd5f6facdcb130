import pytest

import mlxc as mx
from mlxrs.lm.cache import ArraysCache, KVCache


def filled(*values, size=2):
    cache = ArraysCache(size)
    for slot, value in enumerate(values):
        cache[slot] = mx.full((2, 3), float(value))
    return cache


def first(cache, slot=0):
    return None if cache[slot] is None else cache[slot][:, 0].tolist()


def test_slots_are_set_and_read_by_number():
    cache = filled(1)

    assert len(cache) == 2 and first(cache) == [1, 1] and cache[1] is None
    with pytest.raises(IndexError):
        cache[2] = mx.zeros((2, 3))
    with pytest.raises(ValueError, match="set its slots"):
        cache.update_and_fetch(mx.zeros((1, 1, 1, 1)), mx.zeros((1, 1, 1, 1)))


def test_the_batch_is_known_from_slots_padding_or_lengths():
    assert ArraysCache(1).batch_size == 1 and filled(1).batch_size == 2
    assert ArraysCache(1, [0, 1, 2]).batch_size == 3
    cache = ArraysCache(1)
    cache.prepare(lengths=[4, 5, 6, 7])
    assert cache.batch_size == 4


def test_masks_leave_padding_out_and_move_on():
    cache = ArraysCache(1, [2, 0])
    assert cache.make_mask(3).tolist() == [[False, False, True], [True, True, True]]

    cache.advance(3)
    assert cache.make_mask(2).tolist() == [[True, True]] * 2 and cache.offset == 3

    cache.prepare(lengths=[1, 5])
    assert cache.make_mask(2).tolist() == [[True, False], [True, True]]
    cache.advance(2)
    assert cache.make_mask(2).tolist() == [[False, False], [True, True]]
    cache.finalize()
    assert cache.make_mask(2) is None


def test_a_snapshot_rewinds_what_cannot_be_trimmed():
    cache = filled(1)
    assert not cache.is_trimmable() and cache.trim(1) == 0
    before = cache.snapshot()
    cache[0][:, 0] = 5.0
    cache[1] = mx.ones((2, 3))
    cache.advance(4)

    for _ in range(2):
        cache.restore(before)
        assert first(cache) == [1, 1] and cache[1] is None and cache.offset == 0
        cache[0][:, 0] = 7.0

    with pytest.raises(ValueError, match="restore the cache it was taken of"):
        cache.restore(filled(1).snapshot())
    with pytest.raises(ValueError, match="restore the cache it was taken of"):
        cache.restore(KVCache().snapshot())


def test_copies_do_not_see_each_other():
    cache = filled(1)
    twin = cache.copy()

    cache[0][:, 0] = 5.0

    assert first(twin) == [1, 1] and first(cache) == [5, 5]


def test_rows_are_picked_joined_and_taken_out():
    cache, more = filled(1), filled(2, 3)
    cache.extend(more)
    assert first(cache) == [1, 1, 2, 2] and first(cache, 1) == [0, 0, 3, 3]

    cache.filter([3, 0])
    assert first(cache) == [2, 1]
    assert first(cache.extract(1)) == [1] and cache.extract(1).batch_size == 1

    merged = ArraysCache.merge([cache.extract(0), ArraysCache(2), cache.extract(1)])
    assert first(merged) == [2, 0, 1]
    with pytest.raises(IndexError):
        cache.extract(2)
    with pytest.raises(ValueError, match="as many slots"):
        cache.extend(ArraysCache(3))


def test_a_sparse_state_comes_back():
    cache = ArraysCache(4, [1, 0])
    cache[2] = mx.ones((2, 5))
    cache.prepare(lengths=[3, -0])

    again = ArraysCache.from_state(cache.state, cache.meta_state)

    assert cache.meta_state == ("4", "2", "1,0", "3,0")
    assert again.meta_state == cache.meta_state and again[0] is None and again[2].shape == (2, 5)
    assert ArraysCache.from_state(cache.state).meta_state == ("1", "0", "", "")


def test_slots_are_bounded_before_they_are_made():
    assert len(ArraysCache.from_state([], (str(2**20), ""))) == 2**20
    with pytest.raises(ValueError, match="size must be in"):
        ArraysCache.from_state([], (str(2**20 + 1), ""))
    with pytest.raises(ValueError, match="meta_state of an ArraysCache"):
        ArraysCache.from_state([], ("9" * 50, ""))


@pytest.mark.parametrize(
    "meta",
    [
        ("2",),
        ("2", "1,0"),
        ("2", "0,2"),
        ("2", "0"),
        ("2", "0,0"),
        ("2", "0,x"),
        ("2", "0,1", "1"),
        ("x", "0,1"),
    ],
)
def test_a_foreign_state_is_refused(meta):
    with pytest.raises(ValueError):
        ArraysCache.from_state([mx.zeros((2, 3))] * 2, meta)


def test_packing_leaves_a_state_of_one_size_as_it_is():
    cache = filled(1)

    assert cache.to_quantized() is cache and cache.to_rotating(4) is cache
    assert cache.nbytes == 2 * 3 * 4 and not cache.empty() and ArraysCache(3).empty()


def test_a_row_taken_out_of_a_batch_knows_how_much_it_has_read():
    caches = [ArraysCache(1) for _ in range(3)]
    for cache, read in zip(caches, (4, 0, 7), strict=True):
        cache[0] = mx.zeros((1, 2))
        cache.advance(read)
    merged = ArraysCache.merge(caches)

    merged.prepare(lengths=[2, 5, 1])
    merged.advance(3)
    merged.advance(2)
    merged.finalize()
    merged.filter([2, 0, 1])
    merged.advance(1)

    assert [merged.extract(row).position for row in range(3)] == [7 + 1 + 1, 4 + 2 + 1, 5 + 1]


def test_empty_caches_make_a_batch_of_as_many_rows():
    merged = ArraysCache.merge([ArraysCache(1) for _ in range(3)])

    assert merged.batch_size == 3
    merged.filter([0, 2])
    assert merged.batch_size == 2
    merged.extend(ArraysCache.merge([ArraysCache(1)]))
    assert merged.batch_size == 3
