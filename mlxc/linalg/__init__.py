"""Linear algebra: norms, decompositions, inverses and solutions of matrices.

Matrices lie along the last two axes; further axes are a batch. Unless said otherwise they are
float32 or float64. Most functions here run on the CPU only: where the default device is a GPU,
pass `stream=mlxc.cpu`. Every function takes `stream`, the stream or device to run on; None is
the default.
"""

from __future__ import annotations

from ._determinant import det, slogdet
from ._eigen import eig, eigh, eigvals, eigvalsh
from ._factor import cholesky, lu, lu_factor, qr, svd
from ._norm import cross, norm
from ._solve import cholesky_inv, inv, pinv, solve, solve_triangular, tri_inv

__all__ = [
    "cholesky",
    "cholesky_inv",
    "cross",
    "det",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "inv",
    "lu",
    "lu_factor",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "tri_inv",
]
