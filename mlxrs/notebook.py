"""Replies in notebooks, drawn while they come."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import TYPE_CHECKING, Any

from .lm.reply import Reply, reply_markdown

if TYPE_CHECKING:
    from .lm.chat_stream import ChatStream
    from .lm.response import GenerationResponse

__all__ = ["show"]

INTERVAL = 0.1  # seconds between drawings, each of which sends the whole text


def show(stream: ChatStream) -> Reply:
    """Draw a reply as Markdown while it comes; return it when it has ended.

    Thinking is set apart as a quotation. Without a notebook the text is printed. However the
    reply ends, interrupted by the user too, what there is of it stays on the page.

    Args:
        stream: What `stream_respond`, `stream_regenerate` or `stream_tools` returned.

    Returns:
        The reply, whose `ttft` counts from this call on.

    Example:
        from mlxrs.notebook import show

        reply = show(session.stream_respond("What is a tensor?"))
    """
    started = perf_counter()
    add, finish = _page() if _in_notebook() else _terminal()

    def drawn() -> Iterator[GenerationResponse]:
        for response in stream:
            add(response.text)
            yield response

    try:
        with stream:
            return Reply.collect(
                drawn(),
                started=started,
                prompt_tokens=stream.prompt_tokens,
                cached_tokens=stream.cached_tokens,
            )
    finally:
        finish(stream.text)


def _page() -> tuple[Callable[[str], None], Callable[[str], None]]:
    """Return what takes a segment, to draw on the page now and then, and what draws the whole."""
    from IPython.display import DisplayHandle, Markdown

    handle = DisplayHandle()
    handle.display(Markdown(""))
    segments: list[str] = []
    latest = perf_counter()

    def add(segment: str) -> None:
        nonlocal latest
        segments.append(segment)
        if perf_counter() - latest >= INTERVAL:
            finish("".join(segments))
            latest = perf_counter()

    def finish(text: str) -> None:
        handle.update(Markdown(reply_markdown(text)))

    return add, finish


def _terminal() -> tuple[Callable[[str], None], Callable[[str], None]]:
    """Return what prints a segment, and what prints the part of the whole that is missing."""
    printed = 0

    def add(segment: str) -> None:
        nonlocal printed
        print(segment, end="", flush=True)
        printed += len(segment)

    def finish(text: str) -> None:
        print(text[printed:])

    return add, finish


def _in_notebook() -> bool:
    # Code in a notebook is run by IPython, so it needs no import to find out.
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and bool(shell.has_trait("kernel"))
