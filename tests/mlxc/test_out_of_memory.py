"""Arrays that do not fit into memory raise MemoryError, and leave no trace."""

import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.native,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere MLX raises by itself"),
]

SHORT = """
import resource
import mlxc as mx

OPERATIONS = {
    "sort": lambda: mx.sort(a, axis=0),
    "fft": lambda: mx.fft.fft(a),
    "qr": lambda: mx.linalg.qr(a[:1024]),
    "matmul": lambda: a @ a.T,
    "chain": lambda: mx.sin(mx.cos(a) + a.T.reshape(a.shape)),
    "scatter": lambda: a.at[mx.arange(5)].add(1),
    "convolution": lambda: mx.conv1d(a[None], mx.ones((16, 5, 1024))),
}
a = mx.random.normal((4096, 1024))
mx.eval(a, a[:4] @ a.T, mx.linalg.qr(a[:4, :4]), mx.arange(3) + 1)
mx.clear_cache()
pages = int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (3 << 20),) * 2)
for name, operation in OPERATIONS.items():
    try:
        mx.eval(operation())
    except MemoryError:
        print(name, (mx.arange(3) + 1).tolist())
    mx.clear_cache()
"""


PETABYTES = """
import mlxc as mx

before = mx.get_active_memory()
for shape in (2**20, 2**20, 2**10), (2**31 - 1, 2**18):
    try:
        mx.eval(mx.zeros(shape))
    except MemoryError as error:
        print(error, mx.get_active_memory() - before < 100)
"""


def test_an_array_of_petabytes_is_an_error_and_counts_as_no_memory():
    done = subprocess.run([sys.executable, "-c", PETABYTES], capture_output=True, text=True)

    assert done.stdout == (
        "cannot allocate 4503599627370496 bytes True\ncannot allocate 2251799812636672 bytes True\n"
    ), done.stderr


def test_computing_goes_on_after_any_operation_that_found_no_memory():
    done = subprocess.run([sys.executable, "-c", SHORT], capture_output=True, text=True)

    names = ["sort", "fft", "qr", "matmul", "chain", "scatter", "convolution"]
    assert done.stdout.splitlines() == [f"{name} [1, 2, 3]" for name in names], done.stderr
    assert (done.returncode, done.stderr) == (0, "")
