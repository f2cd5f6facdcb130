"""Trees: flattening, rebuilding, mapping."""

from collections import namedtuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlxc.tree import (
    tree_flatten,
    tree_map,
    tree_map_with_path,
    tree_merge,
    tree_reduce,
    tree_unflatten,
)

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
    assert tree_unflatten([]) == []


def test_map_walks_several_trees_together_and_keeps_tuples():
    Pair = namedtuple("Pair", "x y")

    mapped = tree_map(lambda a, b: a + b, Pair(1, (2,)), Pair(10, (20,)))

    assert mapped == Pair(11, (22,))


def test_is_leaf_keeps_a_node_whole():
    assert tree_map(len, {"a": [1, 2]}, is_leaf=lambda t: isinstance(t, list)) == {"a": 2}
    assert tree_flatten([[1, 2]], is_leaf=lambda t: t == [1, 2]) == [("0", [1, 2])]


@given(TREES)
def test_a_destination_is_filled_and_returned(tree):
    pairs = tree_flatten(tree)
    into_list, into_dict = [("first", 0)], {"first": 0}

    assert tree_flatten(tree, destination=into_list) is into_list
    assert tree_flatten(tree, destination=into_dict) is into_dict
    assert into_list == [("first", 0), *pairs]
    assert into_dict == {"first": 0, **dict(pairs)}


def test_a_destination_of_another_type_is_refused():
    with pytest.raises(ValueError, match="got tuple"):
        tree_flatten([1], destination=())


def test_the_first_character_of_a_prefix_is_dropped():
    assert tree_flatten([1], prefix=".model") == [("model.0", 1)]


@given(TREES)
def test_map_with_path_gives_the_paths_of_flatten(tree):
    mapped = tree_map_with_path(lambda path, leaf: (path, leaf), tree, path="top")
    paths = [pair for _, pair in tree_flatten(mapped, is_leaf=lambda node: isinstance(node, tuple))]

    flat = tree_flatten(tree, prefix=".top")
    assert paths == flat


def test_the_path_of_a_lone_leaf_is_the_one_given():
    assert tree_map_with_path(lambda path, leaf: path, 1) is None


@given(TREES)
def test_reduce_goes_over_the_leaves_in_order(tree):
    leaves = [leaf for _, leaf in tree_flatten(tree)]

    assert tree_reduce(lambda seen, leaf: [*seen, leaf], tree, []) == leaves
    assert tree_reduce(lambda a, b: a - b, tree) == leaves[0] - sum(leaves[1:])


@given(TREES)
def test_merging_with_nothing_changes_nothing(tree):
    assert tree_merge(tree, None) == tree
    assert tree_merge(None, tree) == tree
    assert tree_merge(tree, tree, lambda a, b: a) == tree


def test_merge_takes_what_either_has():
    first = {"a": [1, None], "b": {}, "c": (5,)}
    second = {"a": [None, 2, 3], "b": {"x": 4}, "d": []}

    merged = tree_merge(first, second)

    assert merged == {"a": [1, 2, 3], "b": {"x": 4}, "c": (5,), "d": []}


@pytest.mark.parametrize(("a", "b"), [(1, 2), ({"k": 1}, {"k": [2]}), ([], {}), ({"k": 1}, [2])])
def test_leaves_at_one_place_need_a_function(a, b):
    with pytest.raises(ValueError, match="merge"):
        tree_merge(a, b)


def test_a_path_that_is_no_string_is_refused():
    with pytest.raises(TypeError, match="a path must be a string"):
        tree_unflatten([(3, 1), (4, 2)])
