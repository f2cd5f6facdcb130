"""Linear algebra on the CPU, with numpy and the defining equations as oracles."""

import numpy as np
import pytest
from support.assert_close import assert_close

import mlxc as mx

REAL = [mx.float32, mx.float64]
COMPLEX = [*REAL, mx.complex64]
NUMPY = {mx.float32: np.float32, mx.float64: np.float64, mx.complex64: np.complex64}


@pytest.fixture(autouse=True)
def on_the_cpu():
    with mx.stream(mx.cpu):
        yield


def matrix(shape, dtype, seed=1):
    """Well-conditioned random matrices."""
    generator = np.random.default_rng(seed)
    values = generator.normal(size=shape)
    if dtype is mx.complex64:
        values = values + 1j * generator.normal(size=shape)
    return (values + 3 * np.eye(*shape[-2:])).astype(NUMPY[dtype])


def symmetric(shape, dtype, seed=1):
    x = matrix(shape, dtype, seed)
    return x + x.swapaxes(-1, -2).conj()


def definite(shape, dtype, seed=1):
    x = matrix(shape, dtype, seed)
    return x @ x.swapaxes(-1, -2).conj() + np.eye(shape[-1], dtype=x.dtype)


def array(x):
    """An array of the very type of a numpy array."""
    return mx.array(x, mx.float64) if x.dtype == np.float64 else mx.array(x)


def transposed(x):
    return mx.conjugate(mx.swapaxes(x, -1, -2))


def each(dtypes):
    return pytest.mark.parametrize("dtype", dtypes, ids=repr)


# --- norms and products ---


@pytest.mark.parametrize("ord", [None, 0, 1, 2, 3, -1, -2, 0.5, np.inf, -np.inf])
@pytest.mark.parametrize("axis", [0, 1, -1])
@each(REAL)
def test_the_norm_of_vectors_agrees_with_numpy(dtype, ord, axis):
    x = matrix((3, 4), dtype)

    assert_close(mx.linalg.norm(array(x), ord, axis), np.linalg.norm(x, ord, axis))


@pytest.mark.parametrize("ord", [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
@pytest.mark.parametrize("keepdims", [False, True])
@each(REAL)
def test_the_norm_of_matrices_agrees_with_numpy(dtype, ord, keepdims):
    x = matrix((2, 3, 4), dtype)

    result = mx.linalg.norm(array(x), ord, (1, 2), keepdims)

    assert_close(result, np.linalg.norm(x, ord, (1, 2), keepdims))


def test_the_norm_without_axis_is_that_of_the_whole():
    x = matrix((2, 3, 4), mx.float32)

    assert_close(mx.linalg.norm(array(x)), np.linalg.norm(x))
    assert_close(mx.linalg.norm(array(x[0]), 2), np.linalg.norm(x[0], 2))
    assert_close(mx.linalg.norm(array(x[0, 0]), 1), np.linalg.norm(x[0, 0], 1))


@pytest.mark.parametrize(("shape", "ord"), [((3,), "fro"), ((2, 2), "l1"), ((2, 2, 2), 2)])
def test_a_norm_that_does_not_exist_is_refused(shape, ord):
    with pytest.raises(ValueError, match="norm"):
        mx.linalg.norm(mx.ones(shape), ord)


@pytest.mark.parametrize("axis", [0, 1])
def test_the_cross_product_agrees_with_numpy(axis):
    a, b = matrix((3, 3), mx.float32, 1), matrix((3, 3), mx.float32, 2)

    assert_close(mx.linalg.cross(array(a), array(b), axis), np.cross(a, b, axis=axis))


# --- decompositions ---


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5), (2, 4, 3)])
@each(REAL)
def test_qr_multiplies_back(dtype, shape):
    x = array(matrix(shape, dtype))

    q, r = mx.linalg.qr(x)

    assert_close(q @ r, x)
    assert_close(
        transposed(q) @ q,
        np.broadcast_to(np.eye(q.shape[-1]), (*shape[:-2], *[min(shape[-2:])] * 2)),
    )
    assert_close(mx.tril(r, -1), np.zeros(r.shape))


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5), (2, 4, 3)])
@each(COMPLEX)
def test_svd_multiplies_back(dtype, shape):
    x = matrix(shape, dtype)
    k = min(shape[-2:])

    u, s, vt = mx.linalg.svd(array(x))

    assert u.shape[-2:] == (shape[-2],) * 2 and vt.shape[-2:] == (shape[-1],) * 2
    assert_close((u[..., :k] * s[..., None, :]) @ vt[..., :k, :], x)
    assert_close(s, np.linalg.svd(x, compute_uv=False))
    assert_close(mx.linalg.svd(array(x), compute_uv=False), np.linalg.svd(x, compute_uv=False))


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5), (2, 4, 4)])
@each(REAL)
def test_lu_multiplies_back(dtype, shape):
    x = array(matrix(shape, dtype))

    p, lower, upper = mx.linalg.lu(x)

    rows = mx.broadcast_to(mx.expand_dims(p, -1), shape)
    assert_close(mx.take_along_axis(lower @ upper, mx.argsort(rows, -2), -2), x)
    assert_close(mx.triu(lower, 1), np.zeros(lower.shape))
    assert_close(mx.tril(upper, -1), np.zeros(upper.shape))


