"""Line editing at the prompt, with a history that outlives the program."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .files import write_whole
from .report import say

LINES = 1000


def history_path() -> Path:
    """Returns where the lines typed in chats are kept.

    `$XDG_STATE_HOME/mlxrs/chat_history` if that is set, else below `~/.local/state`.
    """
    if state := os.environ.get("XDG_STATE_HOME"):
        return Path(state).expanduser().absolute() / "mlxrs" / "chat_history"
    return Path.home() / ".local" / "state" / "mlxrs" / "chat_history"


@contextmanager
def line_editing(path: Path) -> Iterator[None]:
    """While inside, `input` edits lines and recalls earlier ones; the file is written at the end.

    A Python without readline, or a file that cannot be used, costs the comfort and not the chat.
    """
    try:
        import readline
    except ImportError:
        yield
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for line in _read(path):
            readline.add_history(line)
    except OSError as error:
        say(f"The lines of earlier chats cannot be recalled: {error}")
    try:
        yield
    finally:
        count = readline.get_current_history_length()
        items = [readline.get_history_item(index) for index in range(1, count + 1)]
        # A pasted item may hold line breaks; the file has one item a line.
        lines = [" ".join(item.splitlines()) for item in items[-LINES:] if item]
        try:
            write_whole(path, "".join(f"{line}\n" for line in lines).encode(errors="replace"))
        except OSError as error:
            say(f"The lines of this chat will not be recalled: {error}")


def _read(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return text.splitlines()[-LINES:]
