"""The generation of one reply in a conversation."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, RLock

from .response import GenerationResponse
from .stream import ResponseStream


class Turn:
    """The generation of one reply, ended exactly once.

    It is apart from the streams so that it outlives their last reference: a stream that is
    dropped half-way still ends its turn. The session knows it weakly, so nothing is circular.

    Attributes:
        responses: The generation.
        cancelled: Ends the generation when it is set, from any thread.
        dropped_messages: How many messages the prompt leaves out.
    """

    def __init__(
        self,
        responses: ResponseStream,
        commit: Callable[[], None],
        cancelled: Event,
        dropped_messages: int = 0,
    ) -> None:
        self.responses = responses
        self.cancelled = cancelled
        self.dropped_messages = dropped_messages
        self._commit: Callable[[], None] | None = commit
        self._moving = RLock()

    @property
    def ended(self) -> bool:
        """Whether the reply has joined the history."""
        return self._commit is None

    def advance(self) -> GenerationResponse | None:
        """Return the next response, None behind the last; at the last one the turn ends."""
        with self._moving:
            try:
                response = next(self.responses, None)
            except BaseException:
                self.end()
                raise
            if response is None or response.finish_reason is not None:
                self.end()
            return response

    def end(self) -> None:
        """Stop generating and hand the reply to its session; again does nothing."""
        with self._moving:
            try:
                self._finish()
            except KeyboardInterrupt:
                # A turn half ended would keep its session from the next one.
                self._finish()
                raise

    def _finish(self) -> None:
        if self._commit is not None:
            self.responses.close()
            try:
                self._commit()
            except Exception:
                self._commit = None
                raise
            self._commit = None

    def try_end(self) -> bool:
        """End the turn unless it is at one of its tokens; return whether it ended."""
        if not self._moving.acquire(blocking=False):
            return False
        try:
            self.end()
        except ValueError:
            # This thread is at a token itself: Python closes no generator that is running.
            return False
        finally:
            self._moving.release()
        return True
