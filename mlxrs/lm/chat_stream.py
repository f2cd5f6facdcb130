"""A reply while it is being generated."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Self

from ..errors import StreamEndedError
from .response import GenerationResponse
from .stream import ResponseStream


class Turn:
    """The generation of one reply, ended exactly once.

    It is apart from `ChatStream` so that it outlives the stream's last reference: a stream that
    is dropped half-way still ends its turn.

    Attributes:
        responses: The generation.
        prompt: The ids of the whole prompt.
        failed: Whether an error ended it.
        superseded: Whether the session went on without it being read to its end.
    """

    def __init__(
        self, responses: ResponseStream, prompt: list[int], commit: Callable[[Turn], None]
    ) -> None:
        self.responses = responses
        self.prompt = prompt
        self.failed = False
        self.superseded = False
        self._commit: Callable[[Turn], None] | None = commit

    def end(self) -> None:
        """Stop generating and hand the turn to its session; again does nothing."""
        commit, self._commit = self._commit, None
        if commit is not None:
            self.responses.close()
            commit(self)


class ChatStream:
    """An iterator of `GenerationResponse`, one a token; also a context manager that closes it.

    However it ends (read to the end, closed, dropped, never begun, or by an error or a keyboard
    interrupt), the text so far joins the history of its session once, and the next turn
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

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> GenerationResponse:
        turn = self._turn
        if turn.superseded:
            raise StreamEndedError
        try:
            response = next(turn.responses)
        except StopIteration:
            turn.end()
            raise
        except BaseException:
            turn.failed = True
            turn.end()
            raise
        if response.finish_reason is not None:
            turn.end()
        return response

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
