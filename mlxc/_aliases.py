"""Second names, most of them those of the array API standard."""

from __future__ import annotations

from .linalg import norm as matrix_norm
from .ops.arithmetic import arctan2 as atan2
from .ops.arithmetic import power as pow
from .ops.bitwise import left_shift as bitwise_left_shift
from .ops.bitwise import right_shift as bitwise_right_shift
from .ops.create import zeros as empty
from .ops.create import zeros_like as empty_like
from .ops.scan import cumprod as cumulative_prod
from .ops.scan import cumsum as cumulative_sum
from .ops.trigonometry import arccos as acos
from .ops.trigonometry import arccosh as acosh
from .ops.trigonometry import arcsin as asin
from .ops.trigonometry import arcsinh as asinh
from .ops.trigonometry import arctan as atan
from .ops.trigonometry import arctanh as atanh

__all__ = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bitwise_left_shift",
    "bitwise_right_shift",
    "cumulative_prod",
    "cumulative_sum",
    "empty",
    "empty_like",
    "matrix_norm",
    "pow",
]
