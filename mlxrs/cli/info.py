"""`mlxrs info`: what runs here, and what a model is."""

from __future__ import annotations

import argparse
import dataclasses
import json
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import mlxc as mx

from .. import __version__
from ..loading.checkpoint import Checkpoint, read_checkpoint
from ..loading.cpu_policy import CpuPolicy, cpu_policy
from ..tokenizer import Tokenizer
from .arguments import MODEL_HELP, add_command
from .model import fetch

if TYPE_CHECKING:
    from .arguments import Commands

PACKAGES = ("mlx-cpu", "mlx-cuda-13", "mlx-metal", "scipy-openblas32", "tokenizers", "numpy")

Section = dict[str, object]


def add_to(commands: Commands) -> None:
    """Adds the command to the parser."""
    parser = add_command(
        commands,
        "info",
        summary="Show versions, device and BLAS, and the configuration of a model",
        json_help="print one JSON object",
    )
    parser.add_argument("model", metavar="MODEL", nargs="?", help=MODEL_HELP)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Runs the command."""
    sections: dict[str, Section] = {
        "versions": _versions(),
        "device": {"default": str(mx.default_device())},
        "blas": dataclasses.asdict(mx.blas_info()),
        "cpu": {"threads": mx.num_threads()} | dataclasses.asdict(mx.cpu_kernels()),
    }
    if args.model is not None:
        checkpoint = read_checkpoint(fetch(args.model), quantized="keep")
        policy = cpu_policy(checkpoint.weights)
        sections["model"] = _model(checkpoint)
        if mx.default_device() == mx.cpu:
            sections["policy"] = _policy(policy)
            sections["model"]["memory"] = _memory(checkpoint, policy)
        sections["config"] = checkpoint.config
        sections["tokenizer"] = _tokenizer(checkpoint)
    if args.json:
        print(json.dumps(sections))
        return
    for title, section in sections.items():
        print(title)
        for key, value in section.items():
            print(f"    {key}: {value}")


def _versions() -> Section:
    found: Section = {"mlxrs": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _model(checkpoint: Checkpoint) -> Section:
    arrays = checkpoint.weights.values()
    return {
        "path": str(checkpoint.path),
        "tensors": len(arrays),
        "bytes": sum(array.nbytes for array in arrays),
        "dtypes": sorted({str(array.dtype) for array in arrays}),
    }


def _policy(policy: CpuPolicy) -> Section:
    chosen = dataclasses.asdict(policy)
    reasons = chosen.pop("reasons")
    return {name: f"{value} ({reasons[name]})" for name, value in chosen.items()}


def _memory(checkpoint: Checkpoint, policy: CpuPolicy) -> int:
    """The bytes of the weights as they are computed with."""
    return sum(array.nbytes for array in policy.prepare(checkpoint.weights).values())


def _tokenizer(checkpoint: Checkpoint) -> Section:
    if checkpoint.metadata:
        tokenizer = Tokenizer.from_gguf(checkpoint.metadata)
    else:
        tokenizer = Tokenizer.from_directory(checkpoint.path)
    return {
        "vocab_size": tokenizer.vocab_size,
        "bos_token": tokenizer.bos_token,
        "eos_token": tokenizer.eos_token,
        "eos_token_ids": sorted(tokenizer.eos_token_ids),
        "chat_template": tokenizer.chat_template is not None,
    }
