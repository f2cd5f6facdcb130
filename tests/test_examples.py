"""The programs in examples/ run, and arrive where they should."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parent.parent / "examples"


def output_of(name: str) -> str:
    program = str(EXAMPLES / name)
    done = subprocess.run([sys.executable, program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_perceptron_learns():
    printed = output_of("mlp.py")

    losses = [float(loss) for loss in re.findall(r"loss (\S+)", printed)]
    accuracy = float(re.findall(r"accuracy (\S+)%", printed)[0])
    assert losses[-1] < 0.1 * losses[0]
    assert accuracy > 95


def test_k_means_finds_the_corners_of_the_square():
    printed = output_of("kmeans.py")

    spreads = [float(spread) for spread in re.findall(r"spread (\S+)", printed)]
    centers = [tuple(map(float, pair)) for pair in re.findall(r"center +(\S+) +(\S+)", printed)]
    assert spreads == sorted(spreads, reverse=True)
    assert [(round(x), round(y)) for x, y in centers] == [(-1, -1), (-1, 1), (1, 1), (1, -1)]
