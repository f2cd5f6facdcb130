"""A reply while it is being generated, for event loops."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from .chat_stream import TurnView
from .response import GenerationResponse
from .worker import in_thread


class AsyncChatStream(TurnView):
    """An asynchronous iterator of `GenerationResponse`, one a token, computed in another thread.

    It ends as a `ChatStream` does: however that is, the text so far joins the history of its
    session once. Where its task is cancelled, the token on its way is waited for and is part of
    the text. `async with` and `aclose` end it without keeping the event loop waiting; where it is
    dropped, as by a `break`, that is done in the thread of the loop, which takes next to no time.
    """

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> GenerationResponse:
        turn = self._turn
        try:
            response = await in_thread(turn.advance, turn.cancelled.set)
        except BaseException:
            await self.aclose()
            raise
        if response is None:
            raise StopAsyncIteration
        return response

    async def aclose(self) -> None:
        """End the reply here; again does nothing."""
        if not self._turn.ended:
            await in_thread(self._turn.end, self._turn.cancelled.set)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
