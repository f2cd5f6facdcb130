"""A conversation without the one who answers: what is in it, and how it is changed."""

from __future__ import annotations

from collections.abc import Sequence

from .cache import Cache
from .messages import ChatMessage, Part, Role
from .reply_form import ReplyForm
from .transcript import Transcript
from .turn import Turn
from .turn_options import TurnOptions
from .turns import Turns


class Conversation:
    """Messages that can be looked at and changed while no reply is being generated.

    Args:
        turns: The messages, and what the model has read of them.
        options: The settings to begin with.

    Attributes:
        instructions: The system message in front of every turn; None for none.
        params: The settings of the generation.
        template_variables: Further names for the chat template.
        enable_thinking: Whether the model shall think; None leaves it to its chat template.
        thinking_budget: The most tokens of thinking; None for any number.
    """

    def __init__(self, turns: Turns, options: TurnOptions) -> None:
        self.instructions = options.instructions
        self.params = options.params
        self.template_variables: dict[str, object] = dict(options.template_variables)
        self.enable_thinking = options.enable_thinking
        self.thinking_budget = options.thinking_budget
        self._turns = turns

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self._turns.transcript.messages)} messages>"

    @property
    def history(self) -> list[ChatMessage]:
        """The messages so far, without the instructions: a list of its own."""
        transcript = self._turns.transcript
        return list(transcript.messages) if transcript.begun else []

    @property
    def pending_history(self) -> list[ChatMessage]:
        """The messages that will join the history at the first turn: a list of its own."""
        transcript = self._turns.transcript
        return [] if transcript.begun else list(transcript.messages)

    @property
    def has_cache(self) -> bool:
        """Whether there is a KV cache: from the first turn on, or because one was given.

        Never with speculation, which keeps its caches to itself.
        """
        return self.current_cache is not None

    @property
    def current_cache(self) -> list[Cache] | None:
        """The KV caches, one a layer; None where there are none.

        They are those of the session: whoever advances them makes the next turn read all anew. Take
        copies, or the session's `fork`, to go on from here.
        """
        reader = self._turns.reader
        return None if reader.prefix is None or reader.drafting else list(reader.prefix.caches)

    @property
    def cache_nbytes(self) -> int:
        """Memory of the KV caches in bytes, with what is kept to come back to; 0 for none."""
        return self._turns.reader.nbytes

    def edit(self, index: int, text: str) -> None:
        """Give a message another text; those behind it stay.

        Args:
            index: Its place in `history`, or in `pending_history` before the first turn.
            text: What it says from now on.

        Raises:
            IndexError: There is no such message.
            StreamOpenError: A reply is still being streamed.
        """
        with self._turns.idle():
            self._turns.transcript = self._turns.transcript.edited(index, text)

    def undo(self, turns: int = 1) -> list[ChatMessage]:
        """Take back the last turns: a message of the user and all that followed it.

        Args:
            turns: How many.

        Returns:
            The messages taken back.

        Raises:
            ChatSessionError: There are not so many turns, or a reply is still being streamed.
            ValueError: `turns` is below 1.
        """
        with self._turns.idle():
            before = self._turns.transcript
            self._turns.transcript = before.without_turns(turns)
            return before.messages[len(self._turns.transcript.messages) :]

    def clear(self) -> None:
        """Forget history and cache; instructions and settings stay.

        Raises:
            StreamOpenError: A reply is still being streamed.
        """
        with self._turns.idle():
            self._turns.transcript = Transcript()
            self._turns.reader.forget()

    def cancel(self) -> None:
        """End the reply being generated, within one token; from any thread."""
        self._turns.cancel()

    def _ask(self, prompt: str | Sequence[Part], role: Role | str, form: ReplyForm) -> Turn:
        """Begin the reply to a message."""
        message = ChatMessage(Role(role), prompt)
        with self._turns.idle():
            before = self._turns.transcript
            return self._turns.begin(before, [message], self._options, form)

    def _ask_again(self, form: ReplyForm) -> Turn:
        """Begin another reply to the message answered last."""
        with self._turns.idle():
            before, message = self._turns.transcript.without_reply()
            return self._turns.begin(before, [message], self._options, form)

    @property
    def _options(self) -> TurnOptions:
        return TurnOptions(
            self.instructions,
            self.params,
            self.template_variables,
            self.enable_thinking,
            self.thinking_budget,
        )
