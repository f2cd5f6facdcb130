"""The turns of a conversation: messages become prompts, and what the model answers joins them."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from threading import Event, RLock
from typing import TYPE_CHECKING

from ..errors import ChatSessionError, StreamOpenError
from ..tokenizer.tools import CallEvent, InvalidCallEvent
from .call_messages import CallMessages
from .messages import ChatMessage, Role
from .prompting import write_prompt
from .reader import Answer, Reader
from .reply_form import ReplyForm
from .thinking_switch import thinking_variables
from .toolbox import Toolbox
from .transcript import Transcript
from .turn import Turn
from .turn_options import TurnOptions

if TYPE_CHECKING:
    from ..tokenizer import Tokenizer


class Turns:
    """A conversation and the one who answers in it, one turn at a time.

    Args:
        tokenizer: The tokenizer of the model.
        reader: The model, with the caches of what it has read.
        transcript: The messages so far.
        toolbox: The functions the model may call.

    Attributes:
        tokenizer: The tokenizer.
        transcript: The messages.
        reader: The model and its caches.
        toolbox: The functions.
    """

    def __init__(
        self, tokenizer: Tokenizer, reader: Reader, transcript: Transcript, toolbox: Toolbox
    ) -> None:
        self.tokenizer = tokenizer
        self.reader = reader
        self.transcript = transcript
        self.toolbox = toolbox
        self._call_messages = CallMessages(tokenizer, toolbox)
        self._last_prompt: list[int] = []
        self._turn: weakref.ref[Turn] | None = None
        self._changing = RLock()

    def copy(self) -> Turns:
        """Return an independent copy that has read as much."""
        twin = Turns(self.tokenizer, self.reader.copy(), self.transcript.copy(), self.toolbox)
        twin._last_prompt = self._last_prompt
        return twin

    @contextmanager
    def idle(self) -> Iterator[None]:
        """Keep turns from beginning while something is changed or looked at.

        Raises:
            StreamOpenError: One is open.
        """
        with self._changing:
            turn = self._open_turn()
            if turn is not None and not (turn.cancelled.is_set() and turn.try_end()):
                raise StreamOpenError
            yield

    def begin(
        self,
        before: Transcript,
        new: Sequence[ChatMessage],
        options: TurnOptions,
        form: ReplyForm,
    ) -> Turn:
        """Begin the turn that answers messages behind a transcript; they join it now.

        Raises:
            StreamOpenError: Another turn is open.
            ChatTemplateError: The prompt cannot be written.
            ContextLengthError: It exceeds the model's context.
            PrefixLostError: The caches the session was given cannot be kept.
            ValueError: A setting is invalid.
        """
        with self.idle():
            options.params.validate()
            messages = [*before.messages, *new]
            ids, dropped = self.prompt(messages, options)
            cancelled = Event()
            constraint = form.constraint(self.tokenizer, ids, options, self.toolbox)
            answer = self.reader.answer(ids, options.params, constraint, cancelled)
            self._last_prompt = ids
            transcript = Transcript(messages, begun=True)
            turn = Turn(
                answer.responses, partial(self._commit, answer, len(messages)), cancelled, dropped
            )
            self.transcript, self._turn = transcript, weakref.ref(turn)
            return turn

    def prompt(
        self, messages: Sequence[ChatMessage], options: TurnOptions
    ) -> tuple[list[int], int]:
        """Return the ids of a prompt, and how many messages were left out of it.

        Raises:
            ChatTemplateError: It cannot be written.
        """
        thinking = thinking_variables(
            self.tokenizer,
            enabled=options.enable_thinking,
            budget=options.thinking_budget,
            with_tools=bool(self.toolbox.schemas),
        )
        return write_prompt(
            self.tokenizer,
            self._call_messages.told(messages, self._last_prompt),
            instructions=options.instructions,
            tools=self.toolbox.schemas,
            variables=thinking | dict(options.template_variables),
            room=self.reader.prompt_room(options.params.max_tokens),
        )

    def calls(self) -> list[CallEvent | InvalidCallEvent]:
        """Return the calls in the last message that have no results yet."""
        messages = self.transcript.messages
        if not messages or messages[-1].role is not Role.ASSISTANT:
            return []
        if messages[-1].tool_calls:
            return [CallEvent(call, "") for call in messages[-1].tool_calls]
        return self.toolbox.calls(self.tokenizer, self._last_prompt, messages[-1].text)

    def open_calls(self) -> tuple[Transcript, list[CallEvent | InvalidCallEvent]]:
        """Return the transcript and the calls at its end, for `answer_results`.

        Raises:
            StreamOpenError: A turn is open.
        """
        with self.idle():
            return self.transcript, self.calls()

    def answer_results(
        self,
        before: Transcript,
        results: Sequence[ChatMessage],
        options: TurnOptions,
        form: ReplyForm,
    ) -> Turn | None:
        """Begin the turn that answers the results of calls; None where there are none.

        Raises:
            ChatSessionError: The conversation has changed since the calls were read.
        """
        if not results:
            return None
        with self.idle():
            if self.transcript is not before:
                raise ChatSessionError(
                    "the conversation changed while its tools ran, so their results have no place "
                    "any more; let one thread or task at a time use a session"
                )
            return self.begin(before, results, options, form)

    def cancel(self) -> None:
        """End the open turn, if there is one, within a token; from any thread."""
        turn = self._open_turn()
        if turn is not None:
            turn.cancelled.set()

    def _commit(self, answer: Answer, place: int) -> None:
        """Put the reply at its place in the transcript; again changes nothing."""
        try:
            self.transcript.messages[place:] = [ChatMessage.assistant(answer.responses.text)]
            answer.record()
        finally:
            # From here on another thread may begin the next turn.
            self._turn = None

    def _open_turn(self) -> Turn | None:
        return None if self._turn is None else self._turn()
