"""The command `mlxrs`, one subcommand a file.

What was asked for goes to standard output, all else (progress, banner, figures, errors) to
standard error. Exit codes: 0, 1 for a failure, 2 for wrong usage, 130 when interrupted.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence

from .. import __version__
from ..errors import MlxrsError
from . import chat, generate, info, models, pull
from .report import error_line, say

__all__ = ["main"]

INTERRUPTED = 130  # what shells report for a program ended by Ctrl-C


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: the arguments after the program's name; those of the process by default.

    Returns:
        The exit code. Wrong usage leaves through `SystemExit(2)`, as argparse does it.
    """
    args = _parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A model may say what the terminal's encoding cannot; that is no reason to stop.
        sys.stdout.reconfigure(errors="replace")
    try:
        args.run(args)
        print(end="", flush=True)
    except KeyboardInterrupt:
        say("")
        return INTERRUPTED
    except BrokenPipeError:
        _abandon_stdout()
        return 1
    except (MlxrsError, ValueError, OSError, MemoryError) as error:
        if args.debug:
            raise
        say(error_line(error))
        _abandon_stdout()
        return 1
    return 0


def _abandon_stdout() -> None:
    """Drops what standard output does not take, or Python would complain again at exit."""
    try:
        print(end="", flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mlxrs", description="Language models on MLX: chat, generate, and what they need."
    )
    parser.add_argument("--version", action="version", version=f"mlxrs {__version__}")
    parser.set_defaults(debug=False)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (chat, generate, pull, models, info):
        command.add_to(commands)
    return parser
