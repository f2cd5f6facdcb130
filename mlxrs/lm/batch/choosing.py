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
    scores: dict[int, mx.array] = {}  # of rows that have their own
    failures: dict[int, Exception] = {}
    together: dict[Hashable, list[int]] = {}
    for place, row in enumerate(rows):
        try:
            if row.picker.history is not None or row.constraint is not None:
                allowed = None if row.constraint is None else row.constraint.mask()
                here = slice(place, place + 1)
                scores[place] = row.picker.processed(fed[here], logits[here], allowed)
        except Exception as error:
            failures[place] = error
        else:
            kind = row.picker.kind
            together.setdefault(row if kind is None else kind, []).append(place)

    # Tokens of one group after the other, and their places.
    parts: list[mx.array] = [mx.zeros((0,), mx.uint32)]
    order: list[int] = []
    for places in together.values():
        try:
            parts.append(_sample(rows, places, logits, scores).astype(mx.uint32))
            order += places
        except Exception as error:
            failures |= dict.fromkeys(places, error)
    tokens = mx.concatenate(parts) if len(parts) > 2 else parts[-1]

    picks: dict[int, Pick] = {}
    for number, place in enumerate(order):
        try:
            own = scores[place] if place in scores else logits[place : place + 1]
            picks[place] = rows[place].picker.picked(tokens[number : number + 1], own)
        except Exception as error:
            failures[place] = error
    chosen = sorted(picks)
    if chosen != order:
        numbers = {place: number for number, place in enumerate(order)}
        tokens = tokens[mx.array([numbers[place] for place in chosen], dtype=mx.uint32)]
    return Choice(tokens, [picks[place] for place in chosen], failures)


def _sample(
    rows: Sequence[Row], places: Sequence[int], logits: mx.array, scores: Mapping[int, mx.array]
) -> mx.array:
    """Return tokens `(N,)` for some rows of like settings."""
    if len(places) < len(rows) and scores.keys().isdisjoint(places):
        logits = logits[mx.array(places, dtype=mx.uint32)]
    elif scores:
        logits = mx.concatenate([scores[i] if i in scores else logits[i : i + 1] for i in places])
    picker, index = rows[places[0]].picker, rows[places[0]].launched
    if len(places) == 1:
        return picker.sampled(logits, index)
    draws = [(rows[place].picker.seed, rows[place].launched) for place in places]
    return sample_rows(picker.params, logits, draws)
