"""The programs in examples/ run, and arrive where they should."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def output_of(name: str, *arguments: str) -> str:
    program = [sys.executable, str(EXAMPLES / name), *arguments]
    done = subprocess.run(program, capture_output=True, text=True)
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


def chunks(data: bytes) -> dict[bytes, bytes]:
    """The kinds and contents of a PNG file's chunks, whose checksums must hold."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    found: dict[bytes, bytes] = {}
    at = 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack(">I", data[at + 8 + length : at + 12 + length])
        assert checksum == zlib.crc32(kind + content)
        found[kind], at = content, at + 12 + length
    return found


def stays(c: complex, iterations: int) -> bool:
    z = 0j
    for _ in range(iterations):
        if abs(z) > 2:
            return False
        z = z * z + c
    return True


def test_the_picture_is_black_exactly_where_points_stay(tmp_path: Path):
    path, width, height = tmp_path / "m.png", 64, 48

    output_of("mandelbrot.py", str(path), "--width", str(width), "--iterations", "50")

    png = chunks(path.read_bytes())
    assert png[b"IHDR"] == struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.decompress(png[b"IDAT"])
    rows = [data[i : i + 3 * width + 1] for i in range(0, len(data), 3 * width + 1)]
    assert len(rows) == height and all(row[0] == 0 for row in rows)
    wrong = 0
    for i, row in enumerate(rows):
        for j in range(width):
            c = complex(-2.2 + 3.2 * j / (width - 1), -(i - (height - 1) / 2) * 3.2 / width)
            wrong += stays(c, 50) != (row[1 + 3 * j : 4 + 3 * j] == b"\0\0\0")
    assert wrong <= 3  # points on the rim, where float32 decides otherwise


def test_the_assistant_calls_both_of_its_functions():
    pytest.importorskip("llguidance")

    printed = output_of("assistant_with_tools.py", "--yes")

    assert 'tool: {"city": "Rome", "degrees": 19}' in printed and "tool: 42" in printed
    assert len(re.findall(r"^assistant: \w", printed, re.M)) == 2


def test_facts_become_objects():
    pytest.importorskip("llguidance")

    printed = output_of("structured_extraction.py")

    form = r"Person\(name='.+', age=\d+, place='.+', work='\w+'\)"
    assert len(re.findall(f"^{form}$", printed, re.M)) == 3
    assert "name='Olaf" in printed


def test_the_debate_reads_only_what_is_new():
    printed = output_of("debate.py")

    read = [
        (int(new), int(prompt)) for new, prompt in re.findall(r"\[(\d+) of (\d+) tokens", printed)
    ]
    assert [new == prompt for new, prompt in read] == [True, True, False, False]
