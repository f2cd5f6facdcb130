"""Products of matrices, with numpy as the oracle."""

import numpy as np
import pytest
from support.assert_close import assert_close
from support.draw import floats, ints

import mlxc as mx

SHAPES = [
    ((2, 3), (3, 4)),
    ((3,), (3, 4)),
    ((2, 3), (3,)),
    ((3,), (3,)),
    ((5, 2, 3), (3, 4)),
    ((5, 1, 2, 3), (4, 3, 2)),
    ((0, 3), (3, 2)),
]


def pair(left, right, seed=1):
    return floats(left, seed), floats(right, seed + 1)


@pytest.mark.parametrize(("left", "right"), SHAPES)
def test_matmul_agrees_with_numpy(left, right):
    x, y = pair(left, right)

    assert_close(mx.matmul(mx.array(x), mx.array(y)), x @ y)


@pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16, mx.float64], ids=repr)
def test_matmul_keeps_the_type(dtype):
    x = floats((16, 16), seed=1)

    with mx.stream(mx.cpu):
        result = mx.matmul(mx.array(x, dtype), mx.eye(16, dtype=dtype))

        assert_close(result, mx.array(x, dtype))


def test_matmul_refuses_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match="matmul"):
        mx.matmul(mx.ones((2, 3)), mx.ones((2, 3)))
    with pytest.raises(ValueError, match="matmul"):
        mx.matmul(mx.ones((2, 3)), mx.array(2.0))


def test_addmm_weighs_product_and_summand():
    x, y = pair((2, 3), (3, 4))
    c = floats((4,), seed=3)

    result = mx.addmm(mx.array(c), mx.array(x), mx.array(y), alpha=0.5, beta=2)

    assert_close(result, 0.5 * (x @ y) + 2 * c)


def test_products_of_vectors_agree_with_numpy():
    x, y = pair((2, 3), (4, 3))

    assert_close(mx.inner(mx.array(x), mx.array(y)), np.inner(x, y))
    assert_close(mx.outer(mx.array(x), mx.array(y)), np.outer(x, y))
    assert_close(mx.kron(mx.array(x), mx.array(y)), np.kron(x, y))
    assert_close(mx.vecdot(mx.array(x), mx.array(y[:2])), np.vecdot(x, y[:2]))
    assert_close(mx.vecdot(mx.array(x), mx.array(y[:2]), axis=0), (x * y[:2]).sum(0))


def test_vecdot_conjugates_its_first_argument():
    z = np.complex64([1 + 2j, 3])

    assert_close(mx.vecdot(mx.array(z), mx.array(z)), np.vdot(z, z))


@pytest.mark.parametrize("axes", [0, 1, 2, ([0, 1], [0, 1]), [[1], [1]], ((0, 1), (1, 0))], ids=str)
def test_tensordot_agrees_with_numpy(axes):
    x, y = pair((3, 3), (3, 3))

    assert_close(mx.tensordot(mx.array(x), mx.array(y), axes), np.tensordot(x, y, axes))


def test_tensordot_refuses_three_lists_of_axes():
    with pytest.raises(ValueError, match="axes must be"):
        mx.tensordot(mx.ones((2, 2)), mx.ones((2, 2)), [[0], [0], [0]])


@pytest.mark.parametrize("subscripts", ["ij,kj->ik", "ij,kj->", "ij,ij->i", "ab,cb->abc"])
def test_einsum_agrees_with_numpy(subscripts):
    x, y = pair((3, 4), (3, 4))

    result = mx.einsum(subscripts, mx.array(x), mx.array(y))

    assert_close(result, np.einsum(subscripts, x, y))


@pytest.mark.parametrize("subscripts", ["abc->ab", "abc->b", "abc,bd->ad", "abc->"])
def test_einsum_over_nothing_is_zero(subscripts):
    operands = [np.zeros((0, 2, 3)).T, np.ones((2, 4))][: subscripts.count(",") + 1]

    result = mx.einsum(subscripts, *(mx.array(operand.T).T for operand in operands))

    assert_close(result, np.einsum(subscripts, *operands))


def test_einsum_refuses_too_few_operands():
    with pytest.raises(ValueError, match="einsum"):
        mx.einsum("ij,jk->ik", mx.ones((2, 2)))


