"""New arrays: constant, counting, and matrices of ones; choosing, clipping, rounding, comparing."""

from support.differential import lines

NUMBERS = lines("""
0
1
3
-2
5.5
2.0
True
None
'a'
2j
np.int64(3)
np.float32(2.5)
mx.array(3)
""")
TYPES = lines("""
mx.bool_
mx.uint8
mx.int32
mx.int64
mx.float16
mx.bfloat16
mx.float32
mx.float64
mx.complex64
None
'float32'
np.float32
float
""")
CHOICES = lines("""
mx.array([True,False,True])
mx.array([1,0,1])
True
0
None
[True,False,True]
mx.array(1.0)
np.array([True,False,True])
""")
CHOSEN = lines("""
mx.array([1,2,3])
mx.array([1.5,2,3])
1
2.5
True
None
2j
[1,2,3]
np.array([1,2,3])
mx.array([[1],[2]])
mx.array([1,2])
'a'
mx.array(1,mx.int8)
300
""")
ALONE = lines("""
mx.arange()
mx.arange(stop=3)
mx.arange(start=1, stop=3)
mx.arange(0, stop=3, step=2)
mx.arange(3, step=2)
mx.arange(2**31-2, 2**31+2)
mx.arange(10, 0, -3)
mx.arange(0, 1, 0.1)
mx.arange(0.0, 10, 3)
mx.arange(0, 1, 0.3, mx.int32)
mx.arange(3, dtype=mx.int8, stream=mx.cpu)
mx.arange(1, 2, 3, 4)
mx.arange(1, 2, 3, mx.int8, 5)
mx.arange(0, 10, -1)
mx.arange(-3, 3, dtype=mx.uint8)
mx.arange(math.nan)
mx.arange(math.inf)
mx.arange(300, dtype=mx.uint8).shape
mx.arange(1.5, 5, dtype=mx.int32)
mx.linspace(0, 1).shape
mx.linspace(0, 1, 5, False)
mx.linspace(0, 1, num=5, endpoint=False)
mx.linspace(0, 1, 5, mx.float16)
mx.linspace(0, 1, 1, endpoint=False)
mx.linspace(0, 10, 5, dtype=mx.int32)
mx.linspace(start=0, stop=1, num=3)
mx.diagonal(mx.arange(8).reshape(2,2,2), 0, 1, 2)
mx.diagonal(mx.arange(8).reshape(2,2,2), axis1=-1, axis2=0)
mx.diagonal(mx.arange(8).reshape(2,2,2), 0, 1, 1)
mx.diagonal(mx.arange(4))
mx.trace(mx.arange(8).reshape(2,2,2), 0, 1, 2)
mx.trace(mx.ones((2,2), mx.int8))
mx.trace(mx.ones((2,2), mx.int8), dtype=mx.float16)
mx.trace(mx.arange(4))
mx.diag(mx.array(1))
mx.diag(mx.ones((2,2,2)))
mx.tril(mx.arange(3))
mx.triu(mx.ones((2,3,3)), 1)
mx.clip(mx.array([1, 2]), a_min=0)
mx.clip(mx.array([1, 2]), a_min=0, a_max=1)
mx.clip(mx.array([1, 2]))
mx.clip(mx.array([1, 2]), 0)
mx.array([1.567]).round(1)
mx.array([1.567]).round(decimals=2)
mx.nan_to_num(3.0)
""")
FLOATS = ("float16", "float32", "bfloat16", "complex64", "float64")
ROUNDED = ("mx.array([1.567, -2.5, 3.5])", "mx.array([155, 2])", "mx.array([1.5+2.567j])", "2.567")

CASES = [
    *ALONE,
    *(f"mx.arange({a})" for a in NUMBERS),
    *(f"mx.arange({a}, {b})" for a in NUMBERS for b in NUMBERS),
    *(f"mx.arange({a}, {b}, {c})" for a in NUMBERS for b in NUMBERS for c in ("2", "-0.5", "True")),
    *(f"mx.arange(1, 6, 2, {t})" for t in TYPES),
    *(
        f"mx.linspace({a}, {b}, {n})"
        for a in NUMBERS
        for b in NUMBERS
        for n in ("3", "0", "1", "-1")
    ),
    *(f"mx.linspace(0, 5, 4, dtype={t})" for t in TYPES),
    *(
        f"mx.{function}({shape}, {dtype})"
        for function in ("zeros", "ones")
        for shape in ("2", "(2, 1)", "[2]", "()", "0", "(mx.array(2), 1)", "-1")
        for dtype in TYPES
    ),
    *(
        f"mx.full({shape}, {value}{dtype})"
        for shape in ("2", "(2, 1)", "[2]", "()", "0", "(1, 2)", "-1")
        for value in [
            *NUMBERS,
            "mx.array([1, 2])",
            "np.array([1, 2])",
            "mx.array([1.5], mx.bfloat16)",
        ]
        for dtype in ("", ", mx.int8", ", dtype=mx.float16", ", mx.bool_", ", None", ", 'a'")
    ),
    *(
        f"mx.full_like({a}, {value}{dtype})"
        for a in ("mx.array([1, 2])", "mx.array([1.5], mx.float16)")
        for value in NUMBERS
        for dtype in ("", ", mx.int8", ", dtype=mx.float16")
    ),
    *(f"mx.{f}_like(mx.array([1, 2], mx.int8), {t})" for f in ("zeros", "ones") for t in TYPES),
    *(f"mx.eye({a})" for a in NUMBERS),
    *(f"mx.eye(3, {a}, {b})" for a in NUMBERS for b in NUMBERS),
    *(f"mx.{f}(2, dtype={t})" for f in ("eye", "identity", "tri") for t in TYPES),
    *(f"mx.tri({a}, {b}, {c})" for a in "013" for b in ("2", "None") for c in NUMBERS),
    *(
        f"mx.{f}(mx.arange(9).reshape(3, 3), {k})"
        for f in ("tril", "triu", "diag")
        for k in NUMBERS
    ),
    *(f"mx.diag(mx.arange(3), {k})" for k in NUMBERS),
    *(f"mx.{f}({a})" for f in ("bartlett", "blackman", "hamming", "hanning") for a in NUMBERS),
    *(f"mx.where({c}, {x}, {y})" for c in CHOICES for x in CHOSEN for y in CHOSEN),
    *(f"mx.clip({a}, {x}, {y})" for a in CHOSEN[:2] for x in CHOSEN for y in CHOSEN),
    *(f"mx.round({a}{d})" for a in ROUNDED for d in ("", ", 1", ", decimals=-1", ", 0", ", 1.0")),
    *(
        f"mx.nan_to_num(mx.array([math.nan, math.inf, -math.inf, 1], mx.{dtype}){given})"
        for dtype in FLOATS
        for given in ("", ", 5", ", nan=1.0, posinf=2, neginf=3", ", nan=None", ", posinf=None")
    ),
    *(
        f"mx.{function}({a}, {b}{given})"
        for function in ("allclose", "isclose", "array_equal")
        for a in ("mx.array([1.0, 2])", "mx.array([math.nan])", "mx.array([math.inf, 1])")
        for b in ("mx.array([1.0, 2.00001])", "mx.array([math.nan])", "mx.array([math.inf, 1])")
        for given in ("", ", equal_nan=True", ", 1e-1", ", atol=1")
    ),
]