@each(REAL)
def test_lu_factor_holds_both_triangles(dtype):
    x = matrix((4, 4), dtype)

    compact, pivots = mx.linalg.lu_factor(array(x))

    product = (mx.tril(compact, -1) + mx.eye(4, dtype=dtype)) @ mx.triu(compact)
    for row, other in enumerate(pivots.tolist()):
        x[[row, other]] = x[[other, row]]
    assert_close(product, x)


@pytest.mark.parametrize("upper", [False, True])
@each(REAL)
def test_cholesky_multiplies_back(dtype, upper):
    x = definite((2, 4, 4), dtype)

    factor = mx.linalg.cholesky(array(x), upper)

    assert_close(transposed(factor) @ factor if upper else factor @ transposed(factor), x)
    assert_close(mx.linalg.cholesky_inv(factor, upper) @ array(x), np.stack([np.eye(4)] * 2))


@each(COMPLEX)
def test_eigenvectors_are_scaled_by_their_eigenvalues(dtype):
    x = matrix((2, 4, 4), dtype)

    values, vectors = mx.linalg.eig(array(x))

    assert values.dtype == vectors.dtype == mx.complex64
    assert_close(mx.array(x.astype(np.complex64)) @ vectors, vectors * values[..., None, :])
    for one, other in zip(np.array(mx.linalg.eigvals(array(x))), np.array(values), strict=True):
        np.testing.assert_allclose(np.sort_complex(one), np.sort_complex(other), rtol=1e-3)


@pytest.mark.parametrize("UPLO", ["L", "U"])
@each(COMPLEX)
def test_eigenvalues_of_symmetric_matrices_agree_with_numpy(dtype, UPLO):
    x = symmetric((2, 4, 4), dtype)

    values, vectors = mx.linalg.eigh(array(x), UPLO)

    assert_close(values, np.linalg.eigvalsh(x, UPLO))
    assert_close(mx.linalg.eigvalsh(array(x), UPLO), np.linalg.eigvalsh(x, UPLO))
    assert_close(array(x) @ vectors, vectors * values[..., None, :])


@pytest.mark.native  # MLX < 0.32 reads the other
def test_only_the_named_triangle_is_read():
    x = symmetric((3, 3), mx.float32)

    assert_close(mx.linalg.eigvalsh(array(np.tril(x))), np.linalg.eigvalsh(x))
    assert_close(mx.linalg.eigvalsh(array(np.triu(x)), "U"), np.linalg.eigvalsh(x))


def test_another_triangle_is_refused():
    with pytest.raises(ValueError, match="UPLO must be 'L' .* 'X'"):
        mx.linalg.eigh(mx.eye(2), "X")


# --- inverses and solutions ---


