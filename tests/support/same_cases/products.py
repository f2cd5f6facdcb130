"""Products of matrices: every type and shape, blocks, gathers, segments and Einstein's notation."""

from itertools import product

from support.differential import lines, programs

SHAPES = (
    "()",
    "(3,)",
    "(2, 3)",
    "(3, 2)",
    "(2, 2, 3)",
    "(1, 3, 2)",
    "(0, 3)",
    "(3, 0)",
    "(2, 1, 3, 2)",
)
TYPES = ("float32", "float16", "bfloat16", "int32", "bool_", "complex64", "uint8")
FUNCTIONS = ("matmul", "inner", "outer", "kron", "tensordot", "vecdot", "addmm")
EINSUMS = lines("""
"ij,jk->ik", {m}, {m}
"ij,jk", {m}, {m}
"ij->ji", {m}
"ij", {m}
"ji", {m}
"ii->i", {m}
"ii", {m}
"ii->", {m}
"i,i->", {v}, {v}
"i,j->ij", {v}, {v}
"i->", {v}
"->", mx.array(2.0)
",i->i", mx.array(2.0), {v}
"...j->...", {m}
"...ij,...jk->...ik", {m}, {m}
"i...->i", {m}
"bij,bjk->bik", {t}, {t}
"bij,bkj->bik", {t}, {t}
"bij->b", {t}
"ijk->kji", {t}
"ij,jk,kl->il", {m}, {m}, {m}
"ij,jk,kl,lm->im", {m}, {m}, {m}, {m}
"ij,kl->", {m}, {m}
"ij,ij->ij", {m}, {m}
"i j , j k -> i k", {m}, {m}
"IJ,JK->IK", {m}, {m}
"ij,jk->iz", {m}, {m}
"ij,jk->ii", {m}, {m}
"ijk,jk->ik", {m}, {m}
"ij", {m}, {m}
"ij,jk", {m}
"", mx.array(1.0)
"i1->i", {m}
"ij->ij->ij", {m}
"i->i", {m}
"ij,jk->ik", {m}, {v}
"ij,j->i", {m}, mx.ones(5)
"iji->j", {t}
"a,a,a->a", {v}, {v}, {v}
"ij,ik->jk", {m}, {m}
"ij,jk->ki", {m}, {m}
"ij,jk->ik", {m}.astype(mx.int32), {m}
"ij,jk->ik", {m}.astype(mx.float16), {m}.astype(mx.float16)
""")
OPERANDS = {
    "m": "mx.array([[1.0, 2], [3, 4]])",
    "v": "mx.array([1.0, -2])",
    "t": "mx.arange(8.0).reshape(2, 2, 2)",
}
REST = programs("""
a = mx.arange(6.0).reshape(2, 3)
mx.addmm(mx.ones((2, 2)), a, a.T, alpha=0.5, beta=2.0)

a = mx.arange(6.0).reshape(2, 3)
mx.addmm(mx.ones(2), a, a.T), mx.addmm(mx.array(1.0), a, a.T, 2)

a = mx.arange(6.0).reshape(2, 3)
mx.addmm(mx.ones(3), a, a.T)

a = mx.arange(6.0).reshape(2, 3)
mx.addmm(mx.ones(2, mx.int32), a.astype(mx.float16), a.T, alpha=2, beta=0.0)

a = mx.arange(6.0).reshape(2, 3)
mx.addmm(mx.ones(2), a, mx.ones(3)), mx.addmm(mx.ones(2), mx.ones(3), a.T)

a = mx.arange(6)
mx.addmm(a, a.reshape(1, 6), mx.ones((6, 6), mx.int32))

a = mx.ones((4, 4))
answers(*(lambda k=k: mx.block_masked_mm(a, a, k) for k in (16, 32, 64, 128, 0, -1)))

a, m = mx.arange(64.0 * 64).reshape(64, 64) / 4096, mx.array([[True, False], [False, True]])
r = mx.block_masked_mm(a, a, 32, m)
r.sum(), r[0, 40], mx.block_masked_mm(a, a, 32, m, m, m).sum()

a, m = mx.ones((64, 64)), mx.array([[0.5, 2.0], [1.0, 0.0]])
answers(lambda: mx.block_masked_mm(a, a, 32, m).sum(), lambda: mx.block_masked_mm(a, a, 32, None, m, m).sum())

a, m = mx.ones((64, 64)), mx.ones((3, 3), mx.bool_)
answers(lambda: mx.block_masked_mm(a, a, 32, m), lambda: mx.block_masked_mm(a, a, 32, mask_lhs=m, mask_rhs=m))

a, m = mx.ones((64, 64)), mx.ones((2, 2), mx.int32)
answers(lambda: mx.block_masked_mm(a, a, 32, m), lambda: mx.block_masked_mm(a.astype(mx.int32), a, 32))

a = mx.arange(12.0).reshape(3, 2, 2)
answers(
    lambda: mx.gather_mm(a, a, mx.array([0, 2], mx.uint32), mx.array([1, 1], mx.uint32)),
    lambda: mx.gather_mm(a, a, lhs_indices=mx.array([0, 2], mx.uint32)),
    lambda: mx.gather_mm(a, a, rhs_indices=mx.array([[0], [2]], mx.uint32)),
    lambda: mx.gather_mm(a, a),
    lambda: mx.gather_mm(a, a, rhs_indices=mx.array([0, 2], mx.uint32), sorted_indices=True),
    lambda: mx.gather_mm(a, a, mx.array([0.5])),
    lambda: mx.gather_mm(a, mx.ones(3)),
    lambda: mx.gather_mm(a.astype(mx.int32), a.astype(mx.int32)),
    lambda: mx.gather_mm(mx.ones((2, 3)), mx.ones((2, 3))),
)

a, b = mx.arange(12.0).reshape(2, 6), mx.arange(12.0).reshape(6, 2)
answers(
    lambda: mx.segmented_mm(a, b, mx.array([[0, 2], [2, 6]], mx.uint32)),
    lambda: mx.segmented_mm(a, b, mx.array([[0, 0]], mx.uint32)),
    lambda: mx.segmented_mm(a, b, mx.array([0, 6], mx.uint32)),
    lambda: mx.segmented_mm(a, b, mx.array([[0, 2, 4]], mx.uint32)),
    lambda: mx.segmented_mm(a, b, mx.array([[0.0, 2.0]])),
    lambda: mx.segmented_mm(a, a, mx.array([[0, 2]], mx.uint32)),
    lambda: mx.segmented_mm(a.astype(mx.int32), b.astype(mx.int32), mx.array([[0, 2]], mx.uint32)),
)

a = mx.arange(24.0).reshape(2, 3, 4)
answers(
    lambda: mx.tensordot(a, a, 3), lambda: mx.tensordot(a, a, 0).shape, lambda: mx.tensordot(a, a, -1),
    lambda: mx.tensordot(a, a, ([0, 1], [0, 1])), lambda: mx.tensordot(a, a, ([0], [1])),
    lambda: mx.tensordot(a, a, [[2], [2]]), lambda: mx.tensordot(a, a, 4),
    lambda: mx.tensordot(a, a.T, 1).shape, lambda: mx.tensordot(a, a, axes=((0, 0), (0, 0))),
)

a = mx.arange(8.0)
answers(
    lambda: mx.hadamard_transform(a), lambda: mx.hadamard_transform(a, 1.0), lambda: mx.hadamard_transform(a, scale=0.5),
    lambda: mx.hadamard_transform(mx.arange(12.0)), lambda: mx.hadamard_transform(mx.arange(5.0)),
    lambda: mx.hadamard_transform(mx.arange(8)), lambda: mx.hadamard_transform(mx.array(1.0)),
)

mx.einsum_path("ij,jk,kl->il", mx.ones((2, 9)), mx.ones((9, 9)), mx.ones((9, 1)))

a = mx.ones((2, 2))
answers(lambda: a @ 2, lambda: 2 @ a, lambda: a @ [1, 2], lambda: a @ np.ones((2, 2)), lambda: a @ None)

a = mx.ones((2, 2))
a @= mx.array([[1.0, 2], [3, 4]])
a
""")

CASES = [
    *(
        f"mx.{name}({'mx.array(1.0), ' * (name == 'addmm')}mx.ones({one}), mx.full({other}, 2.0))"
        for name, one, other in product(FUNCTIONS, SHAPES, SHAPES)
    ),
    *(
        f"mx.{name}({'mx.array(1.0), ' * (name == 'addmm')}mx.ones((2, 2), mx.{one}), mx.ones((2, 2), mx.{other}))"
        for name, one, other in product(FUNCTIONS, TYPES, TYPES)
    ),
    *(f"mx.einsum({given.format(**OPERANDS)})" for given in EINSUMS),
    *REST,
]