def test_block_masked_mm_leaves_out_blocks():
    x, y = pair((64, 96), (96, 32))
    out, lhs, rhs = (ints(s, seed, 0, 2) for seed, s in enumerate([(2, 1), (2, 3), (3, 1)]))

    def spread(mask):
        return mask.repeat(32, 0).repeat(32, 1)

    masks = (mx.array(mask.astype(bool)) for mask in (out, lhs, rhs))
    result = mx.block_masked_mm(mx.array(x), mx.array(y), 32, *masks)

    assert_close(result, spread(out) * ((x * spread(lhs)) @ (y * spread(rhs))))


def test_gather_mm_multiplies_the_chosen_matrices():
    x, y = pair((4, 2, 3), (5, 3, 6))
    left, right = np.array([0, 3, 1]), np.array([4, 4, 2])

    result = mx.gather_mm(
        mx.array(x),
        mx.array(y),
        mx.array(left.astype(np.uint32)),
        mx.array(right.astype(np.uint32)),
    )

    assert_close(result, x[left] @ y[right])


def test_segmented_mm_multiplies_ranges_of_the_inner_axis():
    x, y = pair((2, 6), (6, 3))
    segments = mx.array([[0, 2], [2, 6]], dtype=mx.uint32)

    result = mx.segmented_mm(mx.array(x), mx.array(y), segments)

    assert_close(result, np.stack([x[:, :2] @ y[:2], x[:, 2:] @ y[2:]]))


@pytest.mark.parametrize("scale", [None, 1.0])
def test_hadamard_transform_multiplies_with_the_hadamard_matrix(scale):
    x = floats((3, 8), seed=1)
    matrix = np.ones((1, 1))
    for _ in range(3):
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])

    result = mx.hadamard_transform(mx.array(x), scale)

    assert_close(result, x @ matrix * (8**-0.5 if scale is None else scale))


def test_a_mask_that_is_no_array_is_named():
    with pytest.raises(TypeError, match="mask_out must be an array or None, got bool"):
        mx.block_masked_mm(mx.ones((32, 32)), mx.ones((32, 32)), 32, True)


@pytest.mark.native
@pytest.mark.parametrize(
    ("subscripts", "shapes", "path"),
    [
        ("ij->ji", [(2, 3)], [(0,)]),
        ("ij,jk->ik", [(2, 3), (3, 4)], [(0, 1)]),
        ("ij,jk,kl->il", [(9, 9), (9, 9), (9, 1)], [(1, 2), (0, 1)]),
        ("ij,jk,kl->il", [(1, 9), (9, 9), (9, 9)], [(0, 1), (0, 1)]),
    ],
)
def test_einsum_path_takes_the_cheaper_products_first(subscripts, shapes, path):
    steps, text = mx.einsum_path(subscripts, *map(mx.ones, shapes))

    assert steps == path
    assert f"Complete contraction:  {subscripts}" in text
    assert "Optimized FLOP count" in text


@pytest.mark.native
def test_einsum_path_refuses_subscripts_that_do_not_fit():
    with pytest.raises(ValueError, match="At least one operand is required"):
        mx.einsum_path("ij")
    with pytest.raises(ValueError, match="does not match number of input subscripts, 2"):
        mx.einsum_path("ij,jk", mx.ones((2, 3)))


def test_nothing_can_be_chosen_from_no_matrices():
    none, chosen = mx.ones((0, 2, 2)), mx.zeros((2,), mx.uint32)

    with pytest.raises(ValueError, match="rhs_indices must be empty or None"):
        mx.gather_mm(mx.ones((2, 2)), none, rhs_indices=chosen)
    with pytest.raises(ValueError, match="lhs_indices must be empty or None"):
        mx.gather_mm(none, mx.ones((2, 2)), lhs_indices=chosen)
    assert mx.gather_mm(none, none).shape == (0, 2, 2)


@pytest.mark.parametrize("shape", [(300, 0), (2, 300, 0)])
def test_an_empty_product_with_a_strided_factor_is_empty(shape):
    a, none = mx.random.normal((400, 600))[:, ::2], mx.zeros(shape)
    expected = (*shape[:-2], 400, 0)

    products = a @ none, mx.matmul(a, none), mx.addmm(mx.zeros((400, 0)), a, none)
    mx.eval(products)

    assert [product.shape for product in products] == [expected] * 3
    assert mx.grad(lambda x: (x @ none).sum())(a).shape == a.shape
