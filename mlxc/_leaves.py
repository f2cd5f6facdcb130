"""The arrays of a tree: what transforms hand to C, and how results take their form again.

A form is a tree whose arrays are replaced by `PLACE`: it tells the structure and keeps the other
leaves, but no array alive.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ._array import array
from ._handle import Handle
from .random._key import RandomState, replace_key
from .tree import like, tree_map

#: The types in a list of arrays alone, which is its own flat form.
ARRAYS = {array}


class Place:
    """Where an array was."""

    def __repr__(self) -> str:
        return "PLACE"


PLACE = Place()


def arrays_in(tree: Any) -> list[array]:
    """The arrays of a tree in order; other leaves are passed over."""
    if isinstance(tree, Handle):
        return [tree]  # type: ignore[list-item]
    found: list[array] = []
    _collect(tree, found, None)
    return found


def only_arrays_in(tree: Any, name: str) -> list[array]:
    """The arrays of a tree in order; ValueError, naming what it is, for any other leaf."""
    if isinstance(tree, Handle):
        return [tree]  # type: ignore[list-item]
    found: list[array] = []
    _collect(tree, found, name)
    return found


def _collect(tree: Any, into: list[array], name: str | None) -> None:
    if isinstance(tree, Handle):
        into.append(tree)  # type: ignore[arg-type]
    elif isinstance(tree, (list, tuple, RandomState)):
        for item in tree:
            _collect(item, into, name)
    elif isinstance(tree, dict):
        for item in tree.values():
            _collect(item, into, name)
    elif name is not None:
        raise ValueError(f"{name} should contain only arrays, got {type(tree).__name__}")


def form_of(tree: Any) -> Any:
    """The tree with `PLACE` for every array."""
    if isinstance(tree, Handle):
        return PLACE
    return tree_map(lambda leaf: PLACE if isinstance(leaf, Handle) else leaf, tree)


def arrays_only(form: Any) -> Any:
    """The form with None for every leaf that is no array."""
    return tree_map(lambda leaf: PLACE if leaf is PLACE else None, form)


def with_arrays(tree: Any, arrays: Sequence[Any]) -> Any:
    """A tree, or the form of one, with its arrays replaced in order."""
    if tree is PLACE or isinstance(tree, Handle):
        return arrays[0]
    remaining = iter(arrays)

    def visit(tree: Any) -> Any:
        if tree is PLACE or isinstance(tree, Handle):
            return next(remaining)
        if isinstance(tree, (list, tuple)):
            return like(tree, [visit(item) for item in tree])
        if isinstance(tree, dict):
            return {key: visit(item) for key, item in tree.items()}
        return tree

    return visit(tree)


def fill(tree: Any, arrays: Sequence[array]) -> None:
    """Put arrays in the places of a tree's, in its own lists and dicts; tuples are replaced."""
    remaining = iter(arrays)

    def visit(tree: Any) -> Any:
        if isinstance(tree, Handle):
            return next(remaining)
        if isinstance(tree, RandomState):
            replace_key(next(remaining))
        elif isinstance(tree, list):
            tree[:] = map(visit, tree)
        elif isinstance(tree, tuple) and arrays_in(tree):
            return like(tree, list(map(visit, tree)))
        elif isinstance(tree, dict):
            for key, item in tree.items():
                tree[key] = visit(item)
        return tree

    visit(tree)


@contextmanager
def lent(tree: Any, arrays: Sequence[array]) -> Iterator[None]:
    """Other arrays in the places of a tree's, for the length of a `with` block.

    Where the block itself has put another array, that one stays.
    """
    originals = arrays_in(tree)
    fill(tree, arrays)
    try:
        yield
    finally:
        back = {id(a): original for a, original in zip(arrays, originals, strict=True)}
        fill(tree, [back.get(id(a), a) for a in arrays_in(tree)])


def paired(
    tree: Any, other: Any, *, spreads: tuple[type, ...], same_type: bool = True
) -> Iterator[tuple[Any, Any]]:
    """Every array of a tree, or place of a form, with what `other` has at its place.

    Args:
        tree: the tree.
        other: a tree of the same form, or one that ends earlier.
        spreads: types of leaves of `other` that stand for all arrays below them.
        same_type: whether a list cannot stand beside a tuple.

    Raises:
        ValueError: `other` has another form.
    """
    if _is_array(tree):
        yield tree, other
    elif isinstance(tree, (list, tuple, dict)):
        if isinstance(other, spreads):
            pairs = [(item, other) for item in _items(tree)]
        elif isinstance(tree, dict) and isinstance(other, dict) and tree.keys() == other.keys():
            pairs = [(item, other[key]) for key, item in tree.items()]
        elif _same_form(tree, other, same_type):
            pairs = list(zip(tree, other, strict=True))
        else:
            raise ValueError(f"{_described(other)} does not fit {_described(tree)}")
        for item, beside in pairs:
            yield from paired(item, beside, spreads=spreads, same_type=same_type)


def _is_array(leaf: Any) -> bool:
    return leaf is PLACE or isinstance(leaf, Handle)


def _items(tree: Any) -> Iterator[Any]:
    return iter(tree.values() if isinstance(tree, dict) else tree)


def _same_form(tree: Any, other: Any, same_type: bool) -> bool:
    kinds = (list, tuple)
    if not isinstance(tree, kinds) or not isinstance(other, kinds) or len(tree) != len(other):
        return False
    return not same_type or isinstance(tree, list) == isinstance(other, list)


def _described(tree: Any) -> str:
    if isinstance(tree, dict):
        return f"a dict with the keys {sorted(map(str, tree))}"
    if isinstance(tree, (list, tuple)):
        return f"a {type(tree).__name__} of {len(tree)}"
    return f"a leaf of type {type(tree).__name__}"
