import numpy as np
import pytest

import mlxc as mx
from mlxrs.lm.cache import KVCache, cached_tokens, make_prompt_cache, rewind_prompt_cache
from mlxrs.testing import FakeModel

B, H, DK, DV = 2, 3, 4, 5


def rows(length: int, seed: int = 0) -> tuple[mx.array, mx.array]:
    keys, values = mx.random.split(mx.random.key(seed))
    return (
        mx.random.normal((B, H, length, DK), key=keys),
        mx.random.normal((B, H, length, DV), key=values),
    )


def assert_equal(actual, expected) -> None:
    np.testing.assert_array_equal(np.array(actual), np.array(expected))


@pytest.mark.parametrize("lengths", [[1], [3, 1, 1], [255, 1, 1], [256, 1], [300, 300, 1], [700]])
def test_updates_return_all_rows_in_order(lengths):
    cache = KVCache()
    parts = [rows(length, seed) for seed, length in enumerate(lengths)]

    for keys, values in parts:
        got_keys, got_values = cache.update_and_fetch(keys, values)

    assert_equal(got_keys, mx.concatenate([keys for keys, _ in parts], axis=2))
    assert_equal(got_values, mx.concatenate([values for _, values in parts], axis=2))
    assert cache.offset == sum(lengths)


def test_rows_returned_earlier_stay_as_they_were():
    cache = KVCache()
    first, _ = cache.update_and_fetch(*rows(2, 0))

    cache.trim(1)
    cache.update_and_fetch(*rows(1, 1))

    assert_equal(first, rows(2, 0)[0])


def test_memory_grows_by_256_tokens():
    cache = KVCache()
    bytes_a_token = B * H * (DK + DV) * 4
    assert cache.nbytes == 0

    cache.update_and_fetch(*rows(1))
    assert cache.nbytes == 256 * bytes_a_token

    cache.update_and_fetch(*rows(256))
    assert cache.nbytes == 512 * bytes_a_token


def test_trim_forgets_the_last_tokens_at_most_all():
    cache = KVCache()
    cache.update_and_fetch(*rows(5))

    assert (cache.trim(2), cache.offset) == (2, 3)
    assert (cache.trim(9), cache.offset) == (3, 0)
    assert (cache.trim(1), cache.offset) == (0, 0)


def test_what_follows_a_trim_overwrites():
    cache = KVCache()
    cache.update_and_fetch(*rows(5, 0))
    cache.trim(2)

    keys, _ = cache.update_and_fetch(*rows(1, 1))

    assert_equal(keys, mx.concatenate([rows(5, 0)[0][:, :, :3], rows(1, 1)[0]], axis=2))


@pytest.mark.parametrize(
    "keys, values",
    [
        ((B, H, 1, DK), (B, H, 2, DV)),
        ((B, H, 1, DK + 1), (B, H, 1, DV)),
        ((B + 1, H, 1, DK), (B + 1, H, 1, DV)),
        ((H, 1, DK), (H, 1, DV)),
    ],
)
def test_a_write_that_does_not_fit_changes_nothing(keys, values):
    cache = KVCache()
    cache.update_and_fetch(*rows(3))

    with pytest.raises(ValueError, match="keys and values must"):
        cache.update_and_fetch(mx.zeros(keys), mx.zeros(values))

    assert cache.offset == 3
    assert_equal(cache.state[0], rows(3)[0])


def test_the_state_rebuilds_the_cache():
    cache = KVCache()
    cache.update_and_fetch(*rows(5, 0))
    cache.trim(1)

    again = KVCache.from_state(cache.state, cache.meta_state)

    assert again.offset == 4
    expected = cache.update_and_fetch(*rows(2, 1))
    for actual, wanted in zip(again.update_and_fetch(*rows(2, 1)), expected, strict=True):
        assert_equal(actual, wanted)


def test_the_state_of_an_empty_cache_is_empty():
    assert KVCache().state == []
    assert KVCache.from_state([]).offset == 0


def test_a_rebuilt_cache_never_writes_into_the_arrays_it_was_given():
    keys, values = rows(4, 0)
    cache = KVCache.from_state([keys, values])

    cache.trim(2)
    cache.update_and_fetch(*rows(1, 1))

    assert_equal(keys, rows(4, 0)[0])


@pytest.mark.parametrize("state, meta", [(1, ()), (3, ()), (2, ("7",))])
def test_a_foreign_state_is_refused(state, meta):
    with pytest.raises(ValueError, match=r"the state of a KVCache is \[\] or \[keys, values\]"):
        KVCache.from_state([rows(1)[0]] * state, meta)


@pytest.mark.parametrize("trimmed", [0, 2])
def test_a_copy_and_its_original_do_not_see_each_other(trimmed):
    cache = KVCache()
    cache.update_and_fetch(*rows(256, 0))
    twin = cache.copy()

    twin.trim(trimmed)
    twin.update_and_fetch(*rows(2, 1))
    cache.update_and_fetch(*rows(1, 2))

    assert (cache.offset, twin.offset) == (257, 258 - trimmed)
    assert_equal(cache.state[0], mx.concatenate([rows(256, 0)[0], rows(1, 2)[0]], axis=2))


def test_the_mask_counts_what_is_cached():
    cache = KVCache()
    assert cache.make_mask(4) == "causal"

    cache.update_and_fetch(*rows(3))

    assert cache.make_mask(1) is None
    assert cache.make_mask(2, window_size=4).shape == (2, 5)


def test_rewinding_brings_layers_back_in_step():
    caches = make_prompt_cache(FakeModel(5, 3))
    for cache, length in zip(caches, [6, 6, 5], strict=True):
        cache.update_and_fetch(*rows(length))
    assert cached_tokens(caches) == 6

    rewind_prompt_cache(caches, 5)

    assert [cache.offset for cache in caches] == [5, 5, 5]


def test_room_for_what_is_expected_is_made_at_once():
    keys = mx.zeros((1, 2, 200, 4))
    cache = KVCache()
    cache.reserve(600)

    cache.update_and_fetch(keys, keys)
    room = cache.nbytes
    cache.update_and_fetch(keys, keys)
    cache.update_and_fetch(keys, keys)

    assert room == cache.nbytes == 2 * 768 * 2 * 4 * 4
