"""Zeros of some size, which take memory when they are written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import mlxc as mx

pytestmark = pytest.mark.native

KIB = 1 << 10
SIZES = [127 * KIB, 128 * KIB, 300 * KIB + 1, (1 << 20) - 4, (32 << 20), (32 << 20) + 1]


def used_before(size: int) -> None:
    """Leaves memory of this size with MLX that holds other numbers."""
    a = mx.full((size,), 255, mx.uint8)
    mx.eval(a)


@pytest.mark.parametrize("size", SIZES)
def test_zeros_are_zero_in_new_memory_and_in_used(size: int) -> None:
    mx.clear_cache()
    new = np.array(mx.zeros((size,), mx.uint8))
    used_before(size)
    used = np.array(mx.zeros((size,), mx.uint8))

    assert new.shape == used.shape == (size,)
    assert not new.any()
    assert not used.any()


def test_zeros_are_zero_in_memory_of_which_some_was_used() -> None:
    for _ in range(8):
        a = mx.zeros((16, 1 << 18), mx.uint8)
        assert not np.array(a).any()
        a[3:5] = 1
        a[11, 1000:] = 1
        mx.eval(a)
        del a


@pytest.mark.parametrize(
    "dtype", [mx.bool_, mx.int8, mx.float16, mx.float32, mx.complex64], ids=str
)
def test_zeros_have_their_type(dtype: mx.Dtype) -> None:
    a = mx.zeros((1 << 9, 1 << 9), dtype)
    assert a.dtype == dtype
    assert mx.zeros_like(a).dtype == dtype
    np.testing.assert_array_equal(np.array(mx.zeros_like(a)), np.zeros((1 << 9, 1 << 9)))


def test_a_compiled_function_makes_new_zeros_at_every_call() -> None:
    @mx.compile
    def marked(place: mx.array) -> mx.array:
        return mx.zeros((1 << 18,)).at[place].add(1)

    for place in (1, 5, 7):
        assert np.flatnonzero(np.array(marked(mx.array(place)))).tolist() == [place]


def test_zeros_are_constant_under_transformations(tmp_path: Path) -> None:
    def f(x: mx.array) -> mx.array:
        return (mx.zeros((1 << 16,)) + x).sum()

    assert mx.grad(f)(mx.array(2.0)).item() == 1 << 16
    assert mx.vmap(f)(mx.array([1.0, 2.0])).tolist() == [1 << 16, 1 << 17]
    mx.export_function(tmp_path / "f.mlxfn", f, mx.array(2.0))
    assert mx.import_function(tmp_path / "f.mlxfn")(mx.array(3.0))[0].item() == 3 << 16


RESIDENT = """
import resource
import mlxc as mx

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() >> 20

mx.eval(mx.zeros((1,)) + 1)
before = resident()
arrays = [mx.zeros((16 << 20,), mx.uint8) for _ in range(16)]
mx.eval(arrays)
made = resident() - before
for i in range(4):
    arrays[i] = arrays[i] + mx.array(1, mx.uint8)
mx.eval(arrays)
print(made, resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_zeros_take_memory_when_they_are_written() -> None:
    done = subprocess.run([sys.executable, "-c", RESIDENT], capture_output=True, text=True)
    made, written = map(int, done.stdout.split())

    assert made < 64, done.stderr  # of 256 MiB
    assert 64 <= written < 192
