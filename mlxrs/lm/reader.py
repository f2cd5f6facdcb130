"""Prompts that begin alike, read by a model whose caches are kept from one to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from threading import Event

from ..errors import ContextLengthError, PrefixLostError
from ..tokenizer import Tokenizer
from .cache import Cache, make_prompt_cache
from .cache_budget import CacheBudget
from .draft_model import SpeculativeDecodingConfig
from .drafter import Speculation
from .drafting import Drafting, catch_up
from .models import LanguageModel
from .params import GenConfig
from .pick import Constraint
from .prefix import CachedPrefix
from .session_settings import SessionSettings
from .speculative import speculative_step
from .steps import room_after
from .stream import ResponseStream


class Answer:
    """The answer to a prompt, while it is being generated.

    Attributes:
        responses: The generation.
    """

    def __init__(
        self,
        ids: list[int],
        prefix: CachedPrefix,
        cached: int,
        drafting: Drafting | None,
        settle: Callable[[], None],
    ) -> None:
        """Begin an answer.

        Args:
            ids: The prompt.
            prefix: The caches of the model.
            cached: How many of the ids they hold.
            drafting: What guesses.
            settle: Called when all is noted.
        """
        self.responses: ResponseStream
        self._ids = ids
        self._prefix = prefix
        self._drafting = drafting
        self._settle = settle
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
        ids = [*self._ids, *tokens]
        self._prefix.record(ids, read)
        if self._drafting is not None:
            self._drafting.record(ids)
        self._settle()


class Reader:
    """A model with the caches of what it has read.

    Args:
        model: The model.
        tokenizer: Its tokenizer.
        settings: What its caches are like, and how long its context is.
        speculative: Where guesses at its answers come from; None for none.

    Raises:
        TypeError: `model` is no model, or `tokenizer` no tokenizer.
        ValueError: A setting is out of range, or does not suit the model's caches.

    Attributes:
        prefix: The caches and what they hold; None as long as nothing was read.
        drafting: The guesses; None for none.
    """

    def __init__(
        self,
        model: LanguageModel,
        tokenizer: Tokenizer,
        settings: SessionSettings,
        speculative: Speculation | None = None,
    ) -> None:
        if isinstance(model, type) or not isinstance(model, LanguageModel):
            raise TypeError(f"model must be a model as load() returns it, got {model!r:.80}")
        if not isinstance(tokenizer, Tokenizer):
            raise TypeError(
                f"tokenizer must be a Tokenizer of mlxrs, got {tokenizer!r:.80}; load() "
                "returns the model's, Tokenizer.from_directory reads any"
            )
        self.prefix: CachedPrefix | None = None
        self.drafting = None if speculative is None else Drafting(speculative)
        self._tokenizer = tokenizer
        self._settings = settings
        self._budget = self._counted(model)
        self._model = settings.bound(model, self._tokens)
        # The model itself, for caches as large as its context.
        self._maker = model
        self._layers = len(self.new_caches())

    def copy(self) -> Reader:
        """Return an independent copy that has read as much."""
        twin = copy(self)
        twin.prefix = None if self.prefix is None else self.prefix.copy()
        twin.drafting = None if self.drafting is None else self.drafting.copy()
        return twin

    def forget(self) -> None:
        """Forget all that was read."""
        self.prefix = None
        if self.drafting is not None:
            self.drafting = Drafting(self.drafting.speculative)

    def prompt_room(self, max_tokens: int) -> int | None:
        """Return how many tokens a prompt shall have at most, if turns may be left out for it.

        Args:
            max_tokens: The longest reply wanted, for which up to a quarter is left.
        """
        limit = self._model.context_length
        if self._settings.overflow != "drop_oldest" or limit is None:
            return None
        room = limit - self._given
        return room - min(max_tokens, room // 4)

    @property
    def nbytes(self) -> int:
        """Memory of all caches, in bytes, with what is kept to come back to."""
        drafting = None if self.drafting is None else self.drafting.prefix
        return sum(prefix.nbytes for prefix in (self.prefix, drafting) if prefix is not None)

    def _counted(self, model: LanguageModel) -> CacheBudget | None:
        """Return how far the bytes go that the settings allow for caches."""
        nbytes = self._settings.max_cache_bytes
        if nbytes is None:
            return None
        kinds = [(model, lambda: self._settings.make_caches(model))]
        speculative = None if self.drafting is None else self.drafting.speculative
        if isinstance(speculative, SpeculativeDecodingConfig):
            draft = speculative.draft_model
            kinds.append((draft, lambda: make_prompt_cache(draft)))
        return CacheBudget.of(nbytes, kinds)

    @property
    def _tokens(self) -> int | None:
        return None if self._budget is None else self._budget.tokens

    @property
    def _given(self) -> int:
        return 0 if self.prefix is None else self.prefix.given

    def new_caches(self) -> list[Cache]:
        """Return new, empty caches, one a layer."""
        return self._settings.make_caches(self._maker, self._tokens)

    def take(self, caches: Sequence[Cache]) -> None:
        """Read on behind copies of caches that hold nameless tokens.

        Raises:
            ValueError: They are not one for each layer.
        """
        if len(caches) != self._layers:
            raise ValueError(
                f"cache must hold one cache for each of the model's {self._layers} layers, got "
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
        self._check_memory(len(ids))
        room_after(self._model, self._given, len(ids))
        prefix, cached = self._reuse(ids)
        answer = Answer(ids, prefix, cached, self.drafting, self._shrink)
        speculative: Speculation | None = None
        missed: Sequence[int] = []
        if self.drafting is not None and params.max_tokens:
            speculative, missed = self.drafting.prepare(ids, cached)
        steps = speculative_step(
            self._model,
            ids[cached:],
            params=params,
            speculative=speculative,
            cache=prefix.caches,
            eos=self._tokenizer.eos_token_ids,
            constraint=constraint,
            progress=answer.progress,
            cancel=cancel,
        )
        if missed:
            steps = catch_up(steps, speculative, missed, params.prefill_step_size, cancel)
        answer.responses = ResponseStream(
            steps, self._tokenizer.detokenizer(), len(ids), cached, params.stop_strings
        )
        self.prefix = prefix
        return answer

    def _shrink(self) -> None:
        """Keep fewer moments to come back to where memory is short."""
        if self._budget is None or self.prefix is None:
            return
        for prefix in (self.prefix, None if self.drafting is None else self.drafting.prefix):
            if prefix is not None:
                prefix.shrink(self._budget.nbytes - (self.nbytes - prefix.nbytes))

    def _check_memory(self, prompt: int) -> None:
        budget, limit = self._budget, self._model.context_length
        if budget is None or budget.tokens is None or limit != budget.tokens:
            return
        if self._given + prompt > limit:
            raise ContextLengthError(
                f"the prompt has {prompt} tokens behind {self._given} given ones, and "
                f"max_cache_bytes={budget.nbytes} holds the caches of {limit}; raise it, pack them "
                "with kv_bits=8, or leave the oldest turns out with overflow='drop_oldest'"
            )

    def _reuse(self, ids: list[int]) -> tuple[CachedPrefix, int]:
        """Return caches holding a beginning of `ids`, and how many of them that is."""
        if self.prefix is not None:
            cached = self.prefix.rewind_to(ids)
            if cached is not None:
                return self.prefix, cached
            if self.prefix.given:
                raise PrefixLostError
        return CachedPrefix(self.new_caches()), 0
