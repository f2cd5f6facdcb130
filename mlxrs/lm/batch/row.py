"""One reply of many."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from ..cache import Cache
from ..pick import Constraint, Pick, TokenPicker
from ..responder import Responder
from ..response import FinishReason, GenerationResponse
from ..steps import Step


@dataclass(slots=True, eq=False)
class Row:
    """A request on its way through a batch.

    Attributes:
        id: Its name.
        prompt: Ids, one at least.
        cache: What comes before the prompt; None for nothing.
        picker: Its processors and its sampler.
        responder: Makes its responses.
        eos: Ids that end it.
        budget: The most tokens it may generate.
        constraint: What it may say; None for all.
        keeps_cache: Whether somebody may ask for its caches after its end.
        fed: How many tokens of prompt and reply its caches hold.
        launched: How many tokens were chosen, those on their way included.
        gone: Whether nobody wants to hear of it any more.
    """

    id: int
    prompt: list[int]
    cache: Sequence[Cache] | None
    picker: TokenPicker
    responder: Responder
    eos: Collection[int]
    budget: int
    constraint: Constraint | None = None
    keeps_cache: bool = False
    fed: int = 0
    launched: int = 0
    gone: bool = field(default=False)

    @property
    def held(self) -> list[int]:
        """The ids of prompt and reply that its caches hold."""
        return [*self.prompt, *self.responder.tokens][: self.fed]

    def tell(self, pick: Pick, token: int) -> GenerationResponse:
        """Return the response of the next token; one with a `finish_reason` is the last."""
        reason = None
        if token in self.eos:
            reason = FinishReason.EOS
        elif len(self.responder.tokens) + 1 == self.budget:
            reason = FinishReason.LENGTH
        return self.responder.respond(Step.of(pick, token, reason))
