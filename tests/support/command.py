"""The command line as users have it: a process of its own, with pipes or with a terminal."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path

COMMAND = [sys.executable, "-m", "mlxrs"]


def mlxrs(
    *arguments: str, piped: bytes = b"", environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end, with `piped` on its standard input."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        input=piped,
        capture_output=True,
        env=os.environ | dict(environment or {}),
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


# A terminal sends Ctrl-C to the processes that it controls, so the command must have it as such.
TAKE_TERMINAL = (
    "import fcntl, os, sys, termios;"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """A command running in a terminal of its own.

    Args:
        arguments: of the command.
        environment: beside the present one.
    """

    def __init__(self, *arguments: str, environment: Mapping[str, str]) -> None:
        self._keyboard, screen = pty.openpty()
        termios.tcsetwinsize(screen, (24, 1000))  # wide enough that no line is wrapped
        self._unread = ""
        self._process = subprocess.Popen(
            [sys.executable, "-c", TAKE_TERMINAL, *COMMAND, *arguments],
            stdin=screen,
            stdout=screen,
            stderr=screen,
            start_new_session=True,
            env=os.environ | {"TERM": "dumb"} | dict(environment),
        )
        os.close(screen)

    def type(self, text: str) -> None:
        """Presses keys."""
        os.write(self._keyboard, text.encode())

    def read_until(self, wanted: str, *, seconds: float = 120) -> str:
        """Returns what is shown up to and with `wanted`, which must come."""
        assert self._waits_for(wanted, seconds), f"{wanted!r} is not in {self._unread!r}"
        shown, _, self._unread = self._unread.partition(wanted)
        return shown + wanted

    def press_until(self, key: str, wanted: str) -> None:
        """Presses a key, and again like a person would, until `wanted` is shown.

        A signal that comes just before Python's readline begins to wait is noticed at the next.
        """
        for _ in range(60):
            self.type(key)
            if self._waits_for(wanted, 1):
                break
        self.read_until(wanted, seconds=0)

    def exit_code(self, *, seconds: float = 60) -> int:
        """Waits until the command has ended."""
        try:
            return self._process.wait(seconds)
        finally:
            os.close(self._keyboard)

    def kill(self) -> None:
        """Ends the command, where it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _waits_for(self, wanted: str, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while wanted not in self._unread:
            if time.monotonic() > deadline:
                return False
            self._unread += self._read()
        return True

    def _read(self) -> str:
        ready, _, _ = select.select([self._keyboard], [], [], 0.2)
        if not ready:
            assert self._process.poll() is None, f"the command has ended after {self._unread!r}"
            return ""
        try:
            return os.read(self._keyboard, 4096).decode(errors="replace")
        except OSError:  # how Linux says that nobody is at the other side any more
            raise AssertionError(f"the command has ended after {self._unread!r}") from None


def files_below(folder: Path) -> list[Path]:
    """Returns every file of a folder that may not exist."""
    return [path for path in folder.rglob("*") if not path.is_dir()]
