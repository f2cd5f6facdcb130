import pytest

import mlxc as mx
from mlxrs.lm.cache import KVCache
from mlxrs.lm.prefix import CachedPrefix
from mlxrs.testing import FakeModel


def advance(caches: list[KVCache], length: int) -> None:
    FakeModel(5)(mx.zeros((1, length), dtype=mx.int32), caches)


def held(ids: list[int], *, opaque: int = 0, kind: type[KVCache] = KVCache) -> CachedPrefix:
    """Caches holding `opaque` nameless tokens and then `ids`."""
    caches = [kind(), kind()]
    if opaque:
        advance(caches, opaque)
    prefix = CachedPrefix(caches)
    advance(caches, len(ids))
    prefix.record(ids, failed=False)
    return prefix


class Untrimmable(KVCache):
    def is_trimmable(self):
        return False


@pytest.mark.parametrize("opaque", [0, 10])
@pytest.mark.parametrize(
    "ids, kept",
    [
        ([1, 2, 3, 4], 3),  # continues
        ([1, 2, 3], 2),  # the same again: one must be left to read
        ([1, 2], 1),  # a beginning
        ([1, 9, 3, 4], 1),  # parts half-way
        ([9], 0),  # nothing in common
    ],
)
def test_what_is_common_is_kept_and_the_rest_taken_back(ids, kept, opaque):
    prefix = held([1, 2, 3], opaque=opaque)

    assert prefix.rewind_to(ids) == kept

    assert [cache.offset for cache in prefix.caches] == [opaque + kept] * 2
    assert prefix.known == [1, 2, 3][:kept]


def test_what_cannot_be_trimmed_is_continued_but_not_rewound():
    prefix = held([1, 2, 3], kind=Untrimmable)

    assert prefix.rewind_to([1, 2, 9]) is None
    assert prefix.known == [1, 2, 3] and prefix.caches[0].offset == 3
    assert prefix.rewind_to([1, 2, 3, 4]) == 3


def test_the_token_generated_last_is_not_held():
    caches = [KVCache(), KVCache()]
    prefix = CachedPrefix(caches)
    advance(caches, 3)

    prefix.record([1, 2, 3, 4], failed=False)

    assert prefix.known == [1, 2, 3]


def test_a_cache_ahead_of_all_names_is_kept_but_not_continued():
    caches = [KVCache(), KVCache()]
    prefix = CachedPrefix(caches)
    advance(caches, 20)

    prefix.record([1], failed=False)

    assert (prefix.opaque, prefix.known, caches[0].offset) == (20, [], 20)
    assert prefix.rewind_to([1, 2]) is None


@pytest.mark.parametrize("kind, kept", [(KVCache, 1), (Untrimmable, None)])
def test_after_an_error_only_what_could_be_brought_in_step_is_continued(kind, kept):
    prefix = held([1], kind=kind)

    prefix.record([1], failed=True)

    assert prefix.rewind_to([1, 2]) == kept
