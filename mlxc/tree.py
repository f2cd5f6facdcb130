"""Trees: nested lists, tuples and dicts with arrays, or anything else, as leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any, TypeVar, overload

__all__ = [
    "tree_flatten",
    "tree_map",
    "tree_map_with_path",
    "tree_merge",
    "tree_reduce",
    "tree_unflatten",
]

Flat = TypeVar("Flat", list[tuple[str, Any]], dict[str, Any])
IsLeaf = Callable[[Any], bool]


@overload
def tree_flatten(
    tree: Any, prefix: str = "", is_leaf: IsLeaf | None = None, destination: None = None
) -> list[tuple[str, Any]]: ...
@overload
def tree_flatten(
    tree: Any, prefix: str = "", is_leaf: IsLeaf | None = None, *, destination: Flat
) -> Flat: ...
def tree_flatten(
    tree: Any,
    prefix: str = "",
    is_leaf: IsLeaf | None = None,
    destination: list[tuple[str, Any]] | dict[str, Any] | None = None,
) -> list[tuple[str, Any]] | dict[str, Any]:
    """A tree as a list of (path, leaf) pairs, paths being keys and indices joined by dots.

    Args:
        tree: nested lists, tuples and dicts.
        prefix: what every path starts with, after one character that is dropped: ".model".
        is_leaf: says of a list, tuple or dict that it is to be kept whole.
        destination: a list to add the pairs to, or a dict to set the leaves in; it is returned.

    Raises:
        ValueError: `destination` is neither.

    Example:
        >>> from mlxc.tree import tree_flatten
        >>> tree_flatten({"a": [1, 2], "b": 3})
        [('a.0', 1), ('a.1', 2), ('b', 3)]
        >>> tree_flatten({"a": [1, 2]}, destination={})
        {'a.0': 1, 'a.1': 2}
    """
    if destination is None:
        destination = []
    if not isinstance(destination, (list, dict)):
        kind = type(destination).__name__
        raise ValueError(f"destination must be a list, a dict or None, got {kind}")
    add = destination.extend if isinstance(destination, list) else destination.update

    def visit(tree: Any, path: str) -> None:
        if is_leaf is None or not is_leaf(tree):
            if isinstance(tree, (list, tuple)):
                for i, item in enumerate(tree):
                    visit(item, f"{path}.{i}")
                return
            if isinstance(tree, dict):
                for key, item in tree.items():
                    visit(item, f"{path}.{key}")
                return
        add([(path[1:], tree)])

    visit(tree, prefix)
    return destination


def tree_unflatten(items: Sequence[tuple[str, Any]] | dict[str, Any]) -> Any:
    """The tree that `tree_flatten` made the pairs of; tuples come back as lists.

    An index that no path has leaves an empty dict in its list.

    Raises:
        TypeError: a path is not a string.

    Example:
        >>> from mlxc.tree import tree_unflatten
        >>> tree_unflatten([("a.0", 1), ("a.1", 2), ("b", 3)])
        {'a': [1, 2], 'b': 3}
    """
    pairs = list(items.items()) if isinstance(items, dict) else list(items)
    if len(pairs) == 1 and pairs[0][0] == "":
        return pairs[0][1]
    if not pairs:
        return []
    children: dict[str, list[tuple[str, Any]]] = {}
    for path, leaf in pairs:
        if not isinstance(path, str):
            raise TypeError(f"a path must be a string, got {type(path).__name__}")
        key, _, rest = path.partition(".")
        children.setdefault(key, []).append((rest, leaf))
    if all(key.isdigit() for key in children):
        last = max(map(int, children))
        groups = [children.get(str(i)) for i in range(last + 1)]
        return [tree_unflatten(group) if group else {} for group in groups]
    return {key: tree_unflatten(group) for key, group in children.items()}


def tree_map(
    fn: Callable[..., Any],
    tree: Any,
    *rest: Any,
    is_leaf: IsLeaf | None = None,
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
            return like(tree, mapped)
        if isinstance(tree, dict):
            return {
                key: tree_map(fn, child, *(r[key] for r in rest), is_leaf=is_leaf)
                for key, child in tree.items()
            }
    return fn(tree, *rest)


def tree_map_with_path(
    fn: Callable[..., Any],
    tree: Any,
    *rest: Any,
    is_leaf: IsLeaf | None = None,
    path: Any = None,
) -> Any:
    """A tree of the same form with `fn` applied to the path and the value of every leaf.

    Args:
        fn: called with the path, keys and indices joined by dots, with the leaf, and with the
            corresponding leaves of `rest`.
        tree: nested lists, tuples and dicts.
        *rest: trees of the same form.
        is_leaf: says of a list, tuple or dict that it is to be given to `fn` whole.
        path: what every path starts with; the path of a tree that is one leaf, None by default.

    Example:
        >>> from mlxc.tree import tree_map_with_path
        >>> tree_map_with_path(lambda path, x: f"{path}={x}", {"a": (1, 2)})
        {'a': ('a.0=1', 'a.1=2')}
    """
    if is_leaf is None or not is_leaf(tree):
        start = f"{path}." if path else ""
        if isinstance(tree, (list, tuple)):
            mapped = [
                tree_map_with_path(
                    fn, child, *(r[i] for r in rest), is_leaf=is_leaf, path=f"{start}{i}"
                )
                for i, child in enumerate(tree)
            ]
            return like(tree, mapped)
        if isinstance(tree, dict):
            return {
                key: tree_map_with_path(
                    fn, child, *(r[key] for r in rest), is_leaf=is_leaf, path=f"{start}{key}"
                )
                for key, child in tree.items()
            }
    return fn(path, tree, *rest)


def tree_reduce(
    fn: Callable[[Any, Any], Any],
    tree: Any,
    initializer: Any = None,
    is_leaf: IsLeaf | None = None,
) -> Any:
    """What `fn` makes of the leaves of a tree, one after the other.

    Args:
        fn: called with what there is so far and the next leaf.
        tree: nested lists, tuples and dicts.
        initializer: what to start with; None for the first leaf.
        is_leaf: says of a list, tuple or dict that it is to be given to `fn` whole.

    Returns:
        The last result of `fn`; `initializer` if there is no leaf.

    Example:
        >>> from mlxc.tree import tree_reduce
        >>> tree_reduce(lambda total, x: total + x, {"a": [1, 2], "b": 3})
        6
    """
    result = initializer
    for _, leaf in tree_flatten(tree, is_leaf=is_leaf):
        result = leaf if result is None else fn(result, leaf)
    return result


def tree_merge(tree_a: Any, tree_b: Any, merge_fn: Callable[[Any, Any], Any] | None = None) -> Any:
    """The tree that has what either of two trees has.

    None and empty containers give way to what the other tree has at their place.

    Args:
        tree_a: nested lists, tuples and dicts.
        tree_b: another tree.
        merge_fn: called with two leaves at the same place.

    Raises:
        ValueError: two leaves are at the same place and there is no `merge_fn`; or an empty
            container meets one of another type.

    Example:
        >>> from mlxc.tree import tree_merge
        >>> tree_merge({"a": {"x": 1}}, {"a": {"y": 2}})
        {'a': {'x': 1, 'y': 2}}
    """
    if _is_empty(tree_a) and _is_empty(tree_b) and type(tree_a) is not type(tree_b):
        kinds = f"{type(tree_a).__name__} with {type(tree_b).__name__}"
        raise ValueError(f"cannot merge an empty {kinds}")
    if tree_b is None or (_is_empty(tree_b) and tree_a is not None):
        return tree_a
    if tree_a is None or _is_empty(tree_a):
        return tree_b
    if isinstance(tree_a, (list, tuple)) and isinstance(tree_b, (list, tuple)):
        return like(tree_a, [tree_merge(a, b, merge_fn) for a, b in zip_longest(tree_a, tree_b)])
    if isinstance(tree_a, dict) and isinstance(tree_b, dict):
        return {
            key: tree_merge(tree_a.get(key), tree_b.get(key), merge_fn)
            for key in {**tree_a, **tree_b}
        }
    if merge_fn is None:
        raise ValueError("both trees have a leaf at the same place; give a merge_fn")
    return merge_fn(tree_a, tree_b)


def _is_empty(tree: Any) -> bool:
    return isinstance(tree, (list, tuple, dict)) and not tree


def like(tree: Any, items: list[Any]) -> Any:
    """The items in a list or tuple of the type of `tree`; a named tuple takes them one by one."""
    return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)
