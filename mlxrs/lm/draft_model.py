"""Guesses by a smaller model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from threading import Event

import mlxc as mx

from .cache import Cache, cached_tokens, make_prompt_cache
from .drafter import Acceptance, Draft, check_speculation
from .models import LanguageModel
from .params import GenConfig
from .pick import TokenPicker
from .prefill import prefill
from .rewind import RewindableReader
from .sample import categorical, make_distribution, step_key

DRAFT_LANE = 2


@dataclass(frozen=True)
class SpeculativeDecodingConfig:
    """Speculation with a draft model (https://arxiv.org/abs/2211.17192).

    A small model guesses some tokens, and the large one judges all of them in one call. What is
    said does not change by it, only how fast.

    Attributes:
        draft_model: A model with the same tokens, many times smaller than the one it guesses for.
        num_draft_tokens: The most tokens guessed at once, 64 at most; 0 for no speculation.
        acceptance: "exact" accepts a guess that is the token the model itself says, and so gives
            the text that plain generation with the same seed gives. "ratio" accepts more guesses
            where tokens are drawn; the text is another draw from the same distribution.
        draft_cache: The caches of the draft model, holding what those of the model hold; they are
            advanced alike. New ones are made where it is None.

    Raises:
        ValueError: A setting is out of range.

    Example:
        stream_generate(model, tokenizer, text, speculative=SpeculativeDecodingConfig(small))
    """

    draft_model: LanguageModel
    num_draft_tokens: int = 5
    acceptance: Acceptance = "exact"
    draft_cache: Sequence[Cache] | None = None

    def __post_init__(self) -> None:
        check_speculation(self.num_draft_tokens, self.acceptance)

    def make_drafter(self, params: GenConfig) -> ModelDrafter:
        """See `Speculation`."""
        caches = self.draft_cache
        if caches is None:
            caches = make_prompt_cache(self.draft_model)
        return ModelDrafter(self.draft_model, caches, params, drawn=self.acceptance == "ratio")


class ModelDrafter:
    """A `Drafter` that asks a model.

    It guesses nothing any more where the text is longer than the model's context.

    Args:
        model: The draft model.
        caches: Its caches.
        params: The settings of the generation, its seed set.
        drawn: Whether guesses are draws of their own, and come with the probabilities they were
            drawn with. Otherwise they are drawn as the model that is guessed for draws.
    """

    def __init__(
        self, model: LanguageModel, caches: Sequence[Cache], params: GenConfig, *, drawn: bool
    ) -> None:
        self._model = model
        self._caches = caches
        self._reader = RewindableReader(model, caches)
        self._picker = TokenPicker(params)
        self._seed = params.seed or 0
        self._distribution = make_distribution(params) if drawn else None
        self._room: int | None = None
        if model.context_length is not None:
            self._room = model.context_length - cached_tokens(caches)
        self._prompt = 0
        self._held = 0  # how many tokens of the text the caches hold
        self._marked = 0  # how many they held at the reader's mark
        self._guesses: mx.array | None = None  # those read behind them, and one that was not
        self._broken = False

    def prefill(self, prompt: mx.array, *, step_size: int, cancel: Event | None) -> bool:
        self._prompt = prompt.size
        if self._room is not None and self._room < prompt.size:
            return True
        done = prefill(self._model, prompt[:-1], self._caches, step_size=step_size, cancel=cancel)
        self._held = prompt.size - 1
        return done

    def propose(self, tokens: Sequence[int], count: int) -> Draft:
        self._rewind(tokens)
        if self._room is not None:
            count = min(count, self._room - len(tokens) + 1)
        if count < 1:
            return Draft.of([])
        shown = self._unread(tokens, len(tokens))
        guesses: list[mx.array] = []
        odds: list[mx.array] = []
        for index in range(len(tokens) - self._prompt, len(tokens) - self._prompt + count):
            logits = self._read(shown)[-1:]
            if self._distribution is None:
                shown = self._picker(shown, logits, index).token
            else:
                odds.append(self._distribution(self._picker.processed(shown, logits), index))
                shown = categorical(odds[-1], 1.0, step_key(self._seed, index, DRAFT_LANE))
            mx.async_eval(shown)
            guesses.append(shown)
        self._held = len(tokens)
        self._guesses = mx.concatenate(guesses)
        return Draft(self._guesses, mx.concatenate(odds) if odds else None, logits.shape[-1])

    def settle(self, tokens: Sequence[int]) -> None:
        self._rewind(tokens)
        end = len(tokens) - 1
        fits = self._room is None or end <= self._room
        if self._held < end and fits and not self._broken:
            self._read(self._unread(tokens, end))
            self._held = end

    def _rewind(self, tokens: Sequence[int]) -> None:
        """Forget the guesses that were wrong, and what is to be read again for its logits."""
        if self._guesses is None:
            return
        read: list[int] = self._guesses[:-1].tolist()
        said = islice(tokens, self._held, None)
        right = 0
        for guess, token in zip(read, said, strict=False):
            if guess != token:
                break
            right += 1
        self._held = min(self._held + right, len(tokens) - 1)
        self._reader.keep(self._held - self._marked)
        self._guesses = None
        if self._picker.history is not None:
            self._picker.history.truncate(self._held - self._prompt + 1)

    def _unread(self, tokens: Sequence[int], end: int) -> mx.array:
        self._reader.mark()
        self._marked = self._held
        return mx.array(tokens[self._held : end], dtype=mx.uint32)

    def _read(self, tokens: mx.array) -> mx.array:
        try:
            return self._reader.read(tokens)
        except BaseException:
            self._broken = True
            raise
