"""What runs for long does not grow."""

import subprocess
import sys

import pytest

GROWTH = """
import gc, os, resource
import mlxc as mx

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

a, b = mx.random.normal((32, 32)), mx.ones((32, 32))
loss = mx.value_and_grad(lambda x: (x * x).mean())
mx.eval(a, b)

def round_of_ops(count):
    for i in range(count // 20):
        c = (a + b) * 2.0 - a / 3
        d = mx.concatenate([c[:16], c[16:]], axis=0).reshape(16, 64).T
        e = mx.softmax(d @ d.T, axis=-1).sum(axis=0, keepdims=True)
        c[i % 32, 1:3] = e[0, 0]
        parts = mx.split(c, 4)
        f = mx.array([[1.0, i], [2.0, 3.0]]).astype(mx.float16) + parts[0][0, 0]
        if i % 8 == 0:
            mx.eval(f, e)
            loss(a)[1][0, 0].item()
            memoryview(f)
        if i % 16 == 0:
            try:
                a.reshape(7)
            except ValueError:
                pass

round_of_ops(20_000)
gc.collect()
before = resident(), mx.get_active_memory()
round_of_ops(100_000)
gc.collect()
after = resident(), mx.get_active_memory()
print(after[0] - before[0] < 8 << 20, after[1] - before[1] < 1 << 20, before, after)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells the memory of a process")
def test_a_hundred_thousand_operations_leave_nothing_behind():
    done = subprocess.run([sys.executable, "-c", GROWTH], capture_output=True, text=True)

    assert (done.stdout[:9], done.stderr) == ("True True", ""), done.stdout
