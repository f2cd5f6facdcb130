"""`mlxrs pull`: fetch a known model."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from ..loading import hub
from .arguments import add_command
from .model import announce

if TYPE_CHECKING:
    from .arguments import Commands


def add_to(commands: Commands) -> None:
    """Adds the command to the parser."""
    parser = add_command(
        commands,
        "pull",
        summary="Fetch a known model and print where it is",
        json_help="print name and path as JSON",
    )
    parser.add_argument("name", metavar="NAME", help=f"one of: {', '.join(sorted(hub.KNOWN))}")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Runs the command."""
    with announce(args.name) as bar:
        path = str(hub.pull(args.name, progress=bar))
    print(json.dumps({"name": args.name, "path": path}) if args.json else path)
