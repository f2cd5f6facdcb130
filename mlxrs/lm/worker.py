"""Threads that compute, so that an event loop need not wait."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")

# Threads nobody uses now; the last to have worked is the first to go on.
_idle: list[ThreadPoolExecutor] = []


async def in_thread(function: Callable[[], T], interrupt: Callable[[], object]) -> T:
    """Run a function in a thread that does nothing else, and return what it returns.

    Args:
        function: The function.
        interrupt: Makes it end soon. That is called where the task is cancelled, which goes on
            only when the function has ended.
    """
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    executor = _idle.pop() if _idle else ThreadPoolExecutor(1, "mlxrs")
    running = asyncio.wrap_future(executor.submit(function))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        interrupt()
        while not running.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([running])
        # An error of a function that was interrupted is nobody's any more.
        _ = running.cancelled() or running.exception()
        raise
    finally:
        _idle.append(executor)
