"""Options that several commands share, and the values they make."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from ..lm.params import GenConfig

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

DEFAULT_MODEL = "smollm2-135m-instruct"
MODEL_HELP = "a known name (see `mlxrs models`), a GGUF file, or a Hugging Face directory"


def add_command(
    commands: Commands, name: str, *, summary: str, json_help: str
) -> argparse.ArgumentParser:
    """Adds a command with the options that every command has."""
    parser = commands.add_parser(name, help=summary, description=f"{summary}.")
    parser.add_argument("--json", action="store_true", help=json_help)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def add_generation(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the commands that generate text."""
    parser.add_argument(
        "-m", "--model", default=DEFAULT_MODEL, help=f"{MODEL_HELP}; default: %(default)s"
    )
    parser.add_argument(
        "-p", "--prompt", metavar="TEXT", help="what to say; default: standard input"
    )
    parser.add_argument(
        "--max-tokens",
        type=int,
        default=512,
        metavar="N",
        help="the most tokens to generate at once; default: %(default)s",
    )
    parser.add_argument(
        "--temp",
        type=float,
        default=0.0,
        metavar="T",
        help="temperature; 0, the default, takes the likeliest token",
    )
    parser.add_argument("--seed", type=int, metavar="N", help="makes sampling repeatable")
    parser.add_argument(
        "--quantized",
        choices=("auto", "keep", "dequantize"),
        default="auto",
        help="what to do with quantized weights: keep them small, or make them float32; "
        "auto, the default, takes what is faster on the device",
    )


def generation_params(args: argparse.Namespace) -> GenConfig:
    """Returns the settings of a generation.

    Raises:
        ValueError: one of them is invalid.
    """
    params = GenConfig(max_tokens=args.max_tokens, temp=args.temp, seed=args.seed)
    params.validate()
    return params


def prompt_text(args: argparse.Namespace) -> str:
    """Returns the prompt: `--prompt`, or what is piped in, less its last line break.

    Raises:
        ValueError: it is empty, or not Unicode text.
    """
    text: str = _piped_text() if args.prompt is None else args.prompt
    if not text.strip():
        raise ValueError("the prompt is empty; give one with --prompt TEXT or pipe it in")
    return require_unicode(text)


def require_unicode(text: str) -> str:
    """Returns `text`, which came from a terminal or the command line.

    Raises:
        ValueError: some of its bytes were not text in the encoding of the locale.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("the prompt must be valid text; encode it as UTF-8") from None
    return text


def _piped_text() -> str:
    if sys.stdin is None:
        return ""
    try:
        return sys.stdin.read().removesuffix("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"standard input must be text ({error}); encode it as UTF-8") from None
