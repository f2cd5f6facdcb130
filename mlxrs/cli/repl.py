"""The conversation at the terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from ..errors import MlxrsError
from ..lm.reply import Reply
from ..lm.session import ChatSession
from .arguments import require_unicode
from .files import write_whole
from .history import history_path, line_editing
from .report import error_line, read_aloud, say, summary

PROMPT = ">>> "
HELP = """\
/clear      forget the conversation
/save PATH  write the conversation to a JSON file
/stats      figures of the last reply
/help       this list
Ctrl-C stops a reply, Ctrl-D leaves. Anything else is said to the model;
begin with a space to say something that begins with a slash."""


class Repl:
    """Reads lines, and answers each: a command that begins with a slash, or a message.

    An error ends the line it came from, never the conversation.

    Args:
        session: the conversation.
        name: what the user calls the model.
    """

    def __init__(self, session: ChatSession, name: str) -> None:
        self._session = session
        self._name = name
        self._last: Reply | None = None
        self._commands: dict[str, Callable[[str], None]] = {
            "/clear": self._clear,
            "/help": self._help,
            "/save": self._save,
            "/stats": self._stats,
        }

    def run(self) -> None:
        """Talks until the end of input."""
        say(f"{self._name}: /help lists commands, Ctrl-C stops a reply, Ctrl-D leaves.")
        with line_editing(history_path()):
            while (line := _read_line()) is not None:
                self._answer(line)

    def _answer(self, line: str) -> None:
        try:
            if line.startswith("/"):
                name, _, argument = line.partition(" ")
                self._commands.get(name, self._unknown)(argument.strip())
            elif message := line.strip():
                started = perf_counter()
                stream = self._session.stream_respond(require_unicode(message))
                self._last = read_aloud(stream, started=started)
        except KeyboardInterrupt:
            say("\n(stopped)")
        except (MlxrsError, ValueError, OSError) as error:
            say(error_line(error))

    def _clear(self, _: str) -> None:
        self._session.clear()
        self._last = None
        say("The conversation is forgotten.")

    def _help(self, _: str) -> None:
        say(HELP)

    def _save(self, argument: str) -> None:
        if not argument:
            raise ValueError("/save needs a path, as in: /save talk.json")
        path = Path(argument).expanduser()
        write_whole(path, transcript(self._session, self._name).encode())
        say(f"{len(self._session.history)} messages are written to {path}")

    def _stats(self, _: str) -> None:
        say(summary(self._last) if self._last is not None else "There is no whole reply yet.")

    def _unknown(self, _: str) -> None:
        raise ValueError("no such command; /help lists them")


def transcript(session: ChatSession, model: str) -> str:
    """Returns a conversation as JSON: `model`, `instructions`, `messages` of role and content."""
    document = {
        "model": model,
        "instructions": session.instructions,
        "messages": [
            {"role": message.role, "content": message.content} for message in session.history
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _read_line() -> str | None:
    """Returns the next line, None at the end of input; Ctrl-C drops the line being typed."""
    while True:
        try:
            if sys.stdout.isatty():
                return input(PROMPT)
            # `input` would write the prompt among the replies.
            print(PROMPT, end="", file=sys.stderr, flush=True)
            return input()
        except KeyboardInterrupt:
            say("")
        except EOFError:
            say("")
            return None
