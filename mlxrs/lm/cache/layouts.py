"""How each kind of cache lies in a prompt-cache file: as a tree of arrays, numbers and text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import mlxc as mx

from .base import Cache
from .composite import MAX_DEPTH, CacheList
from .kinds import cache_kind

Leaf: TypeAlias = "mx.array | int | str | None"
Tree: TypeAlias = "Leaf | list[Tree]"
State: TypeAlias = tuple[list[mx.array], tuple[str, ...]]


def to_tree(cache: Cache) -> Tree:
    """Return the tree of a cache."""
    if isinstance(cache, CacheList):
        return [[to_tree(child), type(child).__name__] for child in cache.caches]
    return _LAYOUTS[cache_kind(type(cache).__name__).__name__][0](cache.state, cache.meta_state)


def from_tree(name: str, tree: Tree, depth: int = 0) -> Cache:
    """Return the cache of a tree.

    Args:
        name: The name of its class.
        tree: The tree, from a file that nobody vouches for.
        depth: How many lists of caches it lies in.

    Raises:
        ValueError: It is not what a cache of that class writes, or there is no such class.
    """
    kind = cache_kind(name)
    if kind is not CacheList:
        return kind.from_state(*_LAYOUTS[kind.__name__][1](_list(tree)))
    if depth >= MAX_DEPTH:
        raise ValueError(f"CacheLists may be nested {MAX_DEPTH} deep at most")
    children = []
    for pair in _list(tree):
        child, child_name = _list(pair, 2)
        if not isinstance(child_name, str):
            raise ValueError("a child of a CacheList must be a cache and the name of its class")
        children.append(from_tree(child_name, child, depth + 1))
    return CacheList(*children)


def _list(tree: Tree, length: int | None = None) -> list[Tree]:
    if not isinstance(tree, list) or length not in (None, len(tree)):
        raise ValueError(f"expected {'a list' if length is None else f'{length} items'}")
    return tree


def _number(leaf: Tree) -> int:
    if not isinstance(leaf, int):
        raise ValueError("expected a number where there is something else")
    return leaf


def _array(leaf: Tree) -> mx.array:
    if not isinstance(leaf, mx.array):
        raise ValueError("expected an array where there is something else")
    return leaf


def _front(leaves: Sequence[Tree], count: int) -> list[mx.array]:
    """Return the first `count` rows of every array; [] where all are None.

    Buffers may have room behind what they hold.
    """
    if all(leaf is None for leaf in leaves):
        return []
    arrays = [_array(leaf) for leaf in leaves]
    for array in arrays:
        if array.ndim != 4 or not 0 <= count <= array.shape[2]:
            raise ValueError(
                f"expected arrays (B, H, S, D) of {count} tokens or more, got shape "
                f"{tuple(array.shape)}"
            )
    return [array[:, :, :count] for array in arrays] if count else []


def _available(leaves: Sequence[Tree], count: int) -> int:
    """Return how many of `count` tokens the arrays can hold."""
    first = leaves[0]
    return min(count, first.shape[2]) if isinstance(first, mx.array) and first.ndim == 4 else count


def _text(*values: Tree) -> tuple[str, ...]:
    return tuple(str(value if isinstance(value, bool) else _number(value)) for value in values)


def _pair(state: Sequence[mx.array]) -> list[Tree]:
    return [*state] if state else [None, None]


def _full_out(state: list[mx.array], meta: tuple[str, ...]) -> Tree:
    return [*_pair(state), state[0].shape[2] if state else 0]


def _full_in(tree: list[Tree]) -> State:
    if len(tree) == 2:
        return [_array(leaf) for leaf in tree], ()
    *arrays, offset = _list(tree, 3)
    return _front(arrays, _number(offset)), ()


def _rotating_out(state: list[mx.array], meta: tuple[str, ...]) -> Tree:
    keep, max_size, offset, index = map(int, meta)
    return [*_pair(state), offset, keep, max_size, index]


def _rotating_in(tree: list[Tree]) -> State:
    keys, values, offset, keep, max_size, index = _list(tree, 6)
    state = _front([keys, values], _available([keys], _number(offset)))
    return state, _text(keep, max_size, offset, index)


def _packed(state: list[mx.array]) -> list[Tree]:
    return [[*state[:3]], [*state[3:]]] if state else [None, None]


def _unpacked(keys: Tree, values: Tree) -> list[Tree]:
    if keys is None and values is None:
        return [None] * 6
    return [*_list(keys, 3), *_list(values, 3)]


def _quantized_out(state: list[mx.array], meta: tuple[str, ...]) -> Tree:
    return [*_packed(state), *map(int, meta)]


def _quantized_in(tree: list[Tree]) -> State:
    keys, values, *numbers = _list(tree, 5)
    return _front(_unpacked(keys, values), _number(numbers[0])), _text(*numbers)


def _rotating_quantized_in(tree: list[Tree]) -> State:
    keys, values, *numbers = _list(tree, 8)
    leaves = _unpacked(keys, values)
    return _front(leaves, _available(leaves, _number(numbers[2]))), _text(*numbers)


def _chunked_out(state: list[mx.array], meta: tuple[str, ...]) -> Tree:
    chunk_size, start = (None if text == "None" else int(text) for text in meta)
    held = state[0].shape[2] if state else 0
    return [*_pair(state), (start or 0) + held, chunk_size, start]


def _chunked_in(tree: list[Tree]) -> State:
    keys, values, offset, chunk_size, start = _list(tree, 5)
    state = _front([keys, values], _number(offset) - _number(start))
    size = "None" if chunk_size is None else str(_number(chunk_size))
    return state, (size, str(_number(start)))


def _batch_out(state: list[mx.array], meta: tuple[str, ...]) -> Tree:
    *rows, offset, padding = state
    return [*_pair(rows), offset, padding, rows[0].shape[2] if rows else 0]


def _batch_in(tree: list[Tree]) -> State:
    keys, values, offset, padding, index = _list(tree, 5)
    rows = _front([keys, values], _number(index))
    return [*rows, _array(offset), _array(padding)], ()


def _batch_rotating_out(state: list[mx.array], meta: tuple[str, ...]) -> Tree:
    *rows, offset, padding = state
    numbers = map(int, meta[:3])
    return [*_pair(rows), offset, padding, *numbers, meta[3] == "True"]


def _batch_rotating_in(tree: list[Tree]) -> State:
    keys, values, offset, padding, max_size, columns, index, rotated = _list(tree, 8)
    if not isinstance(rotated, bool):
        raise ValueError("rotated must be true or false")
    rows = _front([keys, values], _available([keys], _number(columns)))
    return [*rows, _array(offset), _array(padding)], _text(max_size, columns, index, rotated)


def _arrays_out(state: list[mx.array], meta: tuple[str, ...]) -> Tree:
    count, present, *counts = meta
    slots: list[Tree] = [None] * int(count)
    for slot, array in zip(present.split(","), state, strict=False):
        slots[int(slot)] = array
    padding, lengths = (
        mx.array([int(number) for number in text.split(",")], dtype=mx.int32) if text else None
        for text in counts
    )
    return [slots, padding, lengths]


def _arrays_in(tree: list[Tree]) -> State:
    slots, *counts = _list(tree, 3)
    present = [number for number, slot in enumerate(_list(slots)) if slot is not None]
    state = [_array(slot) for slot in _list(slots) if slot is not None]
    texts = [
        "" if count is None else ",".join(map(str, _array(count).reshape(-1).tolist()))
        for count in counts
    ]
    return state, (str(len(_list(slots))), ",".join(map(str, present)), *texts)


_LAYOUTS: dict[
    str,
    tuple[Callable[[list[mx.array], tuple[str, ...]], Tree], Callable[[list[Tree]], State]],
] = {
    "ArraysCache": (_arrays_out, _arrays_in),
    "BatchKVCache": (_batch_out, _batch_in),
    "BatchRotatingKVCache": (_batch_rotating_out, _batch_rotating_in),
    "ChunkedKVCache": (_chunked_out, _chunked_in),
    "KVCache": (_full_out, _full_in),
    "QuantizedKVCache": (_quantized_out, _quantized_in),
    "RotatingKVCache": (_rotating_out, _rotating_in),
    "RotatingQuantizedKVCache": (_quantized_out, _rotating_quantized_in),
}
