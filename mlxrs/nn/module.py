"""The tree of parameters every layer and model is built on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import mlxc as mx
from mlxc.tree import tree_flatten, tree_unflatten

# A nested dict / list with arrays or modules at its leaves; {} where a branch has none.
Tree = Any

_NAMES_SHOWN = 8
_revision = 0


def revision() -> int:
    """Return a number that is another one after a parameter or child of any module was replaced.

    What is kept of parameters holds as long as it is the same. Lists and dicts of modules that are
    changed in place do not count.
    """
    return _revision


class Module:
    """A node of a model: its attributes are its parameters and its children.

    An attribute holding an array is a parameter; one holding a Module, or a list or dict of
    either, is a branch. Everything else, and every name starting with an underscore, is
    private to the layer. Attribute names are checkpoint names: `model.layers[0].norm.weight` is
    the weight `"layers.0.norm.weight"`.

    Attributes are ordinary Python attributes, so reading a parameter costs nothing extra.

    Example:
        class Block(Module):
            def __init__(self, dims: int):
                self.norm = RMSNorm(dims)
                self.proj = Linear(dims, dims)

            def __call__(self, x: mx.array) -> mx.array:
                return x + self.proj(self.norm(x))
    """

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)
        _count_change()

    def parameters(self) -> Tree:
        """Return all arrays of this module and its children as nested dicts and lists."""
        return _select_all(
            self,
            (mx.array, Module),
            lambda leaf: leaf if isinstance(leaf, mx.array) else leaf.parameters(),
        )

    def children(self) -> Tree:
        """Return the direct child modules as a dict by attribute name."""
        return _select_all(self, Module, lambda child: child)

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """Yield `(path, module)` for this module (path `""`) and all below it, parents first."""
        yield "", self
        for name, child in _flatten(self.children()):
            for below, module in child.named_modules():
                yield (f"{name}.{below}" if below else name), module

    def modules(self) -> Iterator[Module]:
        """Yield this module and all below it, parents first."""
        return (module for _, module in self.named_modules())

    def leaf_modules(self) -> Tree:
        """Return the modules without children, nested as they lie in this one."""
        return _select_all(
            self, Module, lambda child: child.leaf_modules() if child.children() else child
        )

    def update(self, parameters: Tree) -> Module:
        """Replace parameters by those of a tree shaped like (a part of) `parameters()`.

        Raises:
            ValueError: The tree names something that is not a parameter here.
        """
        try:
            _replace(self, parameters, "")
        finally:
            _count_change()
        return self

    def update_modules(self, modules: Tree) -> Module:
        """Replace child modules by those of a tree shaped like (a part of) `leaf_modules()`.

        Raises:
            ValueError: The tree names something that is not a module here.
        """
        try:
            _replace(self, modules, "")
        finally:
            _count_change()
        return self

    def load_weights(
        self, weights: Mapping[str, mx.array] | Iterable[tuple[str, mx.array]], strict: bool = True
    ) -> Module:
        """Replace parameters by name.

        Args:
            weights: Arrays by dotted name, `"layers.0.norm.weight"`.
            strict: Require exactly this module's parameters. Without it, names unknown here are
                passed over and parameters not named keep their values; shapes must agree always.

        Raises:
            ValueError: Names the extra weights, else the missing ones, else the wrong shapes.
                No parameter has been replaced then.
        """
        new = dict(weights)
        current = dict(_flatten(self.parameters()))
        if strict:
            if extra := [name for name in new if name not in current]:
                raise ValueError(f"{_count(extra, 'weight')} not in the model: {_some(extra)}")
            if missing := [name for name in current if name not in new]:
                raise ValueError(
                    f"{_count(missing, 'parameter')} missing from the weights: {_some(missing)}"
                )
        matching = {name: array for name, array in new.items() if name in current}
        wrong = [
            f"{name} must be {tuple(current[name].shape)}, got {tuple(array.shape)}"
            for name, array in matching.items()
            if tuple(array.shape) != tuple(current[name].shape)
        ]
        if wrong:
            raise ValueError(f"{_count(wrong, 'weight')} of the wrong shape: {_some(wrong)}")
        return self.update(tree_unflatten(list(matching.items()))) if matching else self

    def _extra_repr(self) -> str:
        """What the repr shows of this layer beside its class and children."""
        return ""

    def __repr__(self) -> str:
        lines = [
            f"  ({name}): " + repr(child).replace("\n", "\n  ")
            for name, child in _flatten(self.children())
        ]
        head = f"{type(self).__name__}({self._extra_repr()}"
        return head + "".join(f"\n{line}" for line in lines) + ("\n)" if lines else ")")


# Always behind a change: what another thread keeps of parameters meanwhile, it does not keep long.
def _count_change() -> None:
    global _revision
    _revision += 1


def _public(module: Module) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in vars(module).items() if not name.startswith("_"))


def _select(value: Any, kinds: type | tuple[type, ...], fn: Callable[[Any], Any]) -> Any:
    """Map the leaves of `kinds` in an attribute through `fn`; None where it holds none of them."""
    if isinstance(value, dict):
        chosen = {key: _select(item, kinds, fn) for key, item in value.items()}
        return {key: item for key, item in chosen.items() if item is not None} or None
    if isinstance(value, list):
        items = [_select(item, kinds, fn) for item in value]
        # {} keeps the places of the others, as trees do.
        return (
            [{} if item is None else item for item in items]
            if any(item is not None for item in items)
            else None
        )
    return fn(value) if isinstance(value, kinds) else None


def _select_all(
    module: Module, kinds: type | tuple[type, ...], fn: Callable[[Any], Any]
) -> dict[str, Any]:
    chosen = ((name, _select(value, kinds, fn)) for name, value in _public(module))
    return {name: value for name, value in chosen if value is not None}


def _flatten(tree: Tree) -> list[tuple[str, Any]]:
    return list(tree_flatten(tree, is_leaf=lambda node: isinstance(node, (mx.array, Module))))


def _replace(node: Any, tree: Tree, path: str) -> None:
    """Put the leaves of `tree` in the place of the leaves of `node` (a module, list or dict)."""
    if isinstance(tree, dict):
        items: Iterable[tuple[Any, Any]] = tree.items()
    else:
        items = enumerate(tree)
    for key, new in items:
        where = f"{path}.{key}" if path else str(key)
        branch = vars(node) if isinstance(node, Module) else node
        try:
            old = branch[key] if isinstance(branch, (dict, list)) else None
        except (KeyError, IndexError, TypeError):
            old = None
        if old is None:
            raise ValueError(f"{where} is not in the model")
        kind = mx.array if isinstance(new, mx.array) else Module
        if isinstance(new, (dict, list)):
            _replace(old, new, where)
        elif not isinstance(old, kind):
            raise ValueError(f"{where} takes no {kind.__name__}: it is a {type(old).__name__}")
        else:
            branch[key] = new


def _count(names: list[str], noun: str) -> str:
    return f"{len(names)} {noun}" + ("s" if len(names) != 1 else "")


def _some(names: list[str]) -> str:
    shown = ", ".join(sorted(names)[:_NAMES_SHOWN])
    hidden = len(names) - _NAMES_SHOWN
    return f"{shown} and {hidden} more" if hidden > 0 else shown
