"""Sorts, partitions, reductions and scans along axes, of empty arrays too."""

from support.differential import lines

ARRAYS = lines("""
mx.array([3, 1, 2, 1])
mx.array([[3.5, -1, 2], [0, math.inf, -math.inf]])
mx.array([[True, False], [False, False]])
mx.array([1.5, math.nan, 0.5])
mx.array([2, 1], mx.bfloat16)
mx.array([2j, 1])
mx.array([255, 0, 3], mx.uint8)
mx.array([-128, 127], mx.int8)
mx.array(7)
mx.zeros((0,))
mx.zeros((0, 3))
mx.zeros((2, 0), mx.int32)
mx.zeros((0, 2), mx.bool_)
mx.arange(24).reshape(2, 3, 4).transpose(2, 0, 1)
""")
ORDERS = lines("""
mx.sort({a})
mx.sort({a}, 0)
mx.sort({a}, None)
mx.sort({a}, axis=-1)
mx.sort({a}, 5)
mx.argsort({a})
mx.argsort({a}, None)
mx.argsort({a}, 0)
mx.partition({a}, 1).shape
mx.partition({a}, 5)
mx.partition({a}, -1).shape
mx.partition({a}, -9)
mx.partition({a}, 0, 0).shape
mx.argpartition({a}, 1).shape
mx.argpartition({a}, 1, None).shape
mx.argpartition({a}, 9, 0)
mx.topk({a}, 1)
mx.topk({a}, 2).shape
mx.topk({a}, 1, 0)
mx.topk({a}, 1, None)
mx.topk({a}, 0).shape
mx.topk({a}, -1)
mx.topk({a}, 99)
mx.median({a})
mx.median({a}, 0)
mx.median({a}, (0, 1), True)
""")
REDUCTIONS = (
    "sum",
    "prod",
    "max",
    "min",
    "mean",
    "var",
    "std",
    "all",
    "any",
    "argmax",
    "argmin",
    "logsumexp",
    "softmax",
)
ARGUMENTS = (
    "",
    "0",
    "-1",
    "1",
    "(0, 1)",
    "()",
    "[]",
    "(0, 0)",
    "3",
    "-3",
    "None, True",
    "0, True",
    "2**40",
    "1.5",
    "True",
    "'a'",
)
SCANS = ("cumsum", "cumprod", "cummax", "cummin", "logcumsumexp")
OF_SCANS = (
    "",
    "axis=0",
    "axis=-1",
    "axis=1",
    "axis=7",
    "axis=None",
    "reverse=True",
    "inclusive=False",
    "axis=0, reverse=True, inclusive=False",
)
REST = lines("""
mx.var(mx.arange(4.0), ddof=1)
mx.var(mx.arange(4.0), ddof=4)
mx.var(mx.arange(4.0), ddof=5)
mx.std(mx.arange(4.0), None, False, 1)
mx.std(mx.arange(4), ddof=1)
mx.arange(4.0).var(ddof=2)
mx.softmax(mx.arange(4.0), precise=True)
mx.softmax(mx.arange(4.0, dtype=mx.float16), precise=True)
mx.softmax(mx.arange(4))
mx.searchsorted(mx.arange(4), mx.array([1, 2]))
mx.searchsorted(mx.arange(4), mx.array([1, 2]), side='right')
mx.searchsorted(mx.arange(4), mx.array([1, 2]), side='x')
mx.searchsorted(mx.arange(4), mx.array(1.5))
mx.unique(mx.array([3, 1, 3]))
mx.unique(mx.array([3, 1, 3]), size=5)
mx.histogram(mx.arange(4))
mx.count_nonzero(mx.array([[1, 0], [2, 3]]), 0)
mx.count_nonzero(mx.array([[1, 0], [2, 3]]))
mx.minmax(mx.array([3, 1, 2]))
mx.diff(mx.array([3, 1, 2]))
mx.array([3, 1, 2]).argmax(keepdims=True)
mx.array([3, 1, 2]).argmin(0)
mx.array([[3, 1], [2, 4]]).max([0, 1])
mx.array([[3, 1], [2, 4]]).sum(axis=(0, -1))
mx.array([[3, 1], [2, 4]]).sum(axis=(0, -2))
mx.array([[3, 1], [2, 4]]).sum(mx.array(0))
mx.array([[3, 1], [2, 4]]).all(axis=1)
mx.array([3, 1]).cumsum(0, reverse=True)
mx.array([[3, 1], [2, 4]]).cumsum()
mx.argmax(mx.array([1, math.nan, 3]))
mx.max(mx.array([1, math.nan, 3]))
mx.any(mx.array([math.nan]))
mx.all(mx.array([0.5]))
mx.sum(mx.array([200, 100], mx.uint8))
mx.prod(mx.array([100, 100], mx.int8))
mx.sum(mx.array([True, True]))
mx.mean(mx.array([1, 2], mx.int8))
mx.mean(mx.array([1j]))
mx.max(mx.array([True, False]))
""")

CASES = [
    *(form.format(a=a) for form in ORDERS for a in ARRAYS),
    *(f"mx.{name}({a}, {given})" for name in REDUCTIONS for a in ARRAYS for given in ARGUMENTS),
    *(f"mx.{name}({a}, {given})" for name in SCANS for a in ARRAYS for given in OF_SCANS),
    *REST,
]
