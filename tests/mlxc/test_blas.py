"""The BLAS behind matrix products, and the shapes it treats apart."""

import ctypes
import subprocess
import sys

import numpy as np
import pytest
from support.assert_close import assert_close

import mlxc as mx

NUMPY_PRODUCTS = """
import numpy as np
draw = np.random.default_rng(0).standard_normal
for m, n, k in (11, 37, 672), (3, 37, 672), (100, 100, 64):
    print(*(draw((m, k)) @ draw((n, k)).T).flat)
"""


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


@pytest.mark.skipif(sys.platform != "linux", reason="macOS has Accelerate")
@pytest.mark.parametrize(
    "name", ["scipy_openblas_get_config", "scipy_cblas_dgemm", "dlaqz0_", "cblas_strsm", "dgemm_"]
)
def test_libraries_loaded_later_do_not_find_what_libmlx_does_not_call(name):
    code = f"import ctypes, mlxc; print(hasattr(ctypes.CDLL(None), {name!r}))"

    assert in_a_fresh_process(code) == "False"


@pytest.mark.skipif(sys.platform != "linux", reason="macOS has Accelerate")
@pytest.mark.parametrize("name", ["scipy_openblas_get_config", "scipy_cblas_dgemm", "dlaqz0_"])
def test_openblas_exports_the_names_that_are_not_to_be_found(name):
    assert hasattr(ctypes.CDLL(mx.blas_info().library), name)


def test_numpys_products_are_the_same_when_numpy_is_imported_after_mlxc():
    alone, after = (
        np.array(in_a_fresh_process(f"{first}\n{NUMPY_PRODUCTS}").split(), np.float64)
        for first in ("", "import mlxc")
    )

    assert len(alone) == 11 * 37 + 3 * 37 + 100 * 100
    np.testing.assert_allclose(after, alone, rtol=1e-10, atol=1e-10)


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
