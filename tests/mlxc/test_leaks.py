"""What a program does over and over takes no more memory the thousandth time than the hundredth."""

from __future__ import annotations

import copy
import gc
import io
import mmap
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import mlxc as mx

STATM = Path("/proc/self/statm")
ROUNDS = 400

#: Bytes; an array object that is lost takes 138, its data not counted.
SMALLEST = 100

pytestmark = pytest.mark.skipif(not STATM.exists(), reason="needs /proc to see its own memory")

A = mx.arange(16, dtype=mx.float32).reshape(4, 4)
PLACES = mx.array([0, 2])
MASK = A > 4
mx.eval(A, PLACES, MASK)

FOLDER = tempfile.TemporaryDirectory()
MAPPED, FUNCTION = f"{FOLDER.name}/a.safetensors", f"{FOLDER.name}/f.mlxfn"
mx.save_safetensors(MAPPED, {"a": A})
mx.export_function(FUNCTION, lambda x: mx.exp(x) + 1, A)


def operators():
    b = A
    for _ in range(10):
        b = b + A * 2.0 - 1
    mx.eval(b)


def indexing():
    mx.eval(A[1:3], A[..., None], A[0, 1], A[PLACES], A[MASK], A[:, PLACES], list(A))
    c = mx.array(A)
    c[1:3] = 1.0
    c[PLACES] = A[:2]
    c[MASK] = 0
    c += 1
    mx.eval(c.at[PLACES].add(1.0))


def lists():
    mx.eval(mx.split(A, 2), mx.concatenate([A, A]), mx.stack([A, A]), mx.meshgrid(PLACES, PLACES))


def layers():
    q = A.reshape(1, 1, 4, 4)
    mx.eval(
        mx.fast.rms_norm(A, A[0], 1e-5),
        mx.fast.rope(q, 4, traditional=False, base=1e4, scale=1.0, offset=0),
        mx.fast.scaled_dot_product_attention(q, q, q, scale=1.0),
        mx.random.categorical(A),
    )


def gradients():
    pair = {"w": A, "b": A}
    mx.eval(
        mx.grad(lambda x: (x * x).sum())(A),
        mx.value_and_grad(lambda p: (p["w"] @ p["b"]).sum())(pair),
        mx.grad(mx.checkpoint(lambda x: mx.exp(x).sum()))(A),
        mx.vjp(mx.exp, [A], [A]),
        mx.jvp(mx.exp, [A], [A]),
    )


def rules():
    @mx.custom_function
    def triple(x):
        return x * 3

    triple.vjp(lambda x, cotangent, output: cotangent * 3)
    mx.eval(mx.grad(lambda x: triple(x).sum())(A))


def vectorized():
    mx.eval(mx.vmap(lambda x, y: x @ y, in_axes=(0, None))(A, A))


def compiled_anew():
    mx.eval(mx.compile(lambda x: x * x + 3.0)(A))


def errors():
    def fails(x):
        raise KeyError(x)

    for call, kind in [
        (lambda: A @ mx.ones((3,)), ValueError),
        (lambda: A.reshape(3, 3), ValueError),
        (lambda: A[9], IndexError),
        (lambda: mx.array([[1], [1, 2]]), ValueError),
        (lambda: mx.grad(fails)(A), KeyError),
        (lambda: mx.vmap(fails)(A), KeyError),
        (lambda: mx.compile(fails)(A), KeyError),
        (lambda: mx.vjp(lambda x: 3, [A], [A]), RuntimeError),
    ]:
        with pytest.raises(kind):
            call()


def exchange():
    np.array(A)
    np.from_dlpack(A)
    mx.array(np.ones((4, 4), np.float32))
    mx.array([[1.0, 2.0], [3.0, 4.0]])
    A.tolist()
    A[0, 0].item()
    repr(A)
    copy.deepcopy(A)
    assert mx.array_equal(pickle.loads(pickle.dumps(A)), A)


def files():
    for form, save in [
        ("npy", lambda file: mx.save(file, A)),
        ("npz", lambda file: mx.savez(file, a=A)),
        ("safetensors", lambda file: mx.save_safetensors(file, {"a": A}, {"kind": "x"})),
    ]:
        file = io.BytesIO()
        save(file)
        file.seek(0)
        mx.eval(mx.load(file, format=form))
    with pytest.raises(ValueError):
        mx.load(io.BytesIO(b"no array"), format="safetensors")


def named_files():
    mx.save_gguf(f"{FOLDER.name}/a.gguf", {"a": A}, {"kind": "x", "all": ["y", "z"]})
    mx.eval(mx.load(f"{FOLDER.name}/a.gguf"), mx.load(MAPPED), mx.import_function(FUNCTION)(A))


def chance():
    key = mx.random.key(3)
    mx.eval(mx.random.split(key), mx.random.gumbel((4,)), mx.random.randint(0, 9, (4,), key=key))
    mx.eval(mx.random.permutation(A), mx.random.state)


def devices():
    stream = mx.default_stream(mx.cpu)
    with mx.stream(stream):
        mx.eval(mx.add(A, 1, stream=stream), mx.exp(A, stream=mx.cpu))
    mx.async_eval(A * 3)
    mx.synchronize(stream)


def capsules():
    A.__dlpack__()
    mx.from_dlpack(np.ones((3, 3), np.float32).T)
    memoryview(A).tolist()
    with pytest.raises(ValueError):
        mx.from_dlpack(np.ones(3, np.float64), copy=False)


def packed():
    x = mx.ones((2, 64))
    three = mx.quantize(mx.ones((3, 64)), 32, 4)
    four = mx.quantize(mx.ones((1, 1, 8, 32)), 32, 8)
    mx.eval(
        mx.quantized_matmul(x, *three, group_size=32, bits=4),
        mx.fast.quantized_scaled_dot_product_attention(
            mx.ones((1, 2, 1, 32)), four, four, scale=1.0, group_size=32, bits=8
        ),
        mx.fast.write_rows([mx.zeros((1, 1, 4, 8))], [mx.ones((1, 1, 1, 8))], 1, 2),
    )


def rules_that_fail():
    @mx.custom_function
    def twice(x):
        return x * 2

    @twice.vjp
    def fails(x, cotangent, output):
        raise LookupError(x)

    with pytest.raises(LookupError):
        mx.grad(lambda x: twice(x).sum())(A)
    with pytest.raises(ZeroDivisionError):
        mx.compile(lambda x: x / (1 // 0))(A)


WORK = [
    files,
    named_files,
    chance,
    devices,
    capsules,
    packed,
    rules_that_fail,
    operators,
    indexing,
    lists,
    layers,
    gradients,
    rules,
    vectorized,
    compiled_anew,
    errors,
    exchange,
]


@pytest.mark.parametrize("work", WORK, ids=lambda work: work.__name__)
def test_repeated_work_takes_no_more_memory(work: Callable[[], None]):
    repeat(work)
    active = mx.get_active_memory()

    # What is lost is lost every time; an allocator that asks for more does so now and then.
    growth = min(bytes_taken(work) for _ in range(3))

    assert mx.get_active_memory() == active
    assert growth < ROUNDS * SMALLEST


def bytes_taken(work: Callable[[], None]) -> int:
    """How much more memory the process has after the work than before."""
    before = resident_bytes()
    repeat(work)
    return resident_bytes() - before


def repeat(work: Callable[[], None]) -> None:
    for _ in range(ROUNDS):
        work()
    gc.collect()


def resident_bytes() -> int:
    return int(STATM.read_text().split()[1]) * mmap.PAGESIZE