@each(REAL)
def test_inverses_multiply_to_the_identity(dtype):
    x = array(matrix((2, 4, 4), dtype))

    assert_close(mx.linalg.inv(x) @ x, np.stack([np.eye(4)] * 2))


@pytest.mark.parametrize("upper", [False, True])
@each(REAL)
def test_the_inverse_of_a_triangle_agrees_with_numpy(dtype, upper):
    x = (np.triu if upper else np.tril)(matrix((2, 4, 4), dtype))

    assert_close(mx.linalg.tri_inv(array(x), upper), np.linalg.inv(x))


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5)])
@each(REAL)
def test_the_pseudo_inverse_agrees_with_numpy(dtype, shape):
    x = matrix(shape, dtype)

    assert_close(mx.linalg.pinv(array(x)), np.linalg.pinv(x))


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 3)])
@each(REAL)
def test_solutions_agree_with_numpy(dtype, shape):
    a, b = matrix((4, 4), dtype, 1), np.ones(shape, NUMPY[dtype])
    triangle = np.tril(a)

    assert_close(mx.linalg.solve(array(a), array(b)), np.linalg.solve(a, b))
    result = mx.linalg.solve_triangular(array(triangle), array(b))
    assert_close(result, np.linalg.solve(triangle, b))


@each(REAL)
def test_determinants_agree_with_numpy(dtype):
    x = matrix((6, 4, 4), dtype)
    x[::2, [0, 1]] = x[::2, [1, 0]]
    sign, logarithm = np.linalg.slogdet(x)

    results = mx.linalg.slogdet(array(x))

    assert set(sign) == {-1, 1}
    assert_close(results[0], sign)
    assert_close(results[1], logarithm)
    assert_close(mx.linalg.det(array(x)), np.linalg.det(x))


@pytest.mark.native  # MLX < 0.32 aborts
def test_the_determinant_of_a_singular_matrix_is_zero():
    sign, logarithm = mx.linalg.slogdet(mx.zeros((3, 3)))

    assert (sign.item(), logarithm.item()) == (0, -np.inf)
    assert mx.linalg.det(mx.array([[1, 2], [3, 4]])).item() == pytest.approx(-2)


@pytest.mark.parametrize("name", ["inv", "det", "slogdet", "cholesky", "eig", "eigh"])
def test_matrices_that_are_not_square_are_refused(name):
    with pytest.raises(ValueError, match="square"):
        getattr(mx.linalg, name)(mx.ones((2, 3)))


@pytest.mark.parametrize("name", ["inv", "qr", "lu", "cholesky"])
def test_types_that_lapack_does_not_have_are_refused(name):
    with pytest.raises(ValueError, match="float16"):
        getattr(mx.linalg, name)(mx.eye(2, dtype=mx.float16))


@pytest.mark.parametrize(
    "name", ["inv", "tri_inv", "cholesky_inv", "lu", "lu_factor", "solve", "solve_triangular"]
)
def test_matrices_without_elements_are_refused(name):
    """MLX would divide by their size."""
    more = [mx.zeros((0,))] if name.startswith("solve") else []

    with pytest.raises(ValueError, match="rows and columns"):
        getattr(mx.linalg, name)(mx.zeros((0, 0)), *more)


@pytest.mark.native
@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_determinants_of_small_matrices_are_vmapped(size):
    x = matrix((2, size, size), mx.float32)

    assert_close(mx.vmap(mx.linalg.det)(array(x)), np.linalg.det(x))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("dtype", COMPLEX)
def test_matrices_that_are_not_finite_have_no_eigenvalues(bad, dtype):
    a = mx.stack([mx.array([[2.0, 0], [0, 3]]), mx.array([[1.0, bad], [2, 2]])]).astype(dtype)

    values, vectors = mx.linalg.eig(a)

    assert values[0].tolist() == [2, 3] and vectors[0].tolist() == [[1, 0], [0, 1]]
    for part in (values[1], vectors[1], mx.linalg.eigvals(a)[1]):
        assert mx.isnan(part).all()
