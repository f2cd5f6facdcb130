"""Arrays in several threads, lazy or not: made here, computed there."""

import gc
import io
import queue
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from support.at_once import at_once, elsewhere

import mlxc as mx

THREADS = 8
pytestmark = pytest.mark.native


@pytest.fixture(autouse=True)
def threads_that_change_often():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def steps(count=40):
    """A lazy graph with nodes of one and of several outputs, and what it computes."""
    a = mx.arange(64, dtype=mx.float32).reshape(8, 8)
    for _ in range(count):
        left, right = mx.split(a, 2, axis=1)
        whole, rest = mx.divmod(right, 3.0)
        a = mx.concatenate([left + 1, whole * 3 + rest], axis=1)
    expected = np.arange(64, dtype=np.float32).reshape(8, 8)
    expected[:, :4] += count
    return a, expected


def test_a_lazy_array_is_computed_in_another_thread():
    a = mx.arange(3) + 1

    assert elsewhere(lambda: (a * 2).tolist()) == [2, 4, 6]


def test_lazy_arrays_outlive_the_threads_that_made_them():
    made = [elsewhere(lambda i=i: steps(i)) for i in range(5)]
    stream = elsewhere(lambda: mx.new_stream(mx.cpu))

    for a, expected in made:
        assert np.array_equal(np.array(a + 0), expected)
    assert mx.add(1, 2, stream=stream).item() == 3


def test_a_new_thread_gets_the_stream_of_one_that_is_over():
    streams = {elsewhere(lambda: mx.default_stream(mx.cpu)) for _ in range(20)}

    assert len(streams) < 20


def evaluated(a):
    mx.eval(a)
    return a


def started(a):
    mx.async_eval(a)
    return a


def test_threads_compute_one_graph_at_the_same_time():
    readers = [lambda a: a, np.asarray, np.from_dlpack, memoryview, saved, evaluated, started]
    readers.append(lambda a: mx.stack(list(a)))

    for _ in range(25):
        a, expected = steps()

        read = at_once([lambda reader=reader, a=a: reader(a).tolist() for reader in readers])

        assert read == [expected.tolist()] * THREADS


def saved(a):
    file = io.BytesIO()
    mx.save(file, a)
    file.seek(0)
    return mx.load(file, format="npy")


def test_parts_of_one_graph_are_built_on_computed_and_dropped_at_the_same_time():
    def work(parts, me):
        total = 0.0
        for i in range(len(parts)):
            part = parts[(i + me) % len(parts)]
            built = [part + k for k in range(3)] + mx.split(part, 2, axis=1)
            if (i + me) % 3 == 0:
                total += built[1].sum().item()
            elif (i + me) % 3 == 1:
                mx.async_eval(built[4])
            del built
        return total

    for _ in range(15):
        a, _ = steps(10)
        parts = [half for row in mx.split(a, 8) for half in mx.split(row, 2, axis=1)]
        totals = at_once([lambda me=me, parts=parts: work(parts, me) for me in range(THREADS)])
        wanted = [np.array(part, np.float64).sum() + 4 for part in parts]
        chosen = [
            sum(wanted[(i + me) % 16] for i in range(16) if (i + me) % 3 == 0)
            for me in range(THREADS)
        ]
        assert totals == chosen


def test_an_array_changes_in_place_beside_its_readers():
    a, b = mx.zeros((1000,)), mx.ones((1000,))
    over = threading.Event()

    def change():
        nonlocal a
        for _ in range(2000):
            a += b
        over.set()

    def read(reader):
        seen = [0.0]
        while not over.is_set():
            values = reader(a)
            assert values[0] == values[-1] >= seen[-1], "an array in between"
            seen.append(values[0])

    readers = [
        lambda x: x.tolist(),
        lambda x: (x + 0).tolist(),
        lambda x: mx.split(x, 2)[0].tolist(),
    ]
    readers += [memoryview, np.asarray, np.from_dlpack, lambda x: np.array(mx.concatenate([x, x]))]
    at_once([change, *(lambda reader=reader: read(reader) for reader in readers)])

    assert a.tolist() == [2000.0] * 1000


def test_functions_are_transformed_in_several_threads():
    shared = mx.arange(4.0) * 2  # lazy, and captured by all

    def loss(x):
        return (mx.sin(x) * shared).sum() + (x[0] * 0).item()

    @mx.compile
    def compiled(x, y):
        return mx.exp(x) * y + x, y - x

    x = mx.array([0.5, 1.0, 1.5, 2.0])
    gradient = np.cos(np.array(x)) * [0, 2, 4, 6]
    computed = np.exp(np.array(x)) * 2 + np.array(x)

    def work():
        for _ in range(20):
            np.testing.assert_allclose(np.array(mx.grad(loss)(x)), gradient, rtol=1e-5)
            first, second = compiled(x, x * 0 + 2)
            np.testing.assert_allclose(np.array(first), computed, rtol=1e-5)
            mapped = mx.vmap(lambda row: (row * shared).sum())(mx.stack([x, x]))
            tangents = mx.jvp(lambda y: y * shared, [x], [mx.ones(4)])[1][0]
            assert mapped[0].item() == mapped[1].item()
            assert tangents.tolist() == [0, 2, 4, 6]
        return True

    assert at_once([work] * THREADS) == [True] * THREADS


