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
    advance(prefix.caches, len(ids))
    prefix.record(ids, len(ids))
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


@pytest.mark.parametrize("opaque", [0, 10])
def test_what_cannot_be_trimmed_begins_anew_as_it_was_given(opaque):
    prefix = held([1, 2, 3], opaque=opaque, kind=Untrimmable)
    assert prefix.rewind_to([1, 2, 3, 4]) == 3

    assert prefix.rewind_to([1, 2, 9]) == 0

    assert prefix.known == [] and [cache.offset for cache in prefix.caches] == [opaque] * 2


def test_what_cannot_be_trimmed_goes_back_to_the_last_mark_that_helps():
    prefix = CachedPrefix([Untrimmable(), Untrimmable()])
    for length in (2, 4, 6):
        advance(prefix.caches, 2)
        prefix.record(range(length), length)

    assert prefix.rewind_to([0, 1, 2, 3, 4, 9, 9]) == 4
    assert [cache.offset for cache in prefix.caches] == [4, 4]
    assert prefix.rewind_to([0, 1, 2, 9]) == 2
    assert prefix.known == [0, 1]


def test_marks_are_bounded_in_number():
    prefix = CachedPrefix([Untrimmable()])
    for length in range(1, 51):
        advance(prefix.caches, 1)
        prefix.record(range(length), length)

    assert prefix.rewind_to([*range(43), 99, 99]) == 43
    assert prefix.rewind_to([*range(42), 99, 99]) == 0


def test_the_token_generated_last_is_not_held():
    prefix = CachedPrefix([KVCache(), KVCache()])
    advance(prefix.caches, 3)

    prefix.record([1, 2, 3, 4], read=3)

    assert prefix.known == [1, 2, 3]


def test_layers_out_of_step_are_not_continued():
    prefix = CachedPrefix([KVCache(), KVCache()])
    advance(prefix.caches, 3)
    prefix.caches[1].trim(1)

    prefix.record([1, 2, 3], read=3)

    assert not prefix.exact
    assert prefix.rewind_to([1, 2, 3, 4]) == 0
    assert [cache.offset for cache in prefix.caches] == [0, 0] and prefix.exact


def test_a_copy_goes_its_own_way():
    prefix = held([1, 2, 3], opaque=2)
    twin = prefix.copy()

    assert twin.rewind_to([1, 9]) == 1

    assert prefix.known == [1, 2, 3] and prefix.caches[0].offset == 5
    assert (twin.opaque, twin.known, twin.caches[0].offset) == (2, [1], 3)


def test_caches_that_come_with_names_cannot_begin_anew():
    caches = [Untrimmable()]
    advance(caches, 3)
    prefix = CachedPrefix.holding(caches, [7, 8], opaque=1)

    assert prefix.rewind_to([7, 9]) is None
    assert (prefix.known, caches[0].offset) == ([7, 8], 3)
    assert prefix.rewind_to([7, 8, 9]) == 2


def test_names_must_be_as_many_as_the_tokens():
    caches = [KVCache()]
    advance(caches, 3)

    with pytest.raises(ValueError, match="hold 3 tokens, 1 without and 1 with a name"):
        CachedPrefix.holding(caches, [7], opaque=1)


@pytest.mark.parametrize("opaque", [0, 10])
def test_caches_that_somebody_else_advanced_are_read_anew(opaque):
    prefix = held([1, 2, 3], opaque=opaque)
    advance(prefix.caches, 1)

    assert prefix.rewind_to([1, 2, 3, 4]) == 0

    assert prefix.exact and [cache.offset for cache in prefix.caches] == [opaque] * 2


def test_caches_an_interrupt_left_out_of_step_are_read_anew_and_can_be_copied():
    prefix = held([1, 2, 3])
    prefix.caches[0].trim(1)
    prefix.record([1, 2, 3, 4], 4)

    twin = prefix.copy()

    assert twin.rewind_to([1, 2, 3, 4]) == prefix.rewind_to([1, 2, 3, 4]) == 0
