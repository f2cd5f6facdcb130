"""Functions that run in threads at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def at_once(functions: Sequence[Callable[[], T]], most: float = 60.0) -> list[T]:
    """What functions return that begin together, each in a thread of its own.

    Args:
        functions: The functions.
        most: Seconds after which a thread hangs.

    Raises:
        Whatever the first function that failed has raised.
    """
    barrier = threading.Barrier(len(functions))
    results: list[T | None] = [None] * len(functions)
    failures: list[BaseException] = []

    def run(place: int) -> None:
        try:
            barrier.wait(most)
            results[place] = functions[place]()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(len(functions))]
    until = time.monotonic() + most
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    if failures:
        raise failures[0]
    assert not any(thread.is_alive() for thread in threads), "a thread hangs"
    return results  # type: ignore[return-value]


def elsewhere(function: Callable[[], T]) -> T:
    """What a function returns in a thread that is over by then."""
    return at_once([function])[0]
