"""Evaluation: the moment at which lazy graphs are computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._errors import check
from ._ffi import lib
from ._handle import Handle, addresses
from .random._key import RandomState

if TYPE_CHECKING:
    from ._array import array


def eval(*args: Any) -> None:
    """Compute arrays now.

    Args:
        *args: arrays, or trees of them in lists, tuples and dicts; other leaves are ignored.

    Raises:
        ValueError, RuntimeError: what an operation in the graph failed with.

    Example:
        >>> import mlxc as mx
        >>> a = mx.arange(3)
        >>> b = {"twice": a * 2}
        >>> mx.eval(a, b)
        >>> b["twice"].tolist()
        [0, 2, 4]
    """
    if len(args) == 1 and isinstance(args[0], Handle):
        check(lib.h_eval(args[0]._h))
    else:
        _evaluate(args, wait=True)


def async_eval(*args: Any) -> None:
    """Start to compute arrays; the call returns while they are being computed.

    Args:
        *args: as in `eval`.

    Example:
        >>> import mlxc as mx
        >>> a = mx.arange(3) * 2
        >>> mx.async_eval(a)
        >>> a.tolist()  # waits until it is computed
        [0, 2, 4]
    """
    _evaluate(args, wait=False)


def _evaluate(args: tuple[Any, ...], wait: bool) -> None:
    arrays: list[array] = []
    _collect(args, arrays)
    if arrays:
        check(lib.h_eval_all(addresses(arrays), len(arrays), wait))


def _collect(tree: Any, into: list[array]) -> None:
    if isinstance(tree, Handle):
        into.append(tree)  # type: ignore[arg-type]
    elif isinstance(tree, (list, tuple, RandomState)):
        for item in tree:
            _collect(item, into)
    elif isinstance(tree, dict):
        for item in tree.values():
            _collect(item, into)
