"""A conversation with a model."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Self

from ..errors import (
    CacheWithSpeculationError,
    NoCacheError,
    SpeculativeCacheError,
)
from .async_replies import AsyncReplies
from .cache import Cache, save_prompt_cache
from .chat_stream import ChatStream
from .drafter import Speculation
from .messages import ChatMessage, Part, Role
from .models import LanguageModel
from .params import GenConfig
from .pick import Constraint
from .reader import Reader
from .reply import Reply
from .reply_form import ReplyForm
from .rounds import answered
from .session_file import SavedSession, load_session, save_session
from .session_settings import Overflow, SessionSettings
from .toolbox import Toolbox, ToolFunction
from .transcript import Transcript
from .turn import Turn
from .turn_options import TurnOptions
from .turns import Turns

if TYPE_CHECKING:
    from ..tokenizer import Tokenizer


class ChatSession(AsyncReplies):
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
            `{"reasoning_effort": "low"}`; changes count from the next turn on.
        enable_thinking: Whether the model shall think; None leaves it to its chat template.
        thinking_budget: The most tokens of thinking; None for any number.

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
        max_cache_bytes: int | None = None,
        overflow: Overflow = "error",
        template_variables: Mapping[str, object] | None = None,
        enable_thinking: bool | None = None,
        thinking_budget: int | None = None,
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
            max_cache_bytes: The most memory the caches take, those of a draft model included, in
                bytes; it bounds the tokens they hold, as the model's context does. Moments to
                come back to are kept as far as it reaches. While a prompt is read, a chunk of it
                may come on top. What a fork shares counts for both. None for no limit.
            overflow: What happens when the conversation exceeds the model's context. "error"
                raises; "drop_oldest" leaves the oldest turns out of the prompt, never system
                messages, and keeps them in the history; "rotate" lets the caches forget the
                oldest tokens but the first 4.
            template_variables: Further names for the chat template.
            enable_thinking: Whether the model shall think before it answers, for chat templates
                that can be told; None leaves it to the template. A model that never thinks may be
                told not to, and one that always does may be told to.
            thinking_budget: The most tokens of thinking; behind them the tag that ends it is said
                in any case. 0 ends it at once. None for any number. Nothing happens where the
                chat template shows no tags of thinking.
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
        self._model = model
        self._tokenizer = tokenizer
        self._settings = SessionSettings(max_kv_size, kv_bits, overflow, max_cache_bytes)
        transcript, toolbox = Transcript(history), Toolbox.of(tools)
        reader = Reader(model, tokenizer, self._settings, speculative)
        options = TurnOptions(
            instructions,
            GenConfig() if params is None else params,
            {} if template_variables is None else template_variables,
            enable_thinking,
            thinking_budget,
        )
        super().__init__(Turns(tokenizer, reader, transcript, toolbox), options)
        if cache is not None and transcript.messages:
            raise ValueError(
                "history= and cache= do not go together, because nobody knows which messages the "
                "cache holds; use ChatSession.save and ChatSession.load to keep both"
            )
        if cache is not None:
            reader.take(cache)

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
            constraint: What may be said in answer; it is advanced by every token of it. Where the
                model thinks first, the thinking is free, and so is what the model says to the
                results of tools.
            schema: What the answer shall be in JSON: a dataclass or another type that
                `mlxrs.lm.type_schema` knows, or a JSON schema. `reply.parsed` is the object.
                Where there are tools the model may call them first, and the schema holds for what
                it says in the end. It needs the extra `structured`, and does not go with a
                constraint.

        Raises:
            ChatTemplateError: The tokenizer has no chat template, or it rejects the messages.
            ContextLengthError: The conversation exceeds the model's context.
            PrefixLostError: The cache that was given to the session cannot be kept.
            StreamOpenError: Another reply is still being streamed.
            ToolRoundsError: The model calls tools without end.
            ValueError: A setting in `params` is invalid.
        """
        started = perf_counter()
        form = ReplyForm(constraint, schema)
        return self._reply(self._ask(prompt, role, form), form, started)

    def stream_respond(
        self,
        prompt: str | Sequence[Part],
        *,
        role: Role | str = Role.USER,
        constraint: Constraint | None = None,
        schema: object = None,
    ) -> ChatStream:
        """Send a message and return the reply as a stream, one response a token.

        The message joins the history now, the reply when the stream ends. Arguments and errors
        are those of `respond`.
        """
        return ChatStream(self._ask(prompt, role, ReplyForm(constraint, schema)))

    def stream_tools(
        self, *, constraint: Constraint | None = None, schema: object = None
    ) -> ChatStream | None:
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
        turn = self._follow(ReplyForm(constraint, schema))
        return None if turn is None else ChatStream(turn)

    def regenerate(self, *, constraint: Constraint | None = None, schema: object = None) -> Reply:
        """Answer the last message anew, in place of the reply there is.

        Without sampling, or with a seed, the reply is the same again; change `params` first.
        Arguments and errors are those of `respond`.

        Raises:
            ChatSessionError: There is no message to answer.
        """
        started = perf_counter()
        form = ReplyForm(constraint, schema)
        return self._reply(self._ask_again(form), form, started)

    def stream_regenerate(
        self, *, constraint: Constraint | None = None, schema: object = None
    ) -> ChatStream:
        """Answer the last message anew, as a stream; see `regenerate`."""
        return ChatStream(self._ask_again(ReplyForm(constraint, schema)))

    def fork(self) -> ChatSession:
        """Return a session that goes on from here independently of this one.

        The KV caches share their memory until one of the sessions writes to its own.

        Raises:
            StreamOpenError: A reply is still being streamed.
        """
        with self._turns.idle():
            twin = self._restored(self._model, self._tokenizer, self._saved())
            twin._turns = self._turns.copy()
            return twin

    def render(self, prompt: str | Sequence[Part], role: Role | str = Role.USER) -> list[int]:
        """Return the token ids of the whole prompt a turn would have; nothing changes.

        Arguments are those of `respond`.

        Raises:
            ChatTemplateError: The tokenizer has no chat template, or it rejects the messages.
        """
        message = ChatMessage(Role(role), prompt)
        return self._turns.prompt([*self._turns.transcript.messages, message], self._options)[0]

    def __copy__(self) -> ChatSession:
        return self.fork()

    def __deepcopy__(self, memo: object) -> ChatSession:
        return self.fork()

    def __reduce__(self) -> str:
        raise TypeError("a ChatSession cannot be pickled; save() keeps it in a file, for load()")

    def save_cache(self, path: str | os.PathLike[str]) -> None:
        """Save the KV caches alone, in a file that `load_prompt_cache` and mlx-lm read.

        Raises:
            NoCacheError: There is none yet.
            SpeculativeCacheError: The session speculates; `save` can save it.
            StreamOpenError: A reply is still being streamed.
            OSError: The file cannot be written.
        """
        with self._turns.idle():
            if self._turns.reader.drafting is not None:
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
        with self._turns.idle():
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
        session = cls._restored(model, tokenizer, saved, speculative, tools)
        session._turns.reader.prefix = saved.prefix
        return session

    @classmethod
    def _restored(
        cls,
        model: LanguageModel,
        tokenizer: Tokenizer,
        saved: SavedSession,
        speculative: Speculation | None = None,
        tools: Toolbox | Sequence[ToolFunction] = (),
    ) -> Self:
        """Return a session that has read nothing yet, but is the saved one in all else."""
        options, settings = saved.options, saved.settings
        session = cls(
            model,
            tokenizer,
            instructions=options.instructions,
            params=replace(options.params),
            speculative=speculative,
            max_kv_size=settings.max_kv_size,
            kv_bits=settings.kv_bits,
            max_cache_bytes=settings.max_cache_bytes,
            overflow=settings.overflow,
            template_variables=options.template_variables,
            enable_thinking=options.enable_thinking,
            thinking_budget=options.thinking_budget,
            tools=tools,
        )
        session._turns.transcript = saved.transcript.copy()
        return session

    def _saved(self) -> SavedSession:
        turns = self._turns
        return SavedSession(self._options, self._settings, turns.transcript, turns.reader.prefix)

    def _reply(self, turn: Turn, form: ReplyForm, started: float) -> Reply:
        reply = answered(
            turn,
            started=started,
            calls=self._turns.calls,
            follow=lambda: self._follow(form),
            max_rounds=self._turns.toolbox.max_rounds,
        )
        return form.read(reply)

    def _follow(self, form: ReplyForm) -> Turn | None:
        """Run the calls in the last reply, and begin the reply to their results."""
        before, calls = self._turns.open_calls()
        results = [self._turns.toolbox.run(call) for call in calls]
        return self._turns.answer_results(before, results, self._options, form)
