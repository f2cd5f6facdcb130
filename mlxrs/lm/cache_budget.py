"""How many tokens the caches of models hold within a number of bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import mlxc as mx

from .cache import Cache
from .models import LanguageModel

STEP = 256  # tokens by which caches grow
MAX_STEPS = 2**23


@dataclass(frozen=True, slots=True)
class CacheBudget:
    """A number of bytes, and what it means for the caches of a conversation.

    Attributes:
        nbytes: The bytes, at most.
        tokens: How many tokens the caches hold within them; None for any number.
    """

    nbytes: int
    tokens: int | None

    @classmethod
    def of(
        cls, nbytes: int, kinds: Sequence[tuple[LanguageModel, Callable[[], Sequence[Cache]]]]
    ) -> CacheBudget:
        """Work out how far a number of bytes goes.

        Models are called for one token, to see what it costs; nothing is evaluated.

        Args:
            nbytes: The bytes.
            kinds: Models that read the conversation, and what makes new caches for each.

        Raises:
            ValueError: The bytes are too few for any tokens.
        """
        probes: list[Cache] = []
        for model, make_caches in kinds:
            caches = make_caches()
            model(mx.zeros((1, 1), dtype=mx.uint32), caches)
            probes += caches

        def fits(steps: int) -> bool:
            return sum(cache.nbytes_for(steps * STEP) for cache in probes) <= nbytes

        if fits(MAX_STEPS):
            return cls(nbytes, None)
        if not fits(1):
            least = sum(cache.nbytes_for(STEP) for cache in probes)
            raise ValueError(
                f"max_cache_bytes must be at least {least}, which the caches of {STEP} tokens "
                f"take, got {nbytes}; pack them with kv_bits=8 where it must be less"
            )
        low, high = 1, MAX_STEPS
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if fits(middle) else (low, middle)
        return cls(nbytes, low * STEP)
