"""`mlxrs models`: what can be pulled by name, and what was."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from ..loading import hub
from .arguments import add_command

if TYPE_CHECKING:
    from .arguments import Commands


def add_to(commands: Commands) -> None:
    """Adds the command to the parser."""
    parser = add_command(
        commands,
        "models",
        summary="List the models that are known by name, and which of them are here",
        json_help="print a JSON list",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Runs the command."""
    rows = [(model, hub.cached(model.name)) for model in hub.available()]
    if args.json:
        document = [
            {
                "name": model.name,
                "size": model.size,
                "licence": model.licence,
                "description": model.description,
                "path": str(path) if path else None,
            }
            for model, path in rows
        ]
        print(json.dumps(document))
        return
    for model, path in rows:
        print(f"{model.name}  {model.size / 1e6:.0f} MB  {model.licence}")
        print(f"    {model.description}")
        print(f"    {path or f'not here; `mlxrs pull {model.name}` fetches it'}")
