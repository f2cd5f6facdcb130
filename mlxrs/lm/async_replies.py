"""The methods of a chat session that generate, for event loops."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

from .async_stream import AsyncChatStream
from .conversation import Conversation
from .messages import Part, Role
from .pick import Constraint
from .reply import Reply
from .reply_form import ReplyForm
from .rounds import answered_async
from .turn import Turn


class AsyncReplies(Conversation):
    """Replies that are computed in another thread while an event loop goes on.

    Each method is the twin of the one without the "a". Where a task is cancelled, its reply ends
    within one token, or one chunk of the prompt, and the text so far is in the history.
    """

    async def arespond(
        self,
        prompt: str | Sequence[Part],
        *,
        role: Role | str = Role.USER,
        constraint: Constraint | None = None,
        schema: object = None,
    ) -> Reply:
        """Send a message and return the whole reply; see `respond`.

        Tools that are `async` are awaited in the running loop, others run in threads.

        Example:
            replies = await asyncio.gather(one.arespond("Hello."), another.arespond("Hello."))
        """
        started = perf_counter()
        form = ReplyForm(constraint, schema)
        return await self._areply(self._ask(prompt, role, form), form, started)

    def astream_respond(
        self,
        prompt: str | Sequence[Part],
        *,
        role: Role | str = Role.USER,
        constraint: Constraint | None = None,
        schema: object = None,
    ) -> AsyncChatStream:
        """Send a message and return the reply as an asynchronous stream; see `stream_respond`.

        Example:
            async for response in session.astream_respond("Hello."):
                print(response.text, end="", flush=True)
        """
        return AsyncChatStream(self._ask(prompt, role, ReplyForm(constraint, schema)))

    async def astream_tools(
        self, *, constraint: Constraint | None = None, schema: object = None
    ) -> AsyncChatStream | None:
        """Run the calls in the last reply, and return what the model says; see `stream_tools`."""
        turn = await self._afollow(ReplyForm(constraint, schema))
        return None if turn is None else AsyncChatStream(turn)

    async def aregenerate(
        self, *, constraint: Constraint | None = None, schema: object = None
    ) -> Reply:
        """Answer the last message anew; see `regenerate`."""
        started = perf_counter()
        form = ReplyForm(constraint, schema)
        return await self._areply(self._ask_again(form), form, started)

    def astream_regenerate(
        self, *, constraint: Constraint | None = None, schema: object = None
    ) -> AsyncChatStream:
        """Answer the last message anew, as an asynchronous stream; see `regenerate`."""
        return AsyncChatStream(self._ask_again(ReplyForm(constraint, schema)))

    async def _areply(self, turn: Turn, form: ReplyForm, started: float) -> Reply:
        reply = await answered_async(
            turn,
            started=started,
            calls=self._turns.calls,
            follow=lambda: self._afollow(form),
            max_rounds=self._turns.toolbox.max_rounds,
        )
        return form.read(reply)

    async def _afollow(self, form: ReplyForm) -> Turn | None:
        before, calls = self._turns.open_calls()
        results = [await self._turns.toolbox.arun(call) for call in calls]
        return self._turns.answer_results(before, results, self._options, form)
