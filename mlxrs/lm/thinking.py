"""What a reasoning model thinks, apart from what it answers."""

from __future__ import annotations

from ..tokenizer.tools.reasoning import TAGS


def split_thinking(text: str) -> tuple[str | None, str]:
    """Return the thinking in a reply, None where there is none, and the answer.

    The thinking is at the beginning, up to the tag that ends it; the tag in front of it may be
    missing, since many chat templates write it. A reply that ends before its thinking does has no
    answer. White space around both is left out where there is thinking; otherwise the answer is
    the text as it is.

    Example:
        split_thinking("<think>2 and 2</think>\\n4") == ("2 and 2", "4")
    """
    for start, end in TAGS:
        thought, found, answer = text.partition(end)
        thought = thought.lstrip()
        if found or thought.startswith(start):
            return thought.removeprefix(start).strip(), answer.strip()
    return None, text
