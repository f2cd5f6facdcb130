"""Forked children: what was computed before is read, computing raises, and nothing hangs."""

import subprocess
import sys

#: Every way to compute an array.
COMPUTING = {
    "eval": "mx.eval(lazy)",
    "eval of a tree": "mx.eval({'a': [ready, lazy]})",
    "async_eval": "mx.async_eval(lazy)",
    "item": "lazy.sum().item()",
    "bool": "bool(lazy.sum())",
    "tolist": "lazy.tolist()",
    "repr": "repr(lazy)",
    "buffer": "memoryview(lazy)",
    "numpy": "np.array(lazy)",
    "DLPack": "np.from_dlpack(lazy)",
    "mask": "ready[lazy > 0]",
    "nonzero": "mx.nonzero(lazy)",
    "a new array": "(mx.ones((4,)) + 1).tolist()",
    "another stream": "(mx.add(1, 2, stream=mx.new_stream(mx.cpu))).item()",
    "synchronize": "mx.synchronize()",
    "gradient": "mx.grad(lambda x: (x * x).sum())(ready).tolist()",
    "save": "mx.save('/dev/null', lazy)",
    "save_safetensors": "mx.save_safetensors('/dev/null', {'a': lazy})",
    "a thread": "in_thread(lambda: (mx.ones((4,)) + 1).tolist())",
}

PROGRAM = """
import os, signal, sys, threading, warnings
warnings.simplefilter("ignore", DeprecationWarning)
import numpy as np
import mlxc as mx

def in_thread(work):
    failures = []
    def run():
        try:
            work()
        except BaseException as failure:
            failures.append(failure)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]

{before}
child = os.fork()
if child == 0:
    signal.alarm(30)
{inside}
    sys.exit(0)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
{after}
sys.exit(status)
"""

USED = """
ready = mx.array([1.0, 2.0]) + 1
one = ready[0]
mx.eval(ready, one)
lazy = ready * 2
"""


def run(before, inside, after=""):
    """What a process prints that runs `before`, then `inside` in a forked child, then `after`."""
    indented = "\n".join("    " + line for line in inside.strip().split("\n"))
    code = PROGRAM.format(before=before, inside=indented, after=after)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout.splitlines()


def test_computing_in_a_forked_child_raises():
    attempts = "\n".join(
        f"try:\n    {code}\n    print({name!r}, 'did not raise')\n"
        f"except RuntimeError as e:\n    print({name!r}) if 'spawn' in str(e) else print(e)"
        for name, code in COMPUTING.items()
    )

    assert run(USED, attempts, "print(lazy.tolist())") == [*COMPUTING, "[4.0, 6.0]"]


def test_what_was_computed_before_is_read_in_the_child():
    inside = "print(memoryview(ready).tolist(), np.array(ready), one.item(), mx.eval(ready, one))"

    assert run(USED, inside) == ["[2.0, 3.0] [2. 3.] 2.0 None"]


def test_a_child_of_a_process_that_only_imported_computes():
    inside = "print((mx.ones((2,)) @ mx.ones((2, 2))).tolist())"

    assert run("", inside, "print(mx.ones((2,)).tolist())") == ["[2.0, 2.0]", "[1.0, 1.0]"]


def test_forking_in_the_middle_of_a_computation_leaves_the_parent_alone():
    before = """
a = mx.ones((512, 512))
for _ in range(20):
    a = a @ a * 0.001
mx.async_eval(a)
"""

    assert run(before, "pass", "print(a.shape, bool(mx.isfinite(a).all()))") == ["(512, 512) True"]


def test_spawned_processes_compute(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import multiprocessing\n"
        "import mlxc as mx\n"
        "def double(x):\n"
        "    return (mx.array(x) * 2).tolist()\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(2) as pool:\n"
        "        print(double(1), pool.map(double, [2, 3]))\n"
        "        pool.close()\n"
        "        pool.join()\n"
    )

    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout, done.stderr) == (0, "2 [4, 6]\n", "")
