"""A forked child reads the arrays computed before the fork, and computes none.

MLX's threads stay behind in the parent, and whoever waited for them would wait forever. Once the
child is there, the functions that wait are replaced by others that ask first; until then none of
this costs anything.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

#: Functions that always wait.
WAITING = (
    "mlx_array_eval",
    "mlx_array_tostring",
    "mlx_async_eval",
    "mlx_eval",
    "mlx_synchronize",
)
#: Functions that wait for an array, their first argument, unless it is there.
READING = ("h_data", "h_eval", "h_flatnonzero")


def watch_forks(lib: Any, handle: ModuleType) -> None:
    """Make forks safe, and the children of a process that has used a stream refuse to wait."""
    os.register_at_fork(
        before=lib.mlxc_before_fork,
        after_in_parent=lib.mlxc_after_fork_in_parent,
        after_in_child=lambda: _guard(lib, handle),
    )


def _guard(lib: Any, handle: ModuleType) -> None:
    lib.mlxc_after_fork_in_child()
    if not lib.mlxc_is_forked():
        return
    for name in WAITING:
        setattr(lib, name, _refuse)
    for name in READING:
        setattr(lib, name, _reading(lib, getattr(lib, name)))
    lib.h_eval_all = _evaluating_all(lib)
    handle.refuse_to_wait(_refuse)


def _refuse(*arguments: object) -> None:
    raise RuntimeError(
        "this process was forked from one that had used MLX, whose threads stayed there: arrays "
        "cannot be computed here; start processes by multiprocessing's method 'spawn' instead"
    )


def _reading(lib: Any, function: Callable[[int], int]) -> Callable[[int], int]:
    def guarded(address: int) -> int:
        if not lib.h_is_available(address):
            _refuse()
        return function(address)

    return guarded


def _evaluating_all(lib: Any) -> Callable[..., int]:
    def guarded(addresses: list[int], count: int, wait: bool) -> int:
        if not all(map(lib.h_is_available, addresses)):
            _refuse()
        return 0

    return guarded
