"""Calls that make no sense, to every public function: refused or answered, and never a crash."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.fuzz import CALLS, UNEXPECTED

ROOT = Path(__file__).parents[2]
LIMIT = 60.0  # seconds for the calls of one process, which take about three


@pytest.mark.native  # MLX < 0.32 reads beyond arrays and divides by zero
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the memory has no limit")
@pytest.mark.parametrize("seed", range(5))
def test_calls_without_sense_are_refused_and_never_crash(seed, tmp_path):
    command = [sys.executable, "-m", "tests.support.fuzz", str(seed), "1500", str(tmp_path)]

    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        pytest.fail(f"does not end: {last_call(tmp_path)}")

    if done.returncode:
        pytest.fail(f"ended with {done.returncode}: {last_call(tmp_path)}\n{done.stderr[-2000:]}")
    assert [line for line in done.stdout.splitlines() if line.startswith(UNEXPECTED)] == []


def last_call(folder):
    return (folder / CALLS).read_text().splitlines()[-1]
