"""What a peer is to measure, and what all peers measure alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from time import perf_counter

Figures = dict[str, float]


@dataclass(frozen=True)
class Work:
    """The cases of one child process.

    Attributes:
        model: the file or directory.
        threads: how many threads may compute.
        prompts: lengths of prompts to read.
        contexts: lengths of contexts to write behind.
        written: how many tokens to write.
        batches: how many rows to write at once.
        conversation: how many tokens a conversation has before its second turn; 0 for none.
        load: whether to tell how long loading takes.
        memory: whether only the most memory is wanted that all this takes.
        at_most: the longest prompt that is read, for peers that take minutes; 0 for no limit.
    """

    model: str
    threads: int
    prompts: tuple[int, ...] = ()
    contexts: tuple[int, ...] = ()
    written: int = 64
    batches: tuple[int, ...] = ()
    conversation: int = 0
    load: bool = False
    memory: bool = False
    at_most: int = 0

    @property
    def empty(self) -> bool:
        return not (self.prompts or self.contexts or self.batches or self.conversation or self.load)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Work:
        values = json.loads(text)
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


def token_ids(length: int) -> list[int]:
    """Returns ordinary tokens, in no order, of any vocabulary of 41,000 or more."""
    return [1000 + 7919 * i % 40_000 for i in range(length)]


def writing_speed(tokens: Iterator[object]) -> float:
    """Returns the tokens a second of a generation whose first token is there."""
    started = perf_counter()
    count = sum(1 for _ in tokens)
    return count / (perf_counter() - started)


def seconds(function: Callable[[], object]) -> float:
    started = perf_counter()
    function()
    return perf_counter() - started
