"""Operators and functions of two operands: promotion, Python scalars, what else may stand there."""

from support.differential import lines
from support.same_cases.array_making import DTYPES

OPERATORS = "+ - / // % ** << & < == != @".split()
IN_PLACE = "+ * / // ** >> | @".split()
FUNCTIONS = """
add subtract multiply divide floor_divide remainder power left_shift right_shift bitwise_and
bitwise_or bitwise_xor less less_equal greater greater_equal equal not_equal maximum minimum
logaddexp arctan2 logical_and logical_or logical_xor divmod matmul inner outer kron array_equal
allclose isclose tensordot vecdot
""".split()
OPERANDS = lines("""
True
3
-1
300
2**40
-2**40
2**63
2**70
1.5
float('inf')
1e300
2j
None
'x'
[1, 2]
(1, 2, 3)
np.float32(2)
np.float64(2)
np.int64(2)
np.int8(3)
np.bool_(True)
np.complex64(1j)
np.float16(1)
np.array([1, 2, 3])
np.array([1.5, 2, 3])
np.array(2)
np.array([1, 2, 3], np.int8)
object()
{}
b'a'
Holder()
mx.array([1, 2])
mx.array([[1], [2]])
mx.zeros((0, 3))
""")

MIXED = "add divide floor_divide power maximum left_shift bitwise_and less matmul arctan2".split()
SOME = ("bool_", "uint8", "int32", "uint64", "bfloat16", "complex64")

CASES = [
    *(
        f"mx.{function}(mx.array([3, 2, 1], mx.{a}), mx.array([1, 2, 3], mx.{b}))"
        for function in MIXED
        for a in DTYPES
        for b in DTYPES
    ),
    *(f"mx.array([3, -2, 0], mx.{a}) {o} {x}" for o in OPERATORS for a in SOME for x in OPERANDS),
    *(f"{x} {o} mx.array([3, 2, 1], mx.{a})" for o in OPERATORS for a in SOME for x in OPERANDS),
    *(
        f"a = mx.array([3, 2, 1], mx.{a}); b = a; a {o}= {x}; (a, b is a)"
        for o in IN_PLACE
        for a in SOME
        for x in OPERANDS
    ),
    *(
        f"a = mx.array([3, 2, 1], mx.{a}); a {o}= mx.array([1, 2, 3], mx.{b}); a"
        for o in ("+", "/", "<<")
        for a in SOME
        for b in SOME
    ),
    *(
        f"mx.{function}(mx.array([3, 2, 1], mx.{a}), {x})"
        for function in FUNCTIONS
        for a in ("int32", "bfloat16")
        for x in OPERANDS
    ),
    *(f"mx.{f}({x}, {y})" for f in ("add", "maximum") for x in OPERANDS for y in OPERANDS),
]
