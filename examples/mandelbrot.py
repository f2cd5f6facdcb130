"""The Mandelbrot set as a picture: every point at once, and no loop over pixels.

python examples/mandelbrot.py mandelbrot.png --width 1200
"""

from __future__ import annotations

import argparse
import struct
import zlib
from pathlib import Path

import mlxc as mx


def escape_times(width: int, height: int, iterations: int) -> mx.array:
    """How many steps of z -> z² + c each point c takes to leave the circle of radius 2.

    Returns:
        Shape (height, width), float32; `iterations` where it stays. The plane is shown from -2.2
        to 1.0, with square pixels.
    """
    x = mx.linspace(-2.2, 1.0, width)
    y = (mx.arange(height) - (height - 1) / 2) * (3.2 / width)
    c = x[None, :] - 1j * y[:, None]
    z, steps = mx.zeros_like(c), mx.zeros(c.shape)
    for i in range(iterations):
        inside = mx.abs(z) <= 2
        z = mx.where(inside, z * z + c, z)
        steps = steps + inside
        if i % 16 == 15:
            mx.eval(z, steps)  # keeps the graph, and with it the memory, small
    return steps


def colors(steps: mx.array, iterations: int) -> mx.array:
    """Black inside, waves of color outside; shape (height, width, 3), uint8."""
    phase = mx.log1p(steps)[..., None] * 2 + mx.array([0.0, 0.6, 1.2])
    wave = 127.5 * (1 - mx.cos(phase))
    return mx.where((steps < iterations)[..., None], wave, 0).astype(mx.uint8)


def write_png(path: Path, pixels: mx.array) -> None:
    """Write a picture of shape (height, width, 3) and type uint8."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    height, width, _ = pixels.shape
    filters = mx.zeros((height, 1), mx.uint8)  # every row is stored as it is
    rows = mx.concatenate([filters, pixels.reshape(height, 3 * width)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(memoryview(rows))))
        + chunk(b"IEND", b"")
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the Mandelbrot set.")
    parser.add_argument("path", type=Path, help="the PNG file to write")
    parser.add_argument(
        "--width", type=int, default=1200, help="in pixels; 3/4 of it is the height"
    )
    parser.add_argument("--iterations", type=int, default=200)
    options = parser.parse_args()
    steps = escape_times(options.width, options.width * 3 // 4, options.iterations)
    write_png(options.path, colors(steps, options.iterations))
    print(f"{options.path}: {steps.shape[1]} x {steps.shape[0]} pixels")


if __name__ == "__main__":
    main()
