"""Which tokens a conversation's caches hold, and how much of them the next turn can keep."""

from __future__ import annotations

from collections.abc import Sequence

from .cache import Cache, cached_tokens, can_trim_prompt_cache, rewind_prompt_cache


class CachedPrefix:
    """The caches of a conversation beside the token ids in them.

    What a restored cache already holds has no names: those tokens lie in front of the
    conversation, are never part of its transcript and never taken back.

    Attributes:
        caches: One a layer.
        opaque: How many tokens at their front have no names.
        known: The ids of the tokens behind those.
    """

    def __init__(self, caches: list[Cache]) -> None:
        self.caches = caches
        self.opaque = cached_tokens(caches)
        self.known: list[int] = []
        self._continuable = True

    def rewind_to(self, ids: Sequence[int]) -> int | None:
        """Take back what the caches hold beyond their common beginning with a transcript.

        Args:
            ids: The transcript of the turn to come.

        Returns:
            How many of `ids` the caches hold now; the last one is never among them, so that
            there is one to read. None where the caches cannot be brought to hold a beginning
            of `ids`: then nothing has changed.
        """
        if not self._continuable:
            return None
        kept = common_length(self.known, ids[:-1])
        if kept < len(self.known):
            if not can_trim_prompt_cache(self.caches):
                return None
            rewind_prompt_cache(self.caches, self.opaque + kept)
            del self.known[kept:]
        return kept

    def record(self, ids: Sequence[int], *, failed: bool) -> None:
        """Note what the caches hold after a turn.

        Args:
            ids: The transcript: all that was read and generated, of which the caches hold a
                beginning.
            failed: Whether the turn ended in an error, which may have left the layers of caches
                that cannot be trimmed out of step.
        """
        held = cached_tokens(self.caches) - self.opaque
        self.known = list(ids[:held])
        if held > len(ids):
            self.opaque, self.known = self.opaque + held, []
            self._continuable = False
        elif failed and not can_trim_prompt_cache(self.caches):
            self._continuable = False


def common_length(a: Sequence[int], b: Sequence[int]) -> int:
    """Return how many ids two sequences begin with together."""
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return i
    return min(len(a), len(b))
