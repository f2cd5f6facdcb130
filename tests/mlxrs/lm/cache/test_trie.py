import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlxrs.lm.cache.trie import Nearest, PromptTrie

SEQUENCES = st.lists(st.integers(0, 2), max_size=6).map(tuple)


def trie_of(*keys):
    trie = PromptTrie()
    for key in keys:
        trie.add(key, key)
    return trie


def test_worked_vectors():
    trie = trie_of((1, 2), (1, 2, 3, 4))

    assert trie.search([1, 2, 3]) == Nearest(None, [1, 2], [1, 2, 3, 4], 3)
    assert trie.search([1, 2, 3, 4, 5]) == Nearest(None, [1, 2, 3, 4], [1, 2, 3, 4], 4)
    assert trie.search([9]) == Nearest(None, None, None, 0)
    assert trie.search([1, 2]).exact == [1, 2]


def test_of_extensions_alike_in_length_the_newest_is_found():
    assert trie_of((1, 2), (1, 3)).search([1]).longer == [1, 3]
    assert trie_of((1, 2, 2), (1, 3)).search([1]).longer == [1, 3]


def test_removing_a_sequence_leaves_no_dead_ends():
    trie = trie_of((1, 2, 3, 4), (1, 2))

    assert trie.pop([1, 2, 3, 4]) == (1, 2, 3, 4)

    assert trie.search([1, 2, 3]).common_prefix == 2
    with pytest.raises(KeyError):
        trie.pop([1, 2, 3, 4])
    with pytest.raises(KeyError):
        trie.get([1])


def test_adding_again_returns_what_was_there():
    trie = PromptTrie()

    assert trie.add([1], "a") is None and trie.add([1], "b") == "a" and trie.get([1]) == "b"


def test_a_sequence_as_long_as_a_context_needs_no_recursion():
    key = tuple(range(100_000))
    trie = trie_of(key)

    assert trie.search(key[:5]).longer == list(key)
    assert trie.pop(key) == key and trie.search(key).common_prefix == 0


@given(keys=st.sets(SEQUENCES, max_size=8), removed=st.sets(SEQUENCES), tokens=SEQUENCES)
def test_search_finds_what_a_scan_of_all_keys_finds(keys, removed, tokens):
    trie = trie_of(*sorted(keys))
    for key in keys & removed:
        trie.pop(key)
    keys = keys - removed

    found = trie.search(tokens)

    def common(key):
        return next(
            (i for i, (a, b) in enumerate(zip(key, tokens, strict=False)) if a != b),
            min(len(key), len(tokens)),
        )

    most = max(map(common, keys), default=0)
    assert (found.exact is not None) == (tokens in keys)
    assert trie.prefixes(tokens) == sorted(
        (list(key) for key in keys if key == tokens[: len(key)] and key != tokens), key=len
    )
    assert found.common_prefix == most
    if found.exact is None and most:
        beginnings = [key for key in keys if key and key == tokens[: len(key)]]
        assert found.shorter == (list(max(beginnings, key=len)) if beginnings else None)
        reach = [len(key) for key in keys if key[:most] == tokens[:most]]
        assert len(found.longer) == min(reach) and tuple(found.longer) in keys
