"""From what the user named to a model, telling what takes long."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..lm.load import load
from ..lm.models import LanguageModel
from ..loading import hub
from ..loading.progress import ProgressBar
from ..tokenizer import Tokenizer
from .report import say


def announce(name: str) -> ProgressBar:
    """Says that a model is pulled, if it has to be, and returns the bar of its download."""
    model = hub.KNOWN.get(name)
    if model and not hub.cached(name):
        say(f"Pulling {name} ({model.package_bytes / 1e6:.0f} MB, {model.licence})…")
    return ProgressBar(name)


def fetch(name_or_path: str) -> Path:
    """Returns the local path of a model; a known name is pulled when it is used first."""
    with announce(name_or_path) as bar:
        return hub.resolve(name_or_path, progress=bar)


def open_model(args: argparse.Namespace) -> tuple[LanguageModel, Tokenizer]:
    """Loads the model that the options name."""
    return load(fetch(args.model), quantized=args.quantized)
