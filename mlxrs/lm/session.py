"""A conversation with a model."""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from threading import Event
from time import perf_counter
from typing import TYPE_CHECKING, Self

from ..errors import (
    CacheWithSpeculationError,
    NoCacheError,
    SpeculativeCacheError,
    StreamOpenError,
    ToolRoundsError,
)
from ..tokenizer.tools import CallEvent, InvalidCallEvent
from .cache import Cache, save_prompt_cache
from .chat_stream import ChatStream, Turn
from .drafter import Speculation
from .messages import ChatMessage, Part, Role
from .models import LanguageModel
from .params import GenConfig
from .pick import Constraint
from .prompting import write_prompt
from .reader import Answer, Reader
from .reply import Reply
from .response import FinishReason
from .session_file import SavedSession, load_session, save_session
from .session_settings import Overflow, SessionSettings
from .structured import Grammar
from .toolbox import Toolbox, ToolFunction
from .transcript import Transcript
from .typed_value import typed_value

if TYPE_CHECKING:
    from ..tokenizer import Tokenizer


class ChatSession:
    """A conversation: it keeps the history, and the KV cache of what the model has read of it.

    Every turn is rendered whole by the tokenizer's chat template, but the model reads only what
    is new: the cache is rewound to where it and the new rendering part. That also holds when
    messages or instructions change, or when a template drops what it showed before.

    One reply is generated at a time: while a stream is open, the session can only be looked at.

    Attributes:
        instructions: The system message in front of every turn; None for none. A change counts
            from the next turn on.
        params: The settings; changes, in place too, count from the next turn on.
        template_variables: Further names for the chat template, such as
            `{"enable_thinking": False}`; changes count from the next turn on.

    Example:
        model, tokenizer = load("smollm2-135m-instruct")
        session = ChatSession(model, tokenizer, instructions="Answer in one sentence.")
        print(session.respond("What is a cache?"))
        for response in session.stream_respond("And why does it help?"):
            print(response.text, end="", flush=True)
    """

    def __init__(
        self,
        model: LanguageModel,
        tokenizer: Tokenizer,
        *,
        instructions: str | None = None,
        params: GenConfig | None = None,
        history: Iterable[ChatMessage] = (),
        cache: Sequence[Cache] | None = None,
        speculative: Speculation | None = None,
        max_kv_size: int | None = None,
        kv_bits: int | None = None,
        overflow: Overflow = "error",
        template_variables: Mapping[str, object] | None = None,
        tools: Toolbox | Sequence[ToolFunction] = (),
    ) -> None:
        """Begin a conversation; nothing is computed.

        Args:
            model: The model.
            tokenizer: Its tokenizer, with a chat template.
            instructions: The system message.
            params: The settings; greedy and at most 256 tokens where it is None.
            history: Messages of an earlier conversation. They go in front of the first turn and
                are part of `history` from then on.
            cache: The model's caches, holding tokens that nobody names any more; they are copied.
                The whole conversation is read behind those tokens, which are never taken back.
                Instructions they already contain should not be given again.
            speculative: Whether replies are guessed and judged several tokens at once, and who
                guesses: a `SpeculativeDecodingConfig` or a `PromptLookupConfig`. Such a session
                keeps its caches, and those of a draft model, to itself.
            max_kv_size: How many tokens a layer of the cache holds at most: the first 4 and the
                last ones. None for all.
            kv_bits: Bits a key or value is packed into: 2, 3, 4, 5, 6 or 8; None for none.
            overflow: What happens when the conversation exceeds the model's context. "error"
                raises; "drop_oldest" leaves the oldest turns out of the prompt, never system
                messages, and keeps them in the history; "rotate" lets the caches forget the
                oldest tokens but the first 4.
            template_variables: Further names for the chat template.
            tools: Functions the model may call, with type hints and a docstring, which the
                model is shown; or a `Toolbox` of them.

        Raises:
            CacheWithSpeculationError: There is both `cache` and `speculative`.
            TypeError: A tool has an argument without a type hint, or one JSON has nothing for.
            ValueError: A setting is invalid, `cache` has not one cache for each layer of the
                model, or comes with settings or messages of its own.
        """
        if cache is not None and speculative is not None:
            raise CacheWithSpeculationError
        self.instructions = instructions
        self.params = params or GenConfig()
        self.template_variables: dict[str, object] = dict(template_variables or {})
        self._model = model
        self._tokenizer = tokenizer
        self._toolbox = Toolbox.of(tools)
        self._last_prompt: list[int] = []
        self._settings = SessionSettings(max_kv_size, kv_bits, overflow)
        self._transcript = Transcript(history)
        self._reader = Reader(model, tokenizer, self._settings, speculative)
        self._turn: weakref.ref[Turn] | None = None
        if cache is not None and self._transcript.messages:
            raise ValueError(
                "history= and cache= do not go together, because nobody knows which messages the "
                "cache holds; use ChatSession.save and ChatSession.load to keep both"
            )
        if cache is not None:
            self._reader.take(cache)

    @property
    def history(self) -> list[ChatMessage]:
        """The messages so far, without the instructions: a list of its own."""
        return list(self._transcript.messages) if self._transcript.begun else []

    @property
    def pending_history(self) -> list[ChatMessage]:
        """The messages that will join the history at the first turn: a list of its own."""
        return [] if self._transcript.begun else list(self._transcript.messages)

    @property
    def has_cache(self) -> bool:
        """Whether there is a KV cache: from the first turn on, or because one was given.

        Never with speculation, which keeps its caches to itself.
        """
        return self.current_cache is not None

    @property
    def current_cache(self) -> list[Cache] | None:
        """The KV caches, one a layer; None where there are none."""
        reader = self._reader
        return None if reader.prefix is None or reader.drafting else reader.prefix.caches

    def respond(
        self,
        prompt: str | Sequence[Part],
        *,
        role: Role | str = Role.USER,
        constraint: Constraint | None = None,
        schema: object = None,
    ) -> Reply:
        """Send a message and return the whole reply.

        Where the session has tools, calls in the reply are run and the model goes on, until it
        answers without one; that is the reply, and all that led to it is in the history.

        Message and reply join the history. If an error ends the reply, its text so far does,
        and the error is raised; a `Raises` below leaves the session as it was.

        Args:
            prompt: The message: a text, or parts that the chat template knows.
            role: Who speaks.
            constraint: What may be said; it is advanced by every token. What the model says to
                the results of tools is free.
            schema: What the reply shall be in JSON: a dataclass or another type that
                `mlxrs.lm.type_schema` knows, or a JSON schema. `reply.parsed` is the object. It
                needs the extra `structured`, and does not go with a constraint.

        Raises:
            ChatTemplateError: The tokenizer has no chat template, or it rejects the messages.
            ContextLengthError: The conversation exceeds the model's context.
            PrefixLostError: The cache that was given to the session cannot be kept.
            StreamOpenError: Another reply is still being streamed.
            ToolRoundsError: The model calls tools without end.
            ValueError: A setting in `params` is invalid.
        """
        started = perf_counter()
        if schema is not None:
            if constraint is not None:
                raise ValueError("schema and constraint do not go together; give one of them")
            eos = self._tokenizer.eos_token_ids | set(self.params.eos)
            constraint = Grammar.json_schema(schema).constraint(self._tokenizer, eos=eos)
        reply = self._answer(self.stream_respond(prompt, role=role, constraint=constraint), started)
        if schema is not None and reply.finish_reason is FinishReason.EOS:
            reply.parsed = typed_value(schema, json.loads(reply))
        return reply

    def stream_respond(
        self,
        prompt: str | Sequence[Part],
        *,
        role: Role | str = Role.USER,
        constraint: Constraint | None = None,
    ) -> ChatStream:
        """Send a message and return the reply as a stream, one response a token.

        The message joins the history now, the reply when the stream ends. Arguments and errors
        are those of `respond`.
        """
        self._require_idle()
        return self._begin(self._transcript, [ChatMessage(Role(role), prompt)], constraint)

    def stream_tools(self, *, constraint: Constraint | None = None) -> ChatStream | None:
        """Run the calls in the last reply, and return what the model says to their results.

        Returns:
            The stream; None where the last reply calls nothing.

        Raises:
            ChatTemplateError: The chat template rejects the results of tools.
            ContextLengthError: The conversation exceeds the model's context.
            StreamOpenError: A reply is still being streamed.

        Example:
            stream = session.stream_respond("How warm is it in Oslo?")
            while stream is not None:
                for response in stream:
                    print(response.text, end="", flush=True)
                stream = session.stream_tools()
        """
        self._require_idle()
        results = [self._toolbox.run(call) for call in self._calls()]
        return self._begin(self._transcript, results, constraint) if results else None

    def regenerate(self, *, constraint: Constraint | None = None) -> Reply:
        """Answer the last message anew, in place of the reply there is.

        Without sampling, or with a seed, the reply is the same again; change `params` first.
        Arguments and errors are those of `respond`.

        Raises:
            ChatSessionError: There is no message to answer.
        """
        started = perf_counter()
        return self._answer(self.stream_regenerate(constraint=constraint), started)

    def stream_regenerate(self, *, constraint: Constraint | None = None) -> ChatStream:
        """Answer the last message anew, as a stream; see `regenerate`."""
        self._require_idle()
        before, message = self._transcript.without_reply()
        return self._begin(before, [message], constraint)

    def edit(self, index: int, text: str) -> None:
        """Give a message another text; those behind it stay.

        Args:
            index: Its place in `history`, or in `pending_history` before the first turn.
            text: What it says from now on.

        Raises:
            IndexError: There is no such message.
            StreamOpenError: A reply is still being streamed.
        """
        self._require_idle()
        self._transcript = self._transcript.edited(index, text)

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
        self._require_idle()
        before, self._transcript = self._transcript, self._transcript.without_turns(turns)
        return before.messages[len(self._transcript.messages) :]

    def fork(self) -> ChatSession:
        """Return a session that goes on from here independently of this one.

        The KV caches share their memory until one of the sessions writes to its own.

        Raises:
            StreamOpenError: A reply is still being streamed.
        """
        self._require_idle()
        twin = self._restored(self._model, self._tokenizer, self._saved())
        twin._toolbox = self._toolbox
        twin._last_prompt = self._last_prompt
        twin._reader = self._reader.copy()
        return twin

    def clear(self) -> None:
        """Forget history and cache; instructions and settings stay.

        Raises:
            StreamOpenError: A reply is still being streamed.
        """
        self._require_idle()
        self._transcript = Transcript()
        self._reader.forget()

    def cancel(self) -> None:
        """End the reply being streamed, within one token; from any thread."""
        turn = self._open_turn()
        if turn is not None:
            turn.cancelled.set()

    def render(self, prompt: str | Sequence[Part], role: Role | str = Role.USER) -> list[int]:
        """Return the token ids of the whole prompt a turn would have; nothing changes.

        Arguments are those of `respond`.

        Raises:
            ChatTemplateError: The tokenizer has no chat template, or it rejects the messages.
        """
        return self._prompt([*self._transcript.messages, ChatMessage(Role(role), prompt)])[0]

    def save_cache(self, path: str | os.PathLike[str]) -> None:
        """Save the KV caches alone, in a file that `load_prompt_cache` and mlx-lm read.

        Raises:
            NoCacheError: There is none yet.
            SpeculativeCacheError: The session speculates; `save` can save it.
            StreamOpenError: A reply is still being streamed.
            OSError: The file cannot be written.
        """
        self._require_idle()
        if self._reader.drafting is not None:
            raise SpeculativeCacheError
        caches = self.current_cache
        if caches is None:
            raise NoCacheError
        save_prompt_cache(path, caches)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the whole session in one safetensors file, which appears whole or not at all.

        Args:
            path: The file; `.safetensors` is appended where it is missing.

        Raises:
            ValueError: `params` has functions, which no file can hold.
            StreamOpenError: A reply is still being streamed.
            OSError: The file cannot be written.

        Example:
            session.save("talk.safetensors")
            session = ChatSession.load("talk.safetensors", model, tokenizer)
        """
        self._require_idle()
        save_session(path, self._saved(), self._model, self._tokenizer)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        model: LanguageModel,
        tokenizer: Tokenizer,
        *,
        speculative: Speculation | None = None,
        tools: Toolbox | Sequence[ToolFunction] = (),
    ) -> Self:
        """Return the session in a file that `save` wrote.

        Args:
            path: The file.
            model: The model of the session.
            tokenizer: Its tokenizer.
            speculative: As for a new session; it is not part of the file.
            tools: Likewise.

        Raises:
            FileNotFoundError: There is no such file.
            FormatError: The file is no session, or is damaged.
            UnsupportedError: The session was held with another model or tokenizer.
        """
        saved = load_session(path, model, tokenizer)
        session = cls._restored(model, tokenizer, saved, speculative)
        session._toolbox = Toolbox.of(tools)
        session._reader.prefix = saved.prefix
        return session

    @classmethod
    def _restored(
        cls,
        model: LanguageModel,
        tokenizer: Tokenizer,
        saved: SavedSession,
        speculative: Speculation | None = None,
    ) -> Self:
        """Return a session that has read nothing yet, but is the saved one in all else."""
        settings = saved.settings
        session = cls(
            model,
            tokenizer,
            instructions=saved.instructions,
            params=replace(saved.params),
            speculative=speculative,
            max_kv_size=settings.max_kv_size,
            kv_bits=settings.kv_bits,
            overflow=settings.overflow,
            template_variables=saved.template_variables,
        )
        session._transcript = saved.transcript.copy()
        return session

    def _saved(self) -> SavedSession:
        return SavedSession(
            self.instructions,
            self.template_variables,
            self.params,
            self._settings,
            self._transcript,
            self._reader.prefix,
        )

    def _answer(self, stream: ChatStream, started: float) -> Reply:
        """Read a reply, and those to the results of the tools it calls; return the last."""
        reply = _collect(stream, started)
        rounds = 0
        # A reply without a reason was cancelled.
        while reply.finish_reason is not None and self._calls():
            if rounds == self._toolbox.max_rounds:
                raise ToolRoundsError
            rounds += 1
            started = perf_counter()
            following = self.stream_tools()
            assert following is not None
            reply = _collect(following, started)
        return reply

    def _calls(self) -> list[CallEvent | InvalidCallEvent]:
        """Return the calls in the last message that have no results yet."""
        messages = self._transcript.messages
        if not messages or messages[-1].role is not Role.ASSISTANT:
            return []
        return self._toolbox.calls(self._tokenizer, self._last_prompt, messages[-1].text)

    def _begin(
        self, before: Transcript, new: Sequence[ChatMessage], constraint: Constraint | None
    ) -> ChatStream:
        """Start the turn that answers messages behind a transcript."""
        messages = [*before.messages, *new]
        ids, dropped = self._prompt(messages)
        cancelled = Event()
        answer = self._reader.answer(ids, self.params, constraint, cancelled)
        self._last_prompt = ids
        self._transcript = Transcript(messages, begun=True)
        turn = Turn(answer.responses, partial(self._commit, answer), cancelled, dropped)
        self._turn = weakref.ref(turn)
        return ChatStream(turn)

    def _commit(self, answer: Answer) -> None:
        self._turn = None
        self._transcript.messages.append(ChatMessage.assistant(answer.responses.text))
        answer.record()

    def _prompt(self, messages: Sequence[ChatMessage]) -> tuple[list[int], int]:
        """Return the ids of a prompt, and how many messages were left out of it."""
        return write_prompt(
            self._tokenizer,
            messages,
            instructions=self.instructions,
            tools=self._toolbox.schemas,
            variables=self.template_variables,
            room=self._reader.prompt_room(self.params.max_tokens),
        )

    def _open_turn(self) -> Turn | None:
        return None if self._turn is None else self._turn()

    def _require_idle(self) -> None:
        turn = self._open_turn()
        if turn is not None and not (turn.cancelled.is_set() and turn.try_end()):
            raise StreamOpenError


def _collect(stream: ChatStream, started: float) -> Reply:
    with stream:
        return Reply.collect(
            stream,
            started=started,
            prompt_tokens=stream.prompt_tokens,
            cached_tokens=stream.cached_tokens,
        )
