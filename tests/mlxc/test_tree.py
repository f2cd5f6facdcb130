"""Trees: flattening, rebuilding, mapping."""

from collections import namedtuple

from hypothesis import given
from hypothesis import strategies as st

from mlxc.tree import tree_flatten, tree_map, tree_unflatten

KEYS = st.text("abc_", min_size=1, max_size=3)
TREES = st.recursive(
    st.integers(),
    lambda t: st.lists(t, min_size=1, max_size=3) | st.dictionaries(KEYS, t, min_size=1),
    max_leaves=8,
)


@given(TREES)
def test_unflatten_undoes_flatten(tree):
    assert tree_unflatten(tree_flatten(tree)) == tree


@given(TREES)
def test_map_changes_leaves_and_keeps_the_form(tree):
    mapped = tree_map(lambda leaf: leaf + 1, tree)

    expected = [(path, leaf + 1) for path, leaf in tree_flatten(tree)]
    assert tree_flatten(mapped) == expected


def test_flatten_joins_keys_and_indices_by_dots():
    assert tree_flatten({"a": [1, (2,)], "b": {"c": 3}}) == [("a.0", 1), ("a.1.0", 2), ("b.c", 3)]


def test_a_missing_index_leaves_its_place_empty():
    assert tree_unflatten([("l.1", 5)]) == {"l": [{}, 5]}


def test_map_walks_several_trees_together_and_keeps_tuples():
    Pair = namedtuple("Pair", "x y")

    mapped = tree_map(lambda a, b: a + b, Pair(1, (2,)), Pair(10, (20,)))

    assert mapped == Pair(11, (22,))


def test_is_leaf_keeps_a_node_whole():
    assert tree_map(len, {"a": [1, 2]}, is_leaf=lambda t: isinstance(t, list)) == {"a": 2}
    assert tree_flatten([[1, 2]], is_leaf=lambda t: t == [1, 2]) == [("0", [1, 2])]
