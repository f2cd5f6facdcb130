"""A reply while it is being generated."""

from __future__ import annotations

import weakref
from types import TracebackType
from typing import Self

from .response import GenerationResponse
from .turn import Turn


class TurnView:
    """What can be seen of a reply while it is being generated, and its end from outside.

    Args:
        turn: The generation; it ends when the view is dropped.
    """

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        try:
            weakref.finalize(self, turn.end).atexit = False
        except KeyboardInterrupt:
            turn.end()
            raise

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

    def cancel(self) -> None:
        """End the reply within one token, or one chunk of the prompt; from any thread."""
        self._turn.cancelled.set()


class ChatStream(TurnView):
    """An iterator of `GenerationResponse`, one a token; also a context manager that closes it.

    However it ends (read to the end, closed, cancelled, dropped, never begun, or by an error or a
    keyboard interrupt), the text so far joins the history of its session once, and the next turn
    continues from there.
    """

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> GenerationResponse:
        response = self._turn.advance()
        if response is None:
            raise StopIteration
        return response

    def close(self) -> None:
        """End the reply here; again does nothing. Another thread's token is waited for."""
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
