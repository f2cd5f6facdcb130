"""Trees: nested lists, tuples and dicts with arrays, or anything else, as leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["tree_flatten", "tree_map", "tree_unflatten"]


def tree_flatten(
    tree: Any, prefix: str = "", is_leaf: Callable[[Any], bool] | None = None
) -> list[tuple[str, Any]]:
    """A tree as a list of (path, leaf) pairs, paths being keys and indices joined by dots.

    Args:
        tree: nested lists, tuples and dicts.
        prefix: what every path starts with.
        is_leaf: says of a list, tuple or dict that it is to be kept whole.

    Example:
        >>> from mlxc.tree import tree_flatten
        >>> tree_flatten({"a": [1, 2], "b": 3})
        [('a.0', 1), ('a.1', 2), ('b', 3)]
    """
    if is_leaf is None or not is_leaf(tree):
        start = f"{prefix}." if prefix else ""
        if isinstance(tree, (list, tuple)):
            items = enumerate(tree)
            return [p for i, t in items for p in tree_flatten(t, f"{start}{i}", is_leaf)]
        if isinstance(tree, dict):
            return [p for k, t in tree.items() for p in tree_flatten(t, f"{start}{k}", is_leaf)]
    return [(prefix, tree)]


def tree_unflatten(items: Sequence[tuple[str, Any]] | dict[str, Any]) -> Any:
    """The tree that `tree_flatten` made the pairs of; tuples come back as lists.

    An index that no path has leaves an empty dict in its list.

    Example:
        >>> from mlxc.tree import tree_unflatten
        >>> tree_unflatten([("a.0", 1), ("a.1", 2), ("b", 3)])
        {'a': [1, 2], 'b': 3}
    """
    pairs = list(items.items()) if isinstance(items, dict) else list(items)
    if len(pairs) == 1 and pairs[0][0] == "":
        return pairs[0][1]
    children: dict[str, list[tuple[str, Any]]] = {}
    for path, leaf in pairs:
        key, _, rest = path.partition(".")
        children.setdefault(key, []).append((rest, leaf))
    if children and all(key.isdigit() for key in children):
        last = max(map(int, children))
        return [tree_unflatten(children.get(str(i), [])) for i in range(last + 1)]
    return {key: tree_unflatten(group) for key, group in children.items()}


def tree_map(
    fn: Callable[..., Any],
    tree: Any,
    *rest: Any,
    is_leaf: Callable[[Any], bool] | None = None,
) -> Any:
    """A tree of the same form with `fn` applied to every leaf.

    Args:
        fn: called with the leaf and the corresponding leaves of `rest`.
        tree: nested lists, tuples and dicts.
        *rest: trees of the same form.
        is_leaf: says of a list, tuple or dict that it is to be given to `fn` whole.

    Example:
        >>> from mlxc.tree import tree_map
        >>> tree_map(lambda x: x + 1, {"a": (1, 2)})
        {'a': (2, 3)}
    """
    if is_leaf is None or not is_leaf(tree):
        if isinstance(tree, (list, tuple)):
            mapped = [
                tree_map(fn, child, *(r[i] for r in rest), is_leaf=is_leaf)
                for i, child in enumerate(tree)
            ]
            return type(tree)(*mapped) if hasattr(tree, "_fields") else type(tree)(mapped)
        if isinstance(tree, dict):
            return {
                key: tree_map(fn, child, *(r[key] for r in rest), is_leaf=is_leaf)
                for key, child in tree.items()
            }
    return fn(tree, *rest)
