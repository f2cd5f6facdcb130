"""A map from token sequences to values that finds what is nearest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

V = TypeVar("V")


@dataclass
class _Node(Generic[V]):
    below: dict[int, _Node[V]] = field(default_factory=dict)
    values: list[V] = field(default_factory=list)  # one at most


class Nearest(NamedTuple):
    """What a trie holds around a sequence of tokens; keys are lists of tokens.

    Attributes:
        exact: The sequence itself, if it has a value.
        shorter: The longest beginning of it that has one.
        longer: The shortest key that goes on where the trie leaves the sequence.
        common_prefix: How many tokens it has in common with any key.
    """

    exact: list[int] | None
    shorter: list[int] | None
    longer: list[int] | None
    common_prefix: int


class PromptTrie(Generic[V]):
    """Values under token sequences.

    Example:
        trie = PromptTrie[str]()
        trie.add([1, 2], "a")
        trie.search([1, 2, 3]).shorter  # [1, 2]
    """

    def __init__(self) -> None:
        self._root: _Node[V] = _Node()

    def add(self, tokens: Sequence[int], value: V) -> V | None:
        """Put a value under a sequence; return the one that was there."""
        node = self._root
        for token in tokens:
            node = node.below.setdefault(token, _Node())
        old = node.values[0] if node.values else None
        node.values = [value]
        return old

    def get(self, tokens: Sequence[int]) -> V:
        """Return the value under a sequence.

        Raises:
            KeyError: There is none.
        """
        node = self._path(tokens)[-1]
        if not node.values:
            raise KeyError(f"nothing under a sequence of {len(tokens)} tokens")
        return node.values[0]

    def pop(self, tokens: Sequence[int]) -> V:
        """Remove and return the value under a sequence.

        Raises:
            KeyError: There is none.
        """
        value = self.get(tokens)
        path = self._path(tokens)
        path[-1].values = []
        for token, parent, node in reversed(list(zip(tokens, path, path[1:], strict=False))):
            if node.below or node.values:
                break
            del parent.below[token]
        return value

    def prefixes(self, tokens: Sequence[int]) -> list[list[int]]:
        """Return the true beginnings of a sequence that have a value, shortest first."""
        found, node = [], self._root
        for count, token in enumerate(tokens):
            if node.values:
                found.append(list(tokens[:count]))
            if token not in node.below:
                return found
            node = node.below[token]
        return found

    def search(self, tokens: Sequence[int]) -> Nearest:
        """Return what is nearest to a sequence."""
        node, shorter, common = self._root, None, 0
        for token in tokens:
            if token not in node.below:
                break
            node = node.below[token]
            common += 1
            if node.values:
                shorter = list(tokens[:common])
        if common == len(tokens) and node.values:
            return Nearest(list(tokens), None, None, common)
        if common == 0:
            return Nearest(None, None, None, 0)
        return Nearest(None, shorter, [*tokens[:common], *_shortest_below(node)], common)

    def _path(self, tokens: Sequence[int]) -> list[_Node[V]]:
        path = [self._root]
        for token in tokens:
            if token not in path[-1].below:
                raise KeyError(f"nothing under a sequence of {len(tokens)} tokens")
            path.append(path[-1].below[token])
        return path


def _shortest_below(node: _Node[V]) -> list[int]:
    """Return the fewest tokens that lead from a node to a value."""
    # Breadth first, newest first, each node with the way to it as a chain of pairs.
    level: list[tuple[_Node[V], tuple[object, int] | None]] = [(node, None)]
    while True:
        for candidate, way in level:
            if candidate.values:
                tokens: list[int] = []
                while way is not None:
                    way, token = way  # type: ignore[assignment]
                    tokens.append(token)
                return tokens[::-1]
        level = [
            (below, (way, token))
            for candidate, way in level
            for token, below in reversed(candidate.below.items())
        ]
