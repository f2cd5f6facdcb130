"""Prompts that begin alike, read by a model whose caches are kept from one to the next."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event
from typing import TYPE_CHECKING

from ..errors import PrefixLostError
from .cache import Cache
from .models import LanguageModel
from .params import GenConfig
from .pick import Constraint
from .prefix import CachedPrefix
from .session_settings import SessionSettings
from .steps import generate_step, room_after
from .stream import ResponseStream

if TYPE_CHECKING:
    from ..tokenizer import Tokenizer


class Answer:
    """The answer to a prompt, while it is being generated.

    Attributes:
        responses: The generation.
    """

    def __init__(self, ids: list[int], prefix: CachedPrefix, cached: int) -> None:
        self.responses: ResponseStream
        self._ids = ids
        self._prefix = prefix
        self._cached = self._read = cached

    def progress(self, read: int, total: int) -> None:
        """Note how much of what was new in the prompt is read."""
        if read < total:
            self._read = self._cached + read
        if read == total - 1:
            # A prompt that is answered anew comes back to here.
            self._prefix.mark(self._read)

    def record(self) -> None:
        """Note what the caches hold now that the generation has ended."""
        tokens = self.responses.tokens
        read = len(self._ids) + len(tokens) - 1 if tokens else self._read
        self._prefix.record([*self._ids, *tokens], read)


class Reader:
    """A model with the caches of what it has read.

    Args:
        model: The model.
        tokenizer: Its tokenizer.
        settings: What its caches are like, and how long its context is.

    Attributes:
        prefix: The caches and what they hold; None as long as nothing was read.
    """

    def __init__(
        self, model: LanguageModel, tokenizer: Tokenizer, settings: SessionSettings
    ) -> None:
        self.prefix: CachedPrefix | None = None
        self._model = settings.bound(model)
        self._tokenizer = tokenizer
        self._settings = settings
        # The model itself, for caches as large as its context.
        self._maker = model

    @property
    def room(self) -> int | None:
        """How many tokens a prompt may have at most; None for no limit."""
        limit = self._model.context_length
        return None if limit is None else limit - self._given

    @property
    def _given(self) -> int:
        return 0 if self.prefix is None else self.prefix.given

    def new_caches(self) -> list[Cache]:
        """Return new, empty caches, one a layer."""
        return self._settings.make_caches(self._maker)

    def take(self, caches: Sequence[Cache]) -> None:
        """Read on behind copies of caches that hold nameless tokens.

        Raises:
            ValueError: They are not one for each layer.
        """
        layers = len(self.new_caches())
        if len(caches) != layers:
            raise ValueError(
                f"cache must hold one cache for each of the model's {layers} layers, got "
                f"{len(caches)}; pass what make_prompt_cache(model) gave"
            )
        self.prefix = CachedPrefix(caches)

    def answer(
        self, ids: list[int], params: GenConfig, constraint: Constraint | None, cancel: Event
    ) -> Answer:
        """Begin to read a prompt, as far as it is new, and to answer it.

        Args:
            ids: The prompt.
            params: The settings of the generation.
            constraint: What may be said.
            cancel: Ends the generation when it is set.

        Returns:
            The answer; its `record` must be called when it has ended, before anything else is
            asked. Nothing is computed yet.

        Raises:
            ContextLengthError: The prompt exceeds the model's context.
            PrefixLostError: The tokens that the caches were given with cannot be kept.
            ValueError: A setting is invalid.
        """
        params.validate()
        room_after(self._model, self._given, len(ids))
        prefix, cached = self._reuse(ids)
        answer = Answer(ids, prefix, cached)
        steps = generate_step(
            self._model,
            ids[cached:],
            params=params,
            cache=prefix.caches,
            eos=self._tokenizer.eos_token_ids,
            constraint=constraint,
            progress=answer.progress,
            cancel=cancel,
        )
        answer.responses = ResponseStream(
            steps, self._tokenizer.detokenizer(), len(ids), cached, params.stop_strings
        )
        self.prefix = prefix
        return answer

    def _reuse(self, ids: list[int]) -> tuple[CachedPrefix, int]:
        """Return caches holding a beginning of `ids`, and how many of them that is."""
        if self.prefix is not None:
            cached = self.prefix.rewind_to(ids)
            if cached is not None:
                return self.prefix, cached
            if self.prefix.given:
                raise PrefixLostError
        return CachedPrefix(self.new_caches()), 0
