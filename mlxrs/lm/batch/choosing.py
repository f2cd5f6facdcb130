"""The choice of one token for every row of a batch."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import mlxc as mx

from ..pick import Pick
from ..sample import sample_rows
from .row import Row


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen; nothing is evaluated.

    Attributes:
        tokens: An id for each row that did not fail, in their order, uint32 `(B,)`.
        picks: The same with what the rows want to know of it.
        failures: The errors of the others, by their places.
    """

    tokens: mx.array
    picks: list[Pick]
    failures: dict[int, Exception]


def choose(rows: Sequence[Row], fed: mx.array, logits: mx.array) -> Choice:
    """Choose the next token of every row, those of like settings in one go.

    An error of a processor, a sampler or a constraint is that of its rows alone.

    Args:
        rows: The rows.
        fed: The ids the model was shown last, `(B,)`.
        logits: Its scores, `(B, V)`.
    """
    scores = {place: logits[place : place + 1] for place in range(len(rows))}
    failures: dict[int, Exception] = {}
    together: dict[Hashable, list[int]] = {}
    for place, row in enumerate(rows):
        try:
            if row.picker.history is not None or row.constraint is not None:
                allowed = None if row.constraint is None else row.constraint.mask()
                tokens = fed[place : place + 1]
                scores[place] = row.picker.processed(tokens, scores[place], allowed)
        except Exception as error:
            failures[place] = error
        else:
            kind = row.picker.kind
            together.setdefault(row if kind is None else kind, []).append(place)

    sampled: dict[int, mx.array] = {}
    for places in together.values():
        try:
            sampled |= _sample([rows[place] for place in places], places, scores)
        except Exception as error:
            failures |= dict.fromkeys(places, error)

    picks: list[Pick] = []
    for place in sorted(sampled):
        try:
            picks.append(rows[place].picker.picked(sampled[place], scores[place]))
        except Exception as error:
            failures[place] = error
    parts = [pick.token.astype(mx.uint32) for pick in picks]
    chosen = mx.concatenate(parts) if parts else mx.zeros((0,), mx.uint32)
    return Choice(chosen, picks, failures)


def _sample(
    rows: Sequence[Row], places: Sequence[int], scores: Mapping[int, mx.array]
) -> dict[int, mx.array]:
    """Return a token `(1,)` for each of some rows of like settings, by their places."""
    picker = rows[0].picker
    if len(rows) == 1:
        return {places[0]: picker.sampled(scores[places[0]], rows[0].launched)}
    tokens = sample_rows(
        picker.params,
        mx.concatenate([scores[place] for place in places]),
        [(row.picker.seed, row.launched) for row in rows],
    )
    return {place: tokens[i : i + 1] for i, place in enumerate(places)}
