"""The figures of `cpu_lm` as Markdown and as a picture."""

from __future__ import annotations

import contextlib
import io
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from support import print_table

PEERS = ("mlxrs", "llama.cpp", "mlx-lm bf16", "mlx-lm float32")
COLORS = ("#c8553d", "#588b8b", "#bbb1a4", "#8a817c")
Case = tuple[str, int]
"""A figure's name and the threads it was measured with."""


@dataclass
class Table:
    """The figures of one model.

    Attributes:
        values: those of all rounds, by case and peer.
        starred: the cases and peers of which less was done.
        bits: of activations, as mlxrs multiplied packed weights with them.
    """

    values: dict[Case, dict[str, list[float]]] = field(default_factory=dict)
    starred: set[tuple[str, str]] = field(default_factory=set)
    bits: int = 32

    @property
    def mode(self) -> str:
        """How mlxrs multiplied."""
        return "float32 activations" if self.bits == 32 else f"int{self.bits} activations"

    def add(self, peer: str, threads: int, figures: Mapping[str, float]) -> None:
        """Takes what one child told."""
        self.bits = int(figures.get("bits", self.bits))
        for name, value in figures.items():
            key = name.rstrip("*")
            if key == "bits":
                continue
            if name.endswith("*"):
                self.starred.add((key, peer))
            self.values.setdefault((key, threads), {}).setdefault(peer, []).append(value)

    def median(self, case: Case, peer: str) -> float | None:
        """Returns the median of the rounds. mlx-lm is asked once, for any number of threads."""
        values = self.values.get(case, {}).get(peer)
        if values is None and peer.startswith("mlx-lm"):
            same = (found.get(peer) for (key, _), found in self.values.items() if key == case[0])
            values = next((value for value in same if value), None)
        return median(values) if values else None

    def cell(self, case: Case, peer: str) -> str:
        middle = self.median(case, peer)
        if middle is None:
            return "–"
        star = "*" * ((case[0], peer) in self.starred)
        values = self.values[case].get(peer, [])
        spread = (max(values) - min(values)) / 2 / middle if len(values) > 1 else 0
        return f"{number(middle)}{star}" + (f" ±{spread:.0%}" if len(values) > 1 else "")

    def ratio(self, case: Case, peer: str) -> str:
        ours, theirs = self.median(case, "mlxrs"), self.median(case, peer)
        return f"{ours / theirs:.2f}×" if ours and theirs else "–"


def unit(name: str) -> str:
    """Returns the unit of a figure."""
    if name == "memory":
        return "MB"
    return "s" if name.startswith(("second", "load", "start")) else "tokens/s"


def number(value: float) -> str:
    """Returns three digits."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def report(tables: Mapping[str, Table], *, rounds: int) -> str:
    """Returns a Markdown table for each model."""
    parts = []
    for title, table in tables.items():
        rows = [
            [
                f"{name} ({unit(name)})",
                threads,
                *(table.cell((name, threads), peer) for peer in PEERS),
                table.ratio((name, threads), "llama.cpp"),
                table.ratio((name, threads), "mlx-lm bf16"),
            ]
            for name, threads in table.values
        ]
        head = [
            title,
            "threads",
            f"mlxrs, {table.mode}",
            *PEERS[1:],
            "mlxrs / llama.cpp",
            "mlxrs / mlx-lm bf16",
        ]
        with contextlib.redirect_stdout(io.StringIO()) as text:
            print_table(head, rows)
        parts.append(text.getvalue())
    parts.append(
        f"{processor()}, {len(os.sched_getaffinity(0))} cores; {rounds} rounds, medians with half "
        "their range.\n"
    )
    return "\n".join(parts)


def processor() -> str:
    """Returns the name of the processor and the instruction sets that matter."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    facts = {key.strip(): value.strip() for key, value in facts.items()}
    name = facts.get("model name", platform.machine())
    flags = set(facts.get("flags", facts.get("Features", "")).split())
    sets = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "asimddp", "i8mm")
    return f"{name} ({', '.join(flag for flag in sets if flag in flags)})"


def plot(tables: Mapping[str, Table], path: Path) -> None:
    """Draws reading and writing speeds of all models with the most threads."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import patches, pyplot

    figure, panels = pyplot.subplots(1, 2, figsize=(11, 0.9 + 1.1 * len(tables)), sharey=True)
    for panel, (case, title) in zip(
        panels, [("prefill 512", "reading 512 tokens"), ("decode at 0", "writing")], strict=True
    ):
        for place, table in enumerate(tables.values()):
            threads = max((count for name, count in table.values if name == case), default=0)
            for row, (peer, color) in enumerate(zip(PEERS, COLORS, strict=True)):
                speed = table.median((case, threads), peer)
                if speed is None:
                    continue
                height = place + 0.2 * row
                panel.barh(height, speed, 0.19, color=color)
                panel.text(speed, height, f" {number(speed)}", va="center", fontsize=8)
        panel.set_title(f"{title}, tokens/s", fontsize=10)
        panel.spines[["top", "right"]].set_visible(False)
        panel.margins(x=0.12)
    panels[0].set_yticks(
        [place + 0.3 for place in range(len(tables))],
        [f"{title}\n{table.mode}" for title, table in tables.items()],
    )
    panels[0].invert_yaxis()
    keys = [
        patches.Patch(color=color, label=peer) for peer, color in zip(PEERS, COLORS, strict=True)
    ]
    panels[1].legend(handles=keys, frameon=False, fontsize=8, loc="lower right")
    figure.tight_layout()
    figure.savefig(path, dpi=150)
