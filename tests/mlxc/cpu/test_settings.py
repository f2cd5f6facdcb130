"""How the CPU computes can be chosen, and is told."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import numpy as np
import pytest

import mlxc as mx

pytestmark = pytest.mark.native


@pytest.fixture(autouse=True)
def settings() -> Iterator[mx.CpuKernels]:
    before, threads = mx.cpu_kernels(), mx.num_threads()
    yield before
    mx.cpu_kernels(
        before.enabled,
        activations=before.activations,
        instruction_set=before.instruction_set,
    )
    mx.set_num_threads(threads)


def test_what_is_not_given_stays_as_it_is() -> None:
    mx.cpu_kernels(False, activations="int8")

    assert mx.cpu_kernels() == mx.cpu_kernels(False, activations="int8")
    assert not mx.cpu_kernels().enabled
    assert mx.cpu_kernels(activations="float32").activations == "float32"


def test_portable_kernels_run_on_every_processor() -> None:
    assert mx.cpu_kernels(instruction_set="portable").instruction_set == "portable"
    assert not mx.cpu_kernels().int8_dot


def test_unknown_choices_are_refused_and_change_nothing() -> None:
    before = mx.cpu_kernels()
    with pytest.raises(ValueError, match="activations must be one of"):
        mx.cpu_kernels(False, activations="int4")
    with pytest.raises(ValueError, match="instruction_set must be one of"):
        mx.cpu_kernels(False, instruction_set="mmx")
    with pytest.raises(ValueError, match="n must be 1 or more, got 0"):
        mx.set_num_threads(0)
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
