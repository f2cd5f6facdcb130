"""How the CPU computes can be chosen, and is told."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from support.kernels import choose

import mlxc as mx

pytestmark = pytest.mark.native


@pytest.fixture(autouse=True)
def settings() -> Iterator[mx.CpuKernels]:
    before, threads = mx.cpu_kernels(), mx.num_threads()
    yield before
    choose(before)
    mx.set_num_threads(threads)


def test_what_is_not_given_stays_as_it_is() -> None:
    mx.cpu_kernels(False, activations="int8")

    assert mx.cpu_kernels() == mx.cpu_kernels(False, activations="int8")
    assert not mx.cpu_kernels().enabled
    assert mx.cpu_kernels(activations="float32").activations == "float32"


def test_a_choice_of_activations_can_be_taken_back() -> None:
    assert mx.cpu_kernels(activations="int16").chosen
    assert not mx.cpu_kernels(activations="default").chosen
    assert mx.cpu_kernels().activations == "float32"


def test_portable_kernels_run_on_every_processor() -> None:
    assert mx.cpu_kernels(instruction_set="portable").instruction_set == "portable"
    assert not mx.cpu_kernels().int8_dot


def test_unknown_choices_are_refused_and_change_nothing() -> None:
    before = mx.cpu_kernels()
    with pytest.raises(ValueError, match="activations must be one of"):
        mx.cpu_kernels(False, activations="int4")
    with pytest.raises(ValueError, match="instruction_set must be one of"):
        mx.cpu_kernels(False, instruction_set="mmx")
    for count in (0, 10**6):  # which the system would give, and take from everybody else
        with pytest.raises(ValueError, match=f"n must be 1 to 1024, got {count}"):
            mx.set_num_threads(count)
    assert mx.cpu_kernels() == before


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_products_are_the_same_on_any_number_of_threads(threads: int) -> None:
    a = np.random.default_rng(0).standard_normal((300, 300)).astype(np.float32)

    mx.set_num_threads(threads)

    assert mx.num_threads() == mx.blas_info().threads == threads
    np.testing.assert_allclose(np.array(mx.array(a) @ mx.array(a)), a @ a, atol=1e-3)


def test_streams_of_several_threads_share_the_pool() -> None:
    mx.set_num_threads(3)
    weight = mx.array(np.linspace(0.5, 2, 64, dtype=np.float32))
    rows = np.random.default_rng(0).standard_normal((4, 4096, 64)).astype(np.float32)
    expected = [np.array(mx.fast.rms_norm(mx.array(x), weight, 1e-5)) for x in rows]
    found: list[list[np.ndarray]] = [[] for _ in rows]

    def work(i: int) -> None:
        with mx.stream(mx.new_stream(mx.cpu)):
            for _ in range(20):
                found[i].append(np.array(mx.fast.rms_norm(mx.array(rows[i]), weight, 1e-5)))

    workers = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    for i in range(4):
        assert len(found[i]) == 20
        assert all((y == expected[i]).all() for y in found[i])


@pytest.mark.parametrize("variable", ["MLXRS_NUM_THREADS", "OMP_NUM_THREADS"])
def test_the_environment_sets_the_number_of_threads(variable: str) -> None:
    others = ("MLXRS_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    rest = {name: value for name, value in os.environ.items() if name not in others}
    code = "import mlxc as mx; print(mx.num_threads(), mx.blas_info().threads)"

    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**rest, variable: "3"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == ["3", "3"]


def test_inverses_and_products_may_run_at_the_same_time() -> None:
    mx.set_num_threads(4)
    a = np.random.default_rng(0).standard_normal((320, 320)).astype(np.float32)
    a += 30 * np.eye(320, dtype=np.float32)
    expected = {mx.linalg.inv: np.linalg.inv(a), mx.square: a @ a}
    wrong: list[str] = []

    def work(operation: Callable[..., mx.array]) -> None:
        with mx.stream(mx.new_stream(mx.cpu)):
            for _ in range(10):
                x = mx.array(a)
                y = x @ x if operation is mx.square else operation(x)
                if not np.allclose(np.array(y), expected[operation], atol=1e-2):
                    wrong.append(operation.__name__)

    workers = [threading.Thread(target=work, args=(operation,)) for operation in expected]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert not wrong


def test_the_number_of_threads_may_change_while_products_run() -> None:
    a = np.random.default_rng(0).standard_normal((256, 256)).astype(np.float32)
    over = threading.Event()
    found: list[np.ndarray] = []

    def work() -> None:
        with mx.stream(mx.new_stream(mx.cpu)):
            while not over.is_set():
                found.append(np.array(mx.array(a) @ mx.array(a)))

    worker = threading.Thread(target=work)
    worker.start()
    for i in range(60):
        mx.set_num_threads(1 + i % 5)
        time.sleep(0.002)
    over.set()
    worker.join()

    assert found
    assert all(np.allclose(y, a @ a, atol=1e-3) for y in found)


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_decompositions_are_right_on_any_number_of_threads(threads: int) -> None:
    mx.set_num_threads(threads)
    a = np.random.default_rng(0).standard_normal((200, 200))
    symmetric = mx.array((a @ a.T / 200 + np.eye(200)).astype(np.float32))

    with mx.stream(mx.cpu):
        inverse = mx.linalg.inv(symmetric)
        lower = mx.linalg.cholesky(symmetric)
        q, r = mx.linalg.qr(symmetric)
        values, vectors = mx.linalg.eigh(symmetric)
        u, s, vt = mx.linalg.svd(symmetric)
        products = [
            inverse @ symmetric @ symmetric,
            lower @ lower.T,
            q @ r,
            (vectors * values) @ vectors.T,
            (u * s) @ vt,
        ]

    for product in products:
        np.testing.assert_allclose(np.array(product), np.array(symmetric), atol=1e-3)


def test_more_threads_than_the_system_allows_are_refused() -> None:
    code = (
        "import mlxc as mx, resource\n"
        "mx.set_num_threads(2)\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 32, 1 << 32))\n"
        "try:\n"
        "    mx.set_num_threads(1000)\n"
        "except RuntimeError as error:\n"
        "    print(error)\n"
        "print(mx.num_threads())\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert re.fullmatch(
        r"set_num_threads: n is 1000, but the system allows \d+ threads\n2\n", done.stdout
    )
