"""The arrays of trees, and trees beside trees."""

from collections import namedtuple

import pytest

import mlxc as mx
from mlxc._leaves import PLACE, arrays_in, fill, form_of, paired, with_arrays

Pair = namedtuple("Pair", "x y")
A, B, C = mx.array(1), mx.array(2), mx.array(3)


def test_a_form_and_its_arrays_make_the_tree_again():
    tree = {"a": [A, "text"], "b": Pair(B, (C, None))}

    form = form_of(tree)

    assert form == {"a": [PLACE, "text"], "b": Pair(PLACE, (PLACE, None))}
    assert arrays_in(tree) == [A, B, C]
    again = with_arrays(form, [C, B, A])
    assert again["a"][0] is C and again["b"].x is B and again["b"].y[0] is A


def test_fill_replaces_arrays_where_they_are():
    inner = [A, "text"]
    tree = {"a": inner, "b": (B, {"c": C})}

    fill(tree, [C, A, B])

    assert tree["a"] is inner and inner[0] is C
    assert tree["b"][0] is A and tree["b"][1]["c"] is B


def test_a_leaf_can_stand_for_all_below_it():
    tree = {"a": [A, B], "c": C}

    pairs = list(paired(tree, {"a": 0, "c": None}, spreads=(int, type(None))))

    assert [beside for _, beside in pairs] == [0, 0, None]


@pytest.mark.parametrize("other", [[0], (0, 0), {"a": 0}, "text", [0, 0, 0]])
def test_another_form_is_refused(other):
    with pytest.raises(ValueError, match="does not fit a list of 2"):
        list(paired([A, B], other, spreads=(int,)))
