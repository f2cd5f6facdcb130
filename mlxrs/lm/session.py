"""A conversation with a model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from .cache import Cache, make_prompt_cache
from .chat_stream import ChatStream, Turn
from .messages import ChatMessage, Role
from .models import LanguageModel
from .params import GenConfig
from .prefix import CachedPrefix
from .reply import Reply
from .steps import generate_step
from .stream import ResponseStream

if TYPE_CHECKING:
    from ..tokenizer import Tokenizer


class ChatSession:
    """A conversation: it keeps the history, and the KV cache of what the model has read of it.

    Every turn is rendered whole by the tokenizer's chat template, but the model reads only what
    is new: the cache is rewound to where it and the new rendering part, which also holds when
    the instructions change or a template drops what it showed before.

    One reply is generated at a time. Beginning another turn ends a stream not read to its end.

    Attributes:
        instructions: The system message in front of every turn; None for none. A change counts
            from the next turn on.
        params: The settings; changes, in place too, count from the next turn on.

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
    ) -> None:
        """Begin a conversation; nothing is computed.

        Args:
            model: The model.
            tokenizer: Its tokenizer, with a chat template.
            instructions: The system message.
            params: The settings; greedy and at most 256 tokens where it is None.
            history: Messages of an earlier conversation. They go in front of the first turn and
                are part of `history` from then on.
            cache: The model's caches, already holding tokens. The whole conversation is read
                behind those; instructions they already contain should not be given again.

        Raises:
            ValueError: `cache` has not one cache for each layer of the model.
        """
        self.instructions = instructions
        self.params = params or GenConfig()
        self._model = model
        self._tokenizer = tokenizer
        self._seed = list(history)
        self._history: list[ChatMessage] = []
        self._prefix: CachedPrefix | None = None
        self._turn: Turn | None = None
        if cache is not None:
            layers = len(make_prompt_cache(model))
            if len(cache) != layers:
                raise ValueError(
                    f"cache must hold one cache for each of the model's {layers} layers, got "
                    f"{len(cache)}; pass what make_prompt_cache(model) gave"
                )
            self._prefix = CachedPrefix(list(cache))

    @property
    def history(self) -> list[ChatMessage]:
        """The messages so far, without the instructions: a list of its own."""
        return list(self._history)

    @property
    def has_cache(self) -> bool:
        """Whether there is a KV cache: from the first turn on."""
        return self._prefix is not None

    @property
    def current_cache(self) -> list[Cache] | None:
        """The KV caches, one a layer; None before the first turn."""
        return None if self._prefix is None else self._prefix.caches

    def respond(self, prompt: str, *, role: Role | str = Role.USER) -> Reply:
        """Send a message and return the whole reply.

        Message and reply join the history. If an error ends the reply, its text so far does,
        and the error is raised; a `Raises` below leaves the session as it was.

        Args:
            prompt: The text of the message.
            role: Who speaks.

        Raises:
            ChatTemplateError: The tokenizer has no chat template, or it rejects the messages.
            ContextLengthError: The conversation exceeds the model's context.
            ValueError: A setting in `params` is invalid.
        """
        started = perf_counter()
        with self.stream_respond(prompt, role=role) as stream:
            return Reply.collect(
                stream,
                started=started,
                prompt_tokens=stream.prompt_tokens,
                cached_tokens=stream.cached_tokens,
            )

    def stream_respond(self, prompt: str, *, role: Role | str = Role.USER) -> ChatStream:
        """Send a message and return the reply as a stream, one response a token.

        The message joins the history now, the reply when the stream ends. Arguments and errors
        are those of `respond`.
        """
        self._end_turn()
        message = ChatMessage(Role(role), prompt)
        ids = self._encode(message)
        prefix, cached = self._reuse(ids)
        steps = generate_step(
            self._model,
            ids[cached:],
            params=self.params,
            cache=prefix.caches,
            eos=self._tokenizer.eos_token_ids,
        )
        responses = ResponseStream(
            steps, self._tokenizer.detokenizer(), len(ids), cached, self.params.stop_strings
        )

        self._prefix = prefix
        self._history += [*self._seed, message]
        self._seed = []
        self._turn = Turn(responses, ids, self._commit)
        return ChatStream(self._turn)

    def render(self, prompt: str, *, role: Role | str = Role.USER) -> list[int]:
        """Return the token ids of the whole prompt a turn would have; nothing changes.

        Arguments are those of `respond`.

        Raises:
            ChatTemplateError: The tokenizer has no chat template, or it rejects the messages.
        """
        return self._encode(ChatMessage(Role(role), prompt))

    def clear(self) -> None:
        """Forget history and cache; instructions and settings stay."""
        self._end_turn()
        self._seed = []
        self._history = []
        self._prefix = None

    def _encode(self, message: ChatMessage) -> list[int]:
        system = [] if self.instructions is None else [ChatMessage.system(self.instructions)]
        messages = [*system, *self._seed, *self._history, message]
        return self._tokenizer.apply_chat_template_ids(
            [{"role": str(message.role), "content": message.content} for message in messages]
        )

    def _reuse(self, ids: list[int]) -> tuple[CachedPrefix, int]:
        """Return caches holding a beginning of `ids`, and how many of them that is."""
        if self._prefix is not None:
            cached = self._prefix.rewind_to(ids)
            if cached is not None:
                return self._prefix, cached
        return CachedPrefix(make_prompt_cache(self._model)), 0

    def _end_turn(self) -> None:
        if self._turn is not None:
            self._turn.superseded = True
            self._turn.end()

    def _commit(self, turn: Turn) -> None:
        self._turn = None
        self._history.append(ChatMessage.assistant(turn.responses.text))
        if self._prefix is not None:
            self._prefix.record([*turn.prompt, *turn.responses.tokens], failed=turn.failed)
