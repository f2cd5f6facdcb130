"""The BLAS behind matrix products, and the shapes it treats apart."""

import subprocess
import sys

import numpy as np
import pytest
from support.assert_close import assert_close

import mlxc as mx


def in_a_fresh_process(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="macOS has Accelerate")
def test_openblas_is_in_force_and_says_so():
    info = mx.blas_info()

    assert info.provider == "openblas"
    assert "OpenBLAS" in info.config
    assert info.threads >= 1
    assert info.library is not None and info.library.endswith("libscipy_openblas.so")


@pytest.mark.skipif(sys.platform != "linux", reason="macOS has Accelerate")
def test_a_libmlx_loaded_before_keeps_its_blas_and_that_is_told():
    pytest.importorskip("mlx.core")
    code = "import mlx.core, mlxc; i = mlxc.blas_info(); print(i.provider, '|', i.reason)"

    provider, _, reason = in_a_fresh_process(code).partition(" | ")

    assert provider == "reference"
    assert "import mlxc first" in reason


@pytest.mark.parametrize("m", [1, 2, 5])
@pytest.mark.parametrize("a_transposed", [False, True])
@pytest.mark.parametrize("b_transposed", [False, True])
@pytest.mark.parametrize(("n", "k"), [(1, 1), (1, 7), (7, 1), (33, 65)])
def test_products_of_every_layout_are_numpys(m, n, k, a_transposed, b_transposed):
    rng = np.random.default_rng(m * 1000 + n * 10 + k)
    a = rng.standard_normal((k, m) if a_transposed else (m, k), dtype=np.float32)
    b = rng.standard_normal((n, k) if b_transposed else (k, n), dtype=np.float32)
    c = rng.standard_normal((m, n), dtype=np.float32)
    left, right = (
        mx.array(x).T if t else mx.array(x) for x, t in ((a, a_transposed), (b, b_transposed))
    )
    expected = (a.T if a_transposed else a) @ (b.T if b_transposed else b)

    assert_close(left @ right, expected)
    assert_close(mx.addmm(mx.array(c), left, right, alpha=0.5, beta=2.0), 0.5 * expected + 2 * c)


def test_a_row_taken_from_a_matrix_by_stride_multiplies_as_in_numpy():
    a = np.random.default_rng(0).standard_normal((9, 12), dtype=np.float32)

    assert_close(mx.array(a)[:, 3][None] @ mx.array(a), a[:, 3][None] @ a)
