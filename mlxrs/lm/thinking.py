"""What a reasoning model thinks, apart from what it answers."""

from __future__ import annotations

# How families of models begin and end their thinking.
MARKS = (
    ("<think>", "</think>"),
    ("[THINK]", "[/THINK]"),
    ("<seed:think>", "</seed:think>"),
)


def split_thinking(text: str) -> tuple[str | None, str]:
    """Return the thinking in a reply, None where there is none, and the answer.

    The thinking is at the beginning, up to its end mark; the mark at its beginning may be missing,
    since many chat templates write it. A reply that ends before its thinking does has no answer.
    White space around both is left out where there is thinking; otherwise the answer is the text
    as it is.

    Example:
        split_thinking("<think>2 and 2</think>\\n4") == ("2 and 2", "4")
    """
    for begin, end in MARKS:
        thought, found, answer = text.partition(end)
        begun = thought.lstrip().startswith(begin)
        if found or begun:
            return thought.lstrip().removeprefix(begin).strip(), answer.strip()
    return None, text
