"""What arrays are made of, and the types they take."""

from support.differential import lines, programs

DTYPES = lines("""
bool_
uint8
uint16
uint32
uint64
int8
int16
int32
int64
float16
float32
float64
bfloat16
complex64
""")
SCALARS = lines("""
True
0
-1
3
2**31
-2**31-1
2**40
1.5
1e300
float('nan')
2j
None
'x'
b'ab'
bytearray(b'ab')
object()
{}
{1: 2}
{1, 2}
range(3)
(i for i in range(3))
iter([1])
mx.float32
...
slice(1)
int
lambda: 1
memoryview(b'abc')
np.str_('a')
mx.array(5)
Holder()
np.float16(1.5)
np.float32(1.5)
np.float64(1.5)
np.bool_(True)
np.int8(-3)
np.uint8(3)
np.int64(2**40)
np.uint64(2**63)
np.complex64(1j)
np.complex128(1j)
""")
NUMPY = lines("""
np.arange(6).reshape(2, 3)
np.arange(6).reshape(2, 3).T
np.arange(6)[::2]
np.arange(6)[::-1]
np.arange(6, dtype='>i4')
np.arange(6, dtype='>f8')
np.array([])
np.zeros((0, 3))
np.zeros((2, 0), np.int8)
np.array(5)
np.array('x')
np.array(['a'])
np.array([None])
np.array([1, 'a'], object)
np.array([1, 2], object)
np.array([(1, 2.0)], dtype=[('a', 'i4'), ('b', 'f4')])
np.ma.array([1, 2], mask=[0, 1])
np.matrix([[1, 2]])
np.broadcast_to(np.arange(3), (2, 3))
np.arange(3).astype('S1')
np.array([1, 2], np.longdouble)
np.array(['2020-01-01'], 'M8[D]')
np.array([1+2j])
np.frombuffer(b'abcd', np.uint8)
np.array([1.0, np.nan, np.inf])
np.array([True, False])
np.array([2**63], np.uint64)
np.array([1.5], np.float16)
np.array([[1, 2], [3, 4]], order='F')
np.arange(12).reshape(3, 4)[:, 1]
""")
NESTED = lines("""
[]
()
[[]]
[[], []]
[[[]], [[]]]
[1, 2.5]
[True, 2]
[True, 2.5]
[1, 2j]
[1, 2**31]
[1, 2**40, 1.5]
[[1, 2], [3]]
[[1], 2]
[1, [2]]
[[1, 2], (3, 4)]
[(1, 2), [3, 4]]
((1, 2), (3, 4))
[None]
[1, None]
['a']
[[1], ['a']]
[{}]
[mx.array(1), 2]
[2, mx.array(1)]
[mx.array([1, 2]), [3, 4]]
[mx.array([1, 2]), 3]
[mx.array([1, 2]), mx.array([1.5, 2])]
[mx.array([1, 2]), mx.array([1])]
[[mx.array(1), 2], [3, mx.array(4.5)]]
[[mx.array(1)], [mx.array([1])]]
[mx.array(True), 1]
[mx.array(1, mx.int8), mx.array(1, mx.uint8)]
[mx.array(1, mx.bfloat16), 2.5]
[mx.array([]), mx.array([])]
[[mx.array([1, 2])], [mx.array([3, 4])]]
[mx.array(1), None]
[np.array([1, 2]), np.array([3, 4])]
[np.array([1, 2]), [3, 4]]
[np.float32(1), 2]
[np.float64(1.5), 2]
[np.int64(1), np.int64(2)]
[np.int8(1), 2.5]
[np.bool_(True)]
[np.array(1)]
[np.array(1.5), mx.array(1)]
[Holder()]
[[Holder()], [Holder()]]
[mx.array([1, 2]), np.array([3, 4])]
[range(3)]
[b'a']
[mx.array([1, 2]), (3, 4.5)]
[mx.array([1, 2]), 'a']
[[1, 2], mx.array([3, 4])]
[[1, 2], np.array([3, 4])]
[[[1], [2]], [[3], 4]]
[[], [1]]
[[1], []]
[-2**63, 2**63-1]
[1.5, 2**40]
[1.5, True, 2j]
[float('inf'), float('-inf'), float('nan')]
[1e300, 1]
""")
VALUES = [*SCALARS, *NUMPY, *NESTED]
ALONE = lines("""
mx.array(np.datetime64('2020-01-01'))
mx.array()
mx.array(1, 2)
mx.array(1, None)
mx.array(val=1)
mx.array(1, dtype=mx.int8)
mx.array([1, 2], 'int32')
mx.array([1, 2], np.float32)
mx.array([1, 2], float)
mx.array([1], mx.floating)
mx.array([1], mx.int32, mx.cpu)
mx.array(1, foo=2)
mx.asarray(mx.arange(3), mx.float32, copy=False)
mx.asarray(a=3)
mx.asarray(3, dtype=mx.float32, copy=None)
""")
PROGRAMS = programs("""
a = [1]
a.append(a)
mx.array([[[[1]]]]).shape

a = np.arange(3)
b = mx.array(a)
a[0] = 9
b

a = np.arange(3)
b = mx.asarray(a)
a[0] = 9
b

a = mx.arange(3)
b = mx.array(a)
b[0] = 9
a

a = mx.arange(3)
b = mx.asarray(a)
b is a

a = mx.arange(3)
b = mx.asarray(a, mx.float32)
b is a, b

a = mx.arange(3)
mx.asarray(a, copy=True) is a

a = mx.arange(3)
mx.asarray(a, copy=False) is a

class B:
    def __index__(self):
        return 3
mx.array(B())

class B:
    def __float__(self):
        return 3.5
mx.array(B())

class B(int):
    pass
mx.array(B(3)), mx.array([B(3)])

class B(list):
    pass
mx.array(B([3]))

class B(float):
    pass
mx.array(B(3)), mx.array([B(3)]), mx.array(1) + B(2)

class B:
    def __array__(self, dtype=None, copy=None):
        return np.arange(3)
mx.array(B())

class B:
    def __array__(self):
        return np.arange(3)
mx.array(B()), mx.arange(3) + B()

class B:
    def __mlx_array__(self):
        return 3
mx.array(B())

class B:
    def __mlx_array__(self):
        return mx.arange(3)
mx.array([B(), B()])

class B:
    def __mlx_array__(self):
        raise KeyError
mx.array(B())

class B:
    def __len__(self):
        return 2
    def __getitem__(self, i):
        return i
mx.array(B())

import array
mx.array(array.array('i', [1, 2]))

import array
mx.array(array.array('d', [1, 2]))

import collections
mx.array(collections.deque([1, 2]))

import collections
P = collections.namedtuple('P', 'x y')
mx.array(P(1, 2)), mx.array([P(1, 2), P(3, 4)])

import decimal
mx.array(decimal.Decimal('1.5'))

import fractions
mx.array(fractions.Fraction(1, 2))

import enum
class E(enum.IntEnum):
    A = 3
mx.array(E.A), mx.array([E.A]), mx.arange(3) + E.A
""")

CASES = [
    *(f"mx.array({value})" for value in VALUES),
    *(f"mx.array({value}, mx.{dtype})" for value in VALUES for dtype in DTYPES),
    *(f"mx.asarray({value})" for value in VALUES),
    *(f"mx.asarray({value}, mx.float16)" for value in VALUES),
    *(f"mx.array(mx.array({v}), mx.{t})" for v in ("1.7", "[-1, 300]", "2**40") for t in DTYPES),
    *ALONE,
    *PROGRAMS,
]