def test_an_exception_in_a_callback_comes_out_in_its_thread():
    def work(me):
        def bad(x):
            if x.ndim:
                time.sleep(0.001)
            raise KeyError(me)

        caught = 0
        for i in range(30):
            transform = (mx.grad, mx.compile, mx.vmap, mx.checkpoint)[(i + me) % 4]
            try:
                transform(bad)(mx.ones((2,)))
            except KeyError as error:
                caught += error.args == (me,)
            try:
                mx.ones((me + 2, 3)) @ mx.ones((4, 5))
            except ValueError as error:
                caught += f"({me + 2},3)" in str(error)
        return caught

    assert at_once([lambda me=me: work(me) for me in range(THREADS)]) == [60] * THREADS


def test_a_callback_may_wait_for_a_thread_that_evaluates():
    def loss(x):
        a = mx.arange(3) + 1
        return x * sum(elsewhere(a.tolist))

    assert mx.grad(loss)(mx.array(1.0)).item() == 6


def heavy(size=1200, count=6):
    a = mx.full((size, size), 1 / size)
    for _ in range(count):
        a = a @ a
    return a


def test_a_thread_builds_while_another_waits_for_its_result():
    a, built = heavy(), []
    waiting = threading.Thread(target=mx.eval, args=(a,))
    waiting.start()
    while waiting.is_alive():
        built.append(mx.split(mx.arange(8), 2)[1] + len(built))
    waiting.join()

    assert len(built) > 100
    assert built[-1].tolist() == [len(built) + 3 + i for i in range(4)]


def test_threads_that_wait_work_along_while_their_number_changes():
    x, packed = mx.random.normal((64, 512)), mx.quantize(mx.random.normal((512, 512)))
    square = mx.random.normal((300, 300))
    mx.eval(x, packed, square)

    def products(_: int) -> mx.array:
        y = x
        for _ in range(6):
            y = mx.quantized_matmul(y, *packed) * 0.05
        return y.sum() + (square @ square).sum()  # of which parts wait for one another

    expected = products(0).item()
    before = mx.num_threads()
    try:
        with ThreadPoolExecutor(4) as pool:
            waiting = [pool.submit(lambda: products(0).item()) for _ in range(200)]
            for count in [1, 2, 3, 2] * 50:
                mx.set_num_threads(count)
            results = [one.result() for one in waiting]
    finally:
        mx.set_num_threads(before)

    assert results == pytest.approx([expected] * 200, rel=1e-5)


def test_what_threads_drop_is_freed():
    mx.eval(heavy(100))
    mx.clear_cache()
    before = mx.get_active_memory()

    def work(a):
        for _ in range(50):
            parts = mx.split(a + 1, 4)
            mx.eval(parts[0])
            mx.grad(lambda x: (x * a).sum())(a)
            del parts
        return None

    a = mx.ones((64, 64)) * 2
    at_once([lambda: work(a)] * THREADS)
    a = None
    gc.collect()
    mx.eval(mx.ones(1) + 1)

    assert mx.get_active_memory() <= before + 4096


def test_a_compiled_function_that_is_dropped_leaves_every_thread():
    kept = mx.full((1000, 1000), 2.0)
    mx.eval(kept)
    calls, answers = queue.Queue(), queue.Queue()
    threading.Thread(
        target=lambda: [answers.put(f(mx.ones((2,))).sum().item()) for f in iter(calls.get, None)],
        daemon=True,
    ).start()
    before = mx.get_active_memory()
    for _ in range(5):
        constant = mx.full((1000, 1000), 2.0)
        mx.eval(constant)
        compiled = mx.compile(lambda x, c=constant: x * c[0, 0])
        calls.put(compiled)
        assert answers.get(timeout=60) == 4
        del compiled, constant
    calls.put(None)
    gc.collect()
    mx.compile(lambda x: x + 1)(mx.ones(1))

    assert mx.get_active_memory() - before < 2 * kept.nbytes


def test_a_thread_local_stream_stays_in_its_thread():
    lazy = elsewhere(lambda: mx.add(1, 2, stream=mx.new_thread_local_stream(mx.cpu)))

    with pytest.raises(RuntimeError, match="There is no Stream"):
        lazy.item()
    with pytest.raises(RuntimeError, match="There is no Stream"):
        elsewhere(lazy.item)
    assert (mx.arange(3) + 1).tolist() == [1, 2, 3]


BUSY = """
import os, sys, threading, time
import mlxc as mx
shared = mx.ones((50, 50))
def work():
    while True:
        a, b = mx.split(mx.grad(lambda x: (x @ x).sum())(shared) + 1, 2)
        mx.async_eval(a)
        (b + 1).sum().item()
for _ in range(8):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.2)
"""
FORKS = """
for _ in range(5):
    child = os.fork()
    if not child:
        a = mx.zeros((2,))
        try:
            (shared + 1).tolist()
        except RuntimeError:
            del a
            os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert (shared + 1)[0, 0].item() == 2
"""


@pytest.mark.parametrize("program", [BUSY, BUSY + FORKS], ids=["exits", "forks"])
def test_a_process_with_busy_threads(program):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, timeout=60
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
