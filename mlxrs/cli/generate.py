"""`mlxrs generate`: the continuation of a text, without any chat template."""

from __future__ import annotations

import argparse
import json
from time import perf_counter
from typing import TYPE_CHECKING

from ..lm.generate import generate, stream_generate
from .arguments import add_command, add_generation, generation_params, prompt_text
from .model import open_model
from .report import figures, read_aloud, say, summary

if TYPE_CHECKING:
    from .arguments import Commands


def add_to(commands: Commands) -> None:
    """Adds the command to the parser."""
    parser = add_command(
        commands,
        "generate",
        summary="Continue a text as it is, without a chat template",
        json_help="print the continuation and its figures as JSON",
    )
    add_generation(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Runs the command."""
    params = generation_params(args)
    prompt = prompt_text(args)
    model, tokenizer = open_model(args)
    if args.json:
        reply = generate(model, tokenizer, prompt, params=params)
        print(json.dumps(figures(args.model, reply), ensure_ascii=False))
    else:
        started = perf_counter()
        stream = stream_generate(model, tokenizer, prompt, params=params)
        say(summary(read_aloud(stream, started=started)))
