"""A reply while it is being generated."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from threading import Event
from types import TracebackType
from typing import Self

from .response import GenerationResponse
from .stream import ResponseStream


class Turn:
    """The generation of one reply, ended exactly once.

    It is apart from `ChatStream` so that it outlives the stream's last reference: a stream that
    is dropped half-way still ends its turn. The session knows it weakly, so nothing is circular.

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

    @property
    def ended(self) -> bool:
        """Whether the reply has joined the history."""
        return self._commit is None

    def end(self) -> None:
        """Stop generating and hand the reply to its session; again does nothing."""
        if self._commit is not None:
            self.responses.close()
            commit, self._commit = self._commit, None
            commit()

    def try_end(self) -> bool:
        """End the turn unless another thread is at one of its tokens; return whether it ended."""
        try:
            self.end()
        except ValueError:
            # So Python refuses to close a generator that is running.
            return False
        return True


class ChatStream:
    """An iterator of `GenerationResponse`, one a token; also a context manager that closes it.

    However it ends (read to the end, closed, cancelled, dropped, never begun, or by an error or a
    keyboard interrupt), the text so far joins the history of its session once, and the next turn
    continues from there.
    """

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        weakref.finalize(self, turn.end).atexit = False

    @property
    def text(self) -> str:
        """The text so far; once ended, what the history holds."""
        return self._turn.responses.text

    @property
    def prompt_tokens(self) -> int:
        """Tokens of the whole prompt."""
        return self._turn.responses.prompt_tokens

    @property
    def cached_tokens(self) -> int:
        """How many of the prompt's tokens were cached already, and so are not read again."""
        return self._turn.responses.cached_tokens

    @property
    def dropped_messages(self) -> int:
        """How many of the oldest messages the prompt leaves out to fit the model's context."""
        return self._turn.dropped_messages

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> GenerationResponse:
        turn = self._turn
        try:
            response = next(turn.responses)
        except BaseException:
            turn.end()
            raise
        if response.finish_reason is not None:
            turn.end()
        return response

    def cancel(self) -> None:
        """End the reply within one token, or one chunk of the prompt; from any thread."""
        self._turn.cancelled.set()

    def close(self) -> None:
        """End the reply here; again does nothing."""
        self._turn.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
