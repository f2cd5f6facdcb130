"""Arrays between pages that nobody may read: who reads beyond them dies."""

from __future__ import annotations

import ctypes
import mmap
import os

import numpy as np

import mlxc as mx
from mlxc._mapping import map_arrays

PAGE = mmap.PAGESIZE
FORBIDDEN = 0


class _File:
    """What has a number, as open files have."""

    def __init__(self) -> None:
        self.number = os.memfd_create("array")

    def fileno(self) -> int:
        return self.number


def floats(shape: tuple[int, ...], dtype: mx.Dtype) -> mx.array:
    """Numbers between 0 and 1 that end where a page does."""
    values = np.random.default_rng(sum(shape)).random(shape, np.float32)
    return fenced(mx.array(values).astype(dtype))


def fenced(a: mx.array) -> mx.array:
    """The same array with a forbidden page behind it."""
    data = np.array(mx.contiguous(a).view(mx.uint8)).tobytes()
    pages = -(-len(data) // PAGE) * PAGE
    file, start = _File(), PAGE + pages - len(data)
    os.ftruncate(file.number, pages + 2 * PAGE)
    os.pwrite(file.number, data, start)
    mapped = map_arrays(file, {"a": (start, a.shape, a.dtype)})["a"]  # type: ignore[arg-type]
    os.close(file.number)
    first = np.array(mapped.view(mx.uint8), copy=False).ctypes.data
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.mprotect(ctypes.c_void_p(first + len(data)), PAGE, FORBIDDEN) == 0
    return mapped
