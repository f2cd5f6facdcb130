"""Threads that compute, so that an event loop need not wait."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")

# Threads nobody uses now. They are used again, because MLX keeps the stream of a thread for good.
_idle: list[ThreadPoolExecutor] = []


class Worker:
    """A thread of one's own for a while, which runs one function after the other.

    All of a turn is computed in one thread, because arrays that are not evaluated belong to the
    thread that made them.
    """

    def __init__(self) -> None:
        self._executor: ThreadPoolExecutor | None = None

    async def run(self, function: Callable[[], T], interrupt: Callable[[], object]) -> T:
        """Run a function in the thread, and return what it returns.

        Args:
            function: The function.
            interrupt: Makes it end soon. That is called where the task is cancelled, which goes
                on only when the function has ended.
        """
        import asyncio
        from concurrent.futures import ThreadPoolExecutor

        if self._executor is None:
            self._executor = _idle.pop() if _idle else ThreadPoolExecutor(1, "mlxrs")
        running = asyncio.wrap_future(self._executor.submit(function))
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

    def release(self) -> None:
        """Leave the thread to others; the next function gets another one."""
        executor, self._executor = self._executor, None
        if executor is not None:
            _idle.append(executor)
