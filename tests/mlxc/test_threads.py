"""Eight threads at once: each computes on its own, and evaluated arrays pass between them."""

import subprocess
import sys

import pytest

PROGRAM = """
import queue, threading
import mlxc as mx

THREADS, ROUNDS = 8, 60
inboxes = [queue.Queue() for _ in range(THREADS)]
totals, failures = [0.0] * THREADS, []

def work(me):
    kept = []
    for turn in range(ROUNDS):
        a = mx.full((16, 16), me + 1.0) @ mx.eye(16)
        b = mx.concatenate([a[:8], a[8:] * 2.0])
        gradient = mx.grad(lambda x: (x * x).sum())(b)
        mx.async_eval(gradient)
        mx.eval(b)
        assert gradient.sum().item() == 2 * 16 * 24 * (me + 1), "a gradient of another thread"
        kept.append(b)
        inboxes[(me + turn) % THREADS].put((me, b))
        sender, array = inboxes[me].get(timeout=60)
        lazy = array + kept[-1]
        assert lazy[0, 0].item() == sender + me + 2, "an array of another thread"
        totals[me] += array.sum().item() / (sender + 1)
        try:
            a @ mx.ones((3, 3))
        except ValueError as error:
            assert "(3,3)" in str(error), "a message of another thread"
        else:
            raise AssertionError("shapes that do not fit")
        if turn % 10 == 0:
            kept.clear()

def guarded(me):
    try:
        work(me)
    except BaseException as failure:
        failures.append((me, failure))

threads = [threading.Thread(target=guarded, args=(me,)) for me in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(failures, sum(totals) == THREADS * ROUNDS * 16 * 24)
"""


@pytest.mark.native
def test_eight_threads_compute_and_hand_arrays_to_each_other():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "[] True\n", "")
