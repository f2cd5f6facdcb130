"""Kernels read nothing in front of their arrays and nothing behind: a file may end at a page."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.kernels import instruction_sets

pytestmark = [
    pytest.mark.native,
    pytest.mark.skipif(
        sys.platform != "linux", reason="needs memory files, and signals as in Linux"
    ),
]

PROGRAM = """
import sys
import mlxc as mx
from support.fenced import fenced, floats

mx.cpu_kernels(instruction_set=sys.argv[1])
TYPES = (mx.float32, mx.float16, mx.bfloat16)

def products():
    for dtype in TYPES:
        for rows, inner, columns in [
            (1, 1, 1), (1, 33, 7), (3, 17, 65), (9, 130, 31), (20, 7, 19), (40, 35, 13)
        ]:
            a, b = floats((rows, inner), dtype), floats((inner, columns), dtype)
            wide = floats((rows, inner), mx.float32)
            for left in (a, wide):
                yield left @ b
                yield left @ floats((columns, inner), dtype).T
            yield mx.addmm(floats((columns,), dtype), a, b)

def quantized():
    for mode, bits, group in [("affine", b, g) for b in (1, 2, 3, 4, 5, 6, 8) for g in (32, 64)] + [
        ("mxfp4", 4, 32)
    ]:
        for rows, outputs, groups in [(1, 1, 1), (1, 17, 3), (5, 33, 2), (20, 9, 5)]:
            given = {"group_size": group, "bits": bits, "mode": mode}
            w = floats((3, outputs, group * groups), mx.float32)
            one, several = (list(map(fenced, mx.quantize(a, **given))) for a in (w[0], w))
            x = floats((rows, group * groups), mx.float32)
            for activations in ("float32", "int8"):
                mx.cpu_kernels(activations=activations)
                yield mx.quantized_matmul(x, *one, **given)
                chosen = fenced(mx.arange(rows, dtype=mx.uint32) % 3)
                yield mx.gather_qmm(x[:, None], *several, rhs_indices=chosen, **given)

def attention():
    for dtype, held in [*zip(TYPES, TYPES), (TYPES[0], TYPES[1]), (TYPES[0], TYPES[2])]:
        for L, S, D in [(1, 1, 8), (1, 130, 64), (5, 37, 80), (33, 70, 33)]:
            q = floats((1, 4, L, D), dtype)
            k, v = floats((1, 2, S, D), held), floats((1, 2, S, D), held)
            mask = floats((L, S), dtype)
            yield mx.fast.scaled_dot_product_attention(q, k, v, scale=1.0, mask=mask)
            packed = mx.quantize(floats((1, 2, S, 64), held), 32, 4)
            k, v = list(map(fenced, packed)), list(map(fenced, packed))
            q = floats((1, 4, L, 64), dtype)
            yield mx.fast.quantized_scaled_dot_product_attention(
                q, k, v, scale=1.0, group_size=32, bits=4
            )

def rows():
    for dtype in TYPES:
        for length in (1, 7, 16, 33, 130, 600):
            x = floats((3, length), dtype)
            yield mx.fast.rms_norm(x, floats((length,), dtype), 1e-5)
            yield mx.fast.layer_norm(x, floats((length,), dtype), floats((length,), dtype), 1e-5)
            given = {"traditional": False, "base": 1e4, "scale": 1.0, "offset": 3}
            yield mx.fast.rope(floats((1, 2, 3, 2 * length), dtype), 2 * length, **given)
            for function in (mx.exp, mx.log, mx.sigmoid, mx.fast.silu, mx.fast.gelu):
                yield function(x)
            yield mx.fast.swiglu(x, floats((3, length), dtype))
            for function in (mx.softmax, mx.logsumexp, mx.argmax, mx.argmin, mx.argsort):
                yield function(x, axis=-1)

for part in (products, quantized, attention, rows):
    for result in part():
        mx.eval(result)
    print(part.__name__)
"""


@pytest.mark.parametrize("name", instruction_sets())
def test_nothing_is_read_beyond_the_pages_of_an_array(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", PROGRAM, name],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=Path(__file__).parents[3],
    )

    assert done.stdout.split() == ["products", "quantized", "attention", "rows"], done.stderr
