"""`mlxrs chat`: a conversation at the terminal, or one answer."""

from __future__ import annotations

import argparse
import json
import sys
from time import perf_counter
from typing import TYPE_CHECKING

from ..lm.session import ChatSession
from .arguments import add_command, add_generation, generation_params, prompt_text
from .model import open_model
from .repl import Repl
from .report import figures, read_aloud, say, summary

if TYPE_CHECKING:
    from .arguments import Commands


def add_to(commands: Commands) -> None:
    """Adds the command to the parser."""
    parser = add_command(
        commands,
        "chat",
        summary="Talk to a model; with --prompt or piped input, answer once and exit",
        json_help="print the one answer and its figures as JSON",
    )
    add_generation(parser)
    parser.add_argument("--system", metavar="TEXT", help="instructions to the model")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Runs the command."""
    params = generation_params(args)
    if args.prompt is None and sys.stdin is not None and sys.stdin.isatty():
        if args.json:
            raise ValueError("--json is for one answer; give --prompt TEXT or pipe the prompt in")
        session = ChatSession(*open_model(args), instructions=args.system, params=params)
        Repl(session, args.model).run()
        return
    prompt = prompt_text(args)
    session = ChatSession(*open_model(args), instructions=args.system, params=params)
    if args.json:
        print(json.dumps(figures(args.model, session.respond(prompt)), ensure_ascii=False))
    else:
        started = perf_counter()
        say(summary(read_aloud(session.stream_respond(prompt), started=started)))
