"""What the benchmarks share: peers in processes of their own, medians, Markdown tables.

A benchmark is one script in two roles. Called by a person it runs itself as a child, once for
each peer and round, so that no peer finds the libraries of another in its process, and rounds
alternate, so that a slow minute of the machine falls on all. Called with `--child NAME` it
measures that one peer and prints one line of JSON. What a child imports counts as its peer's
memory, so what only parents need is imported where they need it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

Figures = dict[str, float]


@dataclass(frozen=True)
class Peer:
    """One side of a comparison.

    Attributes:
        name: what the table calls it, and `--child` too.
        needs: the distribution it comes from; mlxrs itself may run from its source tree.
    """

    name: str
    needs: str

    @property
    def installed(self) -> bool:
        from importlib.metadata import PackageNotFoundError, distribution

        if self.needs == "mlxrs":
            return True
        try:
            distribution(self.needs)
        except PackageNotFoundError:
            return False
        return True


def parser(question: str, *, rounds: int) -> argparse.ArgumentParser:
    """Returns the options every benchmark has."""
    options = argparse.ArgumentParser(description=question)
    options.add_argument("--rounds", type=int, default=rounds, help="default: %(default)s")
    options.add_argument("--quick", action="store_true", help="less of everything, one round")
    options.add_argument("--child", help=argparse.SUPPRESS)
    return options


def measure(
    script: str, peers: Iterable[Peer], options: argparse.Namespace, *arguments: str
) -> dict[str, Figures]:
    """Runs every installed peer in alternating rounds; arguments are those of `runs`.

    Returns:
        For each peer the median of each figure over the rounds.
    """
    from statistics import median

    return {
        name: {key: median(figures[key] for figures in seen) for key in seen[0]}
        for name, seen in runs(script, peers, options, *arguments).items()
    }


def runs(
    script: str, peers: Iterable[Peer], options: argparse.Namespace, *arguments: str
) -> dict[str, list[Figures]]:
    """Runs every installed peer in alternating rounds.

    Args:
        script: the benchmark, as `__file__`.
        peers: who takes part; those that are not installed are named on standard error.
        options: of `parser`.
        arguments: passed on to the children.

    Returns:
        For each peer the figures of each round.
    """
    present = [peer for peer in peers if peer.installed]
    for peer in peers:
        if peer not in present:
            print(f"Skipped {peer.name}: pip install {peer.needs}", file=sys.stderr)
    quick = ["--quick"] if options.quick else []
    seen: dict[str, list[Figures]] = {peer.name: [] for peer in present}
    rounds = 1 if options.quick else options.rounds
    for round in range(rounds):
        for peer in present:
            print(f"round {round + 1} of {rounds}: {peer.name}", file=sys.stderr)
            seen[peer.name].append(child(script, "--child", peer.name, *quick, *arguments))
    return seen


def child(script: str, *arguments: str) -> Figures:
    """Runs `script` in a new process and returns the JSON of its last line."""
    done = subprocess.run([sys.executable, script, *arguments], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{script} {' '.join(arguments)} failed")
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def seconds_per_call(function: Callable[[], object], *, least: float, runs: int) -> float:
    """Returns the median time of a call over some runs of at least `least` seconds each."""
    from statistics import median

    function()
    calls, total = 0, 0.0
    while total < least:
        started = perf_counter()
        function()
        total += perf_counter() - started
        calls += 1
    times = []
    for _ in range(runs):
        started = perf_counter()
        for _ in range(calls):
            function()
        times.append((perf_counter() - started) / calls)
    return median(times)


def peak_memory() -> float:
    """Returns the most memory this process has held, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise SystemExit("no VmHWM in /proc/self/status")


def print_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints a Markdown table: names to the left, numbers to the right."""
    cells = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    for row in [cells[0], rule, *cells[1:]]:
        first, *others = (
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("| " + " | ".join([first, *others]) + " |")


def cell(figures: Mapping[str, float] | None, key: str, form: str) -> str:
    """Returns one figure as text; a dash where there is none."""
    return format(figures[key], form) if figures and key in figures else "–"


def ratio(ours: Mapping[str, float], theirs: Mapping[str, float] | None, key: str) -> str:
    """Returns how many times ours is theirs; a dash where there is no figure."""
    if not theirs or key not in theirs or key not in ours:
        return "–"
    return f"{ours[key] / theirs[key]:.2f}×"
