"""Speculation in a conversation: what guesses, and what it has read so far."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from threading import Event

import mlxc as mx

from .cache import cached_tokens, make_prompt_cache
from .draft_model import SpeculativeDecodingConfig
from .drafter import Speculation
from .prefill import prefill
from .prefix import CachedPrefix
from .prompt_lookup import PromptLookupConfig
from .steps import Step


class Drafting:
    """The guesses of a session, turn by turn.

    A draft model keeps its caches from turn to turn, as the model does, and first reads what it
    has missed. Where a prompt exceeds its context, the turn goes without guesses.

    Args:
        speculative: Where guesses come from.

    Raises:
        TypeError: `speculative` is no setting of speculation.
        ValueError: A draft model comes with caches.
    """

    def __init__(self, speculative: Speculation) -> None:
        if isinstance(speculative, type) or not isinstance(speculative, Speculation):
            raise TypeError(
                "speculative must be a PromptLookupConfig() or SpeculativeDecodingConfig(model), "
                f"got {speculative!r:.80}"
            )
        if isinstance(speculative, SpeculativeDecodingConfig) and speculative.draft_cache:
            raise ValueError(
                "draft_cache must be None in a session, which makes the caches of the draft model "
                "itself; leave it out"
            )
        self.speculative = speculative
        self._prefix: CachedPrefix | None = None
        self._used = False

    @property
    def prefix(self) -> CachedPrefix | None:
        """The caches of the draft model; None where it has read nothing, or there is none."""
        return self._prefix

    def copy(self) -> Drafting:
        """Return an independent copy that has read as much."""
        twin = Drafting(self.speculative)
        twin._prefix = None if self._prefix is None else self._prefix.copy()
        return twin

    def prepare(self, ids: Sequence[int], cached: int) -> tuple[Speculation | None, Sequence[int]]:
        """Get ready for a turn.

        Args:
            ids: The prompt.
            cached: How many of its tokens the model has read already.

        Returns:
            The settings of the turn, None for one without guesses, and the tokens that the draft
            model has missed.
        """
        settings = self.speculative
        self._used = False
        if isinstance(settings, PromptLookupConfig):
            return replace(settings, context=[*settings.context, *ids[:cached]]), []
        if not isinstance(settings, SpeculativeDecodingConfig):
            return settings, []
        limit = settings.draft_model.context_length
        if limit is not None and len(ids) > limit:
            return None, []
        # One token more is left to be read than the model has read.
        held = None if self._prefix is None else self._prefix.rewind_to(ids[: cached + 1])
        if self._prefix is None or held is None:
            self._prefix, held = CachedPrefix(make_prompt_cache(settings.draft_model)), 0
        self._used = True
        return replace(settings, draft_cache=self._prefix.caches), ids[held:cached]

    def record(self, ids: Sequence[int]) -> None:
        """Note what the draft model has read after a turn.

        Args:
            ids: The prompt and the reply.
        """
        if self._prefix is None or not self._used:
            return
        read = cached_tokens(self._prefix.caches)
        if read:
            self._prefix.record(ids, read)
        else:
            # Caches that do not tell how much they hold cannot be continued.
            self._prefix = None


def catch_up(
    steps: Generator[Step, None, None],
    speculative: Speculation | None,
    missed: Sequence[int],
    step_size: int,
    cancel: Event,
) -> Generator[Step, None, None]:
    """Let the draft model read what it has missed, and then yield the steps of the turn."""
    try:
        if missed and isinstance(speculative, SpeculativeDecodingConfig):
            tokens = mx.array(list(missed), dtype=mx.uint32)
            caches = speculative.draft_cache or []
            model = speculative.draft_model
            if not prefill(model, tokens, caches, step_size=step_size, cancel=cancel):
                return
        yield from steps
    finally:
        steps.close()
