"""What data types say of themselves, how they compare, and how arrays are printed."""

from itertools import product

from support.differential import lines, programs

TYPES = (
    "bool_",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "float32",
    "float64",
    "bfloat16",
    "complex64",
)
CATEGORIES = (
    "complexfloating",
    "floating",
    "inexact",
    "signedinteger",
    "unsignedinteger",
    "integer",
    "number",
    "generic",
)
OTHERS = ("int", "None", "'float32'", "np.float32", "1", "mx.array(1)", "mx.float32.size", "mx.cpu")
OF_ONE = lines("""
mx.{t}.size
str(mx.{t})
repr(mx.{t})
f'{{mx.{t}}}'
mx.{t} == mx.{t}
mx.{t} != mx.{t}
mx.{t} == mx.array(1, mx.{t}).dtype
mx.{t} == 'mlx.core.{t}'
mx.{t} == np.dtype('f4')
mx.{t} == None
mx.{t} < mx.int32
hash(mx.{t}) == hash(mx.array(1, mx.{t}).dtype)
{{mx.{t}: 1}}[mx.array(1, mx.{t}).dtype]
type(mx.{t}).__name__
isinstance(mx.{t}, mx.Dtype)
mx.{t}.name
mx.{t}.itemsize
mx.{t}.kind
mx.{t}(1)
copy(mx.{t}) == mx.{t}
deepcopy(mx.{t}) == mx.{t}
pickle.loads(pickle.dumps(mx.{t})) == mx.{t}
bool(mx.{t})
mx.zeros(2, mx.{t})
mx.ones((2, 2), mx.{t})
mx.array([0, 1, 100], mx.{t})
mx.arange(3, dtype=mx.{t})
mx.array(3).astype(mx.{t}).item()
mx.finfo(mx.{t})
mx.iinfo(mx.{t})
mx.finfo(mx.{t}).max
mx.iinfo(mx.{t}).min
mx.finfo(mx.{t}).bits
mx.finfo(mx.{t}).eps
mx.finfo(mx.{t}).smallest_normal
mx.isdtype(mx.{t}, 'numeric')
mx.array([1], mx.{t}).itemsize
mx.array([1, 2], mx.{t}).nbytes
memoryview(mx.array([1, 2], mx.{t})).format
memoryview(mx.array([[1, 2]], mx.{t})).shape
memoryview(mx.array([[1, 2]], mx.{t})).strides
memoryview(mx.array([1, 2], mx.{t})).itemsize
memoryview(mx.array([1, 2], mx.{t})).nbytes
bytes(mx.array([1, 2], mx.{t}))
""")
PRINTED = (
    "mx.array([1.5, 1e-7, 1e9])",
    "mx.array([1/3, 2/3])",
    "mx.array([1/3], mx.float16)",
    "mx.array([1/3+1j])",
    "mx.arange(2000)",
    "mx.ones((100, 100))",
    "mx.array(math.pi)",
    "mx.array([1, 2])",
    "mx.zeros((2, 0))",
    "mx.array([True])",
    "mx.array([math.nan, math.inf])",
    "mx.ones((2, 2, 8))",
    "mx.array(1/3, mx.bfloat16)",
)
PROGRAMS = programs("""
o = mx.get_printoptions()
o.precision, type(o).__name__

mx.set_printoptions(precision=3)
r = repr(mx.array([1/3]))
mx.set_printoptions()
r, mx.get_printoptions().precision

mx.set_printoptions(2)
r = repr(mx.array([1/3]))
mx.set_printoptions(precision=-1)
r

with mx.printoptions(precision=2) as p:
    inside = repr(mx.array([1/3])), type(p).__name__
inside, repr(mx.array([1/3]))

answers(lambda: mx.set_printoptions(precision='a'), lambda: mx.set_printoptions(1.5), lambda: mx.set_printoptions(threshold=3))

o = mx.PrintOptions()
o.precision = 4
o.precision, mx.PrintOptions(3).precision, mx.PrintOptions(precision=2).precision

answers(lambda: mx.issubdtype(mx.float32), lambda: mx.issubdtype('a', mx.floating), lambda: mx.issubdtype(mx.float32, 'a'))

[mx.Dtype, mx.DtypeCategory] == [type(mx.float32), type(mx.floating)]

answers(lambda: mx.Dtype(), lambda: mx.Dtype('float32'), lambda: mx.DtypeCategory('floating'), lambda: mx.DtypeCategory(1))

[c.name for c in mx.DtypeCategory], [c.value for c in mx.DtypeCategory]

repr(mx.floating), str(mx.floating), mx.floating == mx.DtypeCategory.floating, mx.floating is mx.DtypeCategory.floating, hash(mx.floating) == hash(mx.floating)

a = mx.array([1, 2])
a == None

a = mx.array([1, 2])
a != None

a = mx.array([1, 2])
a == 'a', a != 'a', a == [1, 2], a == (1, 2), a == {}, a == object

a = mx.arange(3)
a[...] = 2.7
a

a = mx.arange(3)
a[None] = mx.array([1.5, 2.5, 3.5])
a

a = mx.arange(3)
a[:] = 2.7
a

a = mx.arange(3)
a[1] = 2.7
a

a = mx.arange(4)
a.at[0].multiply(1.5), a.at[0].add(1.5)

a = mx.array([4.0, 9.0])
a.at[1].divide(2), a.at[0].divide(mx.array(8)), a.at[:].divide(0)

mx.array([1j, 0, 1]).astype(mx.bool_), bool(mx.array(1j)), mx.array([1j]).any(), mx.array(1j, mx.bool_)
""")

CASES = [
    *(form.format(t=t) for form in OF_ONE for t in TYPES),
    *(f"mx.{c}.size" for c in CATEGORIES),
    *(
        f"mx.{one} == mx.{other}, mx.{one} != mx.{other}"
        for one, other in product((*TYPES, *CATEGORIES), repeat=2)
    ),
    *(
        f"mx.issubdtype(mx.{one}, mx.{other})"
        for one, other in product((*TYPES, *CATEGORIES), repeat=2)
    ),
    *(f"mx.result_type(mx.{one}, mx.{other})" for one, other in product(TYPES, TYPES)),
    *(f"mx.result_type({other})" for other in ("'a'", "None", "[1]", "mx.int8, object()")),
    *(f"mx.can_cast(mx.{one}, mx.{other})" for one, other in product(TYPES, TYPES)),
    *(f"mx.float32 == {other}, {other} == mx.float32, mx.float32 != {other}" for other in OTHERS),
    *(f"mx.issubdtype(mx.float32, {other})" for other in OTHERS),
    *(f"mx.issubdtype({other}, mx.floating)" for other in OTHERS),
    *(f"repr({a})" for a in PRINTED),
    *(f"str({a})" for a in PRINTED),
    *(
        f"mx.set_printoptions({p})\nr = repr({a})\nmx.set_printoptions(-1)\nr"
        for a in PRINTED
        for p in (0, 1, 3, 10)
    ),
    *(f"'{{:.3f}} {{}} {{!r}}'.format(*[{a}] * 3)" for a in PRINTED),
    *PROGRAMS,
]
