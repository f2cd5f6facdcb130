import pytest
from support.seen import read, shown

from mlxrs.lm.cache import KVCache, LruPromptCache, RotatingKVCache


def held(tokens, make=KVCache):
    """The caches of a model of two layers that has read some tokens."""
    caches = [make(), make()]
    for cache in caches:
        read(cache, [list(tokens)])
    return caches


def lru_of(*sequences, make=KVCache, **limits):
    lru = LruPromptCache(**limits)
    for tokens in sequences:
        lru.insert("m", tokens, held(tokens, make))
    return lru


def fetched(lru, tokens, model="m"):
    caches, rest = lru.fetch_nearest(model, tokens)
    return None if caches is None else [shown(cache) for cache in caches], rest


def test_exact_shorter_and_longer_sequences_are_found():
    lru = lru_of([1, 2, 3])

    assert fetched(lru, [1, 2, 3]) == ([[1, 2, 3]] * 2, [])
    assert fetched(lru, [1, 2]) == ([[1]] * 2, [2])
    assert fetched(lru, [1, 2, 3, 4]) == ([[1, 2, 3]] * 2, [4])
    assert fetched(lru, [1, 2, 9, 9]) == ([[1, 2]] * 2, [9, 9])
    assert fetched(lru, [9, 9]) == (None, [9, 9])
    assert fetched(lru, [1, 2, 3], model="other") == (None, [1, 2, 3])


def test_the_longest_help_wins():
    lru = lru_of([1, 2, 3, 4, 5, 6], [1, 2, 7])

    assert fetched(lru, [1, 2, 3, 4, 9]) == ([[1, 2, 3, 4]] * 2, [9])
    assert fetched(lru, [1, 2, 7, 8]) == ([[1, 2, 7]] * 2, [8])


def test_what_cannot_be_trimmed_is_used_whole_or_not_at_all():
    lru = lru_of([1, 2, 3, 4, 5], [1, 2], make=lambda: RotatingKVCache(2))

    assert len(lru) == 2
    assert fetched(lru, [1, 2, 3, 9]) == ([[1, 2]] * 2, [3, 9])
    assert fetched(lru, [1]) == (None, [1])


def test_users_never_share_a_cache():
    mine = held([1, 2, 3])
    lru = LruPromptCache()
    lru.insert("m", [1, 2, 3], mine)
    mine[0].trim(2)
    first, _ = lru.fetch_nearest("m", [1, 2, 3])
    second, _ = lru.fetch_nearest("m", [1, 2, 3])

    first[0].trim(1)
    read(first[0], [[9]])
    read(second[0], [[8]])

    assert shown(first[0]) == [1, 2, 9] and shown(second[0]) == [1, 2, 3, 8]
    assert fetched(lru, [1, 2, 3]) == ([[1, 2, 3]] * 2, [])


def test_the_beginnings_of_a_trimmable_entry_go():
    lru = lru_of([1], [1, 2], [1, 2, 3], [5])

    assert len(lru) == 2 and fetched(lru, [1, 2]) == ([[1]] * 2, [2])


def test_inserting_again_replaces():
    lru = lru_of([1, 2], [1, 2])

    assert len(lru) == 1 and lru.nbytes == sum(cache.nbytes for cache in held([1, 2]))


def test_the_entry_used_longest_ago_goes_first():
    lru = lru_of([1, 1], [2, 2], max_size=2)
    lru.fetch_nearest("m", [1, 1])

    lru.insert("m", [3, 3], held([3, 3]))

    assert [fetched(lru, [n, n])[0] is not None for n in (1, 2, 3)] == [True, False, True]


def test_replies_go_before_the_prompts_they_share():
    lru = LruPromptCache(max_size=4)
    for n, bucket in enumerate(["system", "user", "assistant", "assistant", "assistant"]):
        lru.insert("m", [n, n], held([n, n]), bucket)

    assert {name: stats.sequences for name, stats in lru.stats.items()} == {
        "assistant": 2,
        "user": 1,
        "system": 1,
    }
    for expected in ([1, 1, 1], [0, 1, 1], [0, 0, 1], [0, 0, 0]):
        lru.trim_to(max_size=len(lru) - 1)
        assert [stats.sequences for stats in lru.stats.values()] == expected


def test_bytes_are_bounded():
    each = sum(cache.nbytes for cache in held([1]))
    lru = lru_of(*([n] for n in range(5)), max_bytes=3 * each)

    assert len(lru) == 3 and lru.nbytes == 3 * each
    lru.trim_to(max_bytes=each)
    assert len(lru) == 1 and sum(stats.nbytes for stats in lru.stats.values()) == each
    lru.clear()
    assert len(lru) == lru.nbytes == 0


def test_an_unknown_bucket_changes_nothing():
    lru = lru_of([1])

    with pytest.raises(ValueError, match="bucket must be one of"):
        lru.insert("m", [2], held([2]), "tool")
    with pytest.raises(ValueError, match="limits must be"):
        LruPromptCache(max_bytes=-1)

    assert len(lru) == 1 and fetched(lru, [2]) == (None, [2])
