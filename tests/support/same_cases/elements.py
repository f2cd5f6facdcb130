"""Functions of each element, reductions and scans: all types, special values, axes, keywords."""

from support.differential import lines
from support.same_cases.array_making import DTYPES

ELEMENTWISE = """
abs arccos arccosh arcsin arcsinh arctan arctanh bitwise_invert ceil conj conjugate cos cosh degrees
erf erfinv exp expm1 floor imag isfinite isinf isnan isneginf isposinf log log10 log1p log2
logical_not negative positive radians real reciprocal round rsqrt sigmoid sign sin sinh sqrt square
stop_gradient tan tanh trunc nan_to_num
""".split()
REDUCTIONS = """
all any sum prod mean var std min max median argmax argmin logsumexp cumsum cumprod cummax cummin
logcumsumexp softmax sort argsort minmax count_nonzero
""".split()
OTHERS = """
unique diff flatten squeeze tril triu diag trace diagonal atleast_1d atleast_2d atleast_3d
zeros_like ones_like transpose contiguous roll repeat tile
""".split()
SPECIAL = "[-1.5, -1, -0.5, -0.0, 0, 0.5, 1, 1.5, 2.5, math.inf, -math.inf, math.nan]"
AXES = lines("""
0
1
-1
2
-4
3
None
(0,)
(0, 1)
[0, -1]
()
[]
(0, 0)
(0, 3)
1.0
'a'
True
mx.array(0)
np.int64(1)
(np.int64(0),)
(0.5,)
np.array([0])
range(2)
""")
KEYWORDS = lines("""
ddof=1
axis=0, ddof=2
reverse=True
axis=1, reverse=True
inclusive=False
axis=1, inclusive=False, reverse=True
precise=True
stream=mx.cpu
stream=None
s=mx.cpu
dtype=mx.int8
dim=0
axes=0
keepdims=None
keepdims='a'
out=None
stream='cpu'
stream=mx.default_stream(mx.cpu)
stream=mx.Device(mx.cpu)
""")
KEEPING = ("", ", keepdims=True")
ALL = [*ELEMENTWISE, *REDUCTIONS, *OTHERS]
CUBE = "mx.arange(24).reshape(2, 3, 4)"

CASES = [
    *(
        f"mx.{function}(mx.array({values}, mx.{dtype}))"
        for function in ALL
        for values in ("[0, 1, 3]", "[]", "[[1, 0], [2, 5]]", "1", "[-128, -7, 0, 127]")
        for dtype in DTYPES
    ),
    *(
        f"mx.{function}(mx.array({SPECIAL}, mx.{dtype}))"
        for function in [*ELEMENTWISE, *REDUCTIONS]
        for dtype in ("float16", "bfloat16", "float32", "float64", "complex64")
    ),
    *(f"mx.{f}({x})" for f in ELEMENTWISE for x in ("1", "True", "1.5", "None", "np.arange(3)")),
    *(
        f"mx.{f}({CUBE}, axis={a}{k})"
        for f in REDUCTIONS
        for a in AXES
        for k in ("", ", keepdims=True")
    ),
    *(
        f"mx.{f}({CUBE}, {a}{k})"
        for f in REDUCTIONS
        for a in AXES
        for k in ("", ", True", ", True, 1")
    ),
    *(f"{CUBE}.{f}({a}{k})" for f in REDUCTIONS for a in AXES for k in KEEPING),
    *(f"mx.{f}({CUBE}, {k})" for f in REDUCTIONS for k in KEYWORDS),
    *(
        f"mx.{function}(mx.zeros({shape}), axis={axis})"
        for function in REDUCTIONS
        for shape in ("(0,)", "(2, 0)", "(0, 2)", "(2, 0, 3)", "()")
        for axis in ("None", "0", "1", "-1", "(0, 1)", "()")
    ),
]
