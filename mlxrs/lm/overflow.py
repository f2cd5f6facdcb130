"""What is done with a conversation that has grown beyond the context of its model."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence

from .messages import ChatMessage, Role
from .transcript import turn_starts

BLOCK = 4  # turns dropped at once, so that the cache is of use in the turns between


def drop_oldest_turns(
    messages: Sequence[ChatMessage],
    room: int,
    encode: Callable[[Sequence[ChatMessage]], list[int]],
) -> tuple[list[int], int]:
    """Leave the oldest turns out of a prompt until it fits.

    System messages in front stay, and the last turn does. Turns go several at once where there
    are enough of them, so that the next prompts begin alike and need not be read again.

    Args:
        messages: The conversation, ending with the message to be answered.
        room: The most tokens the prompt may have.
        encode: Renders messages to the ids of a prompt.

    Returns:
        The ids, which are too many still where the last turn alone is too long, and how many
        messages were left out.
    """
    ids = encode(messages)
    if len(ids) <= room:
        return ids, 0
    head = next((i for i, said in enumerate(messages) if said.role is not Role.SYSTEM), 0)
    starts = [start for start in turn_starts(list(messages)) if start > head]
    blocks = starts[BLOCK - 1 : -BLOCK : BLOCK]

    def shown(start: int) -> list[int]:
        return encode([*messages[:head], *messages[start:]])

    for candidates in (blocks, starts):
        place = bisect_left(candidates, True, key=lambda start: len(shown(start)) <= room)
        if place < len(candidates):
            return shown(candidates[place]), candidates[place] - head
    return (shown(starts[-1]), starts[-1] - head) if starts else (ids, 0)
