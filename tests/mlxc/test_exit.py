"""A process that uses arrays ends with exit code 0 and silence."""

import subprocess
import sys

import pytest

PROGRAMS = {
    "pending async_eval": """
        import mlxc as mx
        a = mx.random.normal((512, 512))
        for _ in range(20):
            a = a @ a * 0.01
        mx.async_eval(a)
    """,
    "suspended generator": """
        import mlxc as mx
        def numbers():
            a = mx.ones((64, 64))
            try:
                while True:
                    a = a @ a
                    mx.async_eval(a)
                    yield a
            finally:
                del a
        g = numbers()
        next(g)
    """,
    "live stream": """
        import mlxc as mx
        s = mx.new_stream(mx.cpu)
        with mx.stream(s):
            a = mx.ones((512, 512)) @ mx.ones((512, 512))
            mx.async_eval(a)
    """,
    "daemon thread generating": """
        import threading, time
        import mlxc as mx
        started = threading.Event()
        def work():
            a = mx.ones((64, 64))
            while True:
                a = a @ a * 0.001
                mx.eval(a)
                started.set()
        threading.Thread(target=work, daemon=True).start()
        started.wait()
        time.sleep(0.05)
    """,
    "daemon thread differentiating": """
        import threading, time
        import mlxc as mx
        started = threading.Event()
        def work():
            a = mx.ones((64, 64))
            while True:
                mx.eval(mx.grad(lambda x: (x @ x).sum())(a))
                started.set()
        threading.Thread(target=work, daemon=True).start()
        started.wait()
        time.sleep(0.05)
    """,
    "exported buffer": """
        import mlxc as mx, numpy as np
        view = np.asarray(mx.ones((16,)))
    """,
    "finished thread": """
        import threading
        import mlxc as mx
        kept = []
        t = threading.Thread(target=lambda: kept.append(mx.ones((8,)) + 1))
        t.start(); t.join()
    """,
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_exit_is_clean(program):
    lines = program.strip("\n").split("\n")
    code = "\n".join(line[8:] for line in lines)

    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=60
        )

        assert (done.returncode, done.stderr) == (0, "")
