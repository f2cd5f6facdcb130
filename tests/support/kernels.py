"""Kernels for the CPU beside MLX's own operations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import mlxc as mx

FLOATS = (mx.float32, mx.float16, mx.bfloat16)


def choose(before: mx.CpuKernels) -> None:
    """Set how the CPU computes back to what it was."""
    mx.cpu_kernels(
        before.enabled,
        activations=before.activations if before.chosen else "default",
        instruction_set=before.instruction_set,
    )


@contextmanager
def cpu_kernels(
    enabled: bool = True, *, instruction_set: str | None = None, threads: int | None = None
) -> Iterator[None]:
    """Set how the CPU computes, and set it back."""
    before, threads_before = mx.cpu_kernels(), mx.num_threads()
    try:
        mx.cpu_kernels(enabled, instruction_set=instruction_set)
        mx.set_num_threads(threads or threads_before)
        yield
    finally:
        mx.cpu_kernels(before.enabled, instruction_set=before.instruction_set)
        mx.set_num_threads(threads_before)


def instruction_sets() -> list[str]:
    """Those that this processor has."""
    found = []
    for name in ("portable", "neon", "neon_dot", "avx2", "avx_vnni", "avx512"):
        try:
            with cpu_kernels(instruction_set=name):
                found.append(name)
        except ValueError:
            continue
    return found
