"""What arrays become outside, and what Python's own functions make of them."""

from support.differential import lines

VALUES = lines("""
mx.array(3)
mx.array(1.5)
mx.array(True)
mx.array(2j)
mx.array([3])
mx.array([])
mx.array([1, 2])
mx.array([[1.5]])
mx.array(3, mx.uint8)
mx.array(1.5, mx.bfloat16)
mx.array(math.nan)
mx.array(math.inf)
mx.array([1.5, 2], mx.bfloat16)
mx.array(1.5, mx.float16)
mx.array(1.5, mx.float64)
mx.array(-3)
mx.array(0)
mx.array(2**63, mx.uint64)
mx.zeros((2, 0))
mx.zeros((0, 2))
mx.arange(6).reshape(2, 3).T
mx.array([[1+2j]])
mx.array([True, False])
mx.array([-0.0])
""")
CALLS = lines("""
bool({0})
int({0})
float({0})
complex({0})
{0}.__index__()
operator.index({0})
len({0})
type(hash({0}))
str({0})
repr({0})
format({0})
f'{{{0}:.3f}}'
f'{{{0}:d}}'
'%s' % {0}
'%d' % {0}
'%.2f' % {0}
round({0})
round({0}, 1)
abs({0})
+{0}
-{0}
~{0}
not {0}
list({0})
tuple({0})
sorted({0})
max({0})
sum({0})
any({0})
all({0})
range({0})
list(reversed({0}))
list(enumerate({0}))
dict(zip({0}, {0}))
[1, 2, 3, 4, 5][{0}]
divmod({0}, 2)
divmod(2, {0})
pow({0}, 2)
pow(2, {0})
pow({0}, 2, 3)
math.sqrt({0})
math.floor({0})
math.ceil({0})
math.trunc({0})
math.isnan({0})
chr({0})
hex({0})
bytes({0})
memoryview({0}).tolist()
memoryview({0}).format
memoryview({0}).strides
memoryview({0}).readonly
bytearray({0})
memoryview({0}).shape
memoryview({0}).nbytes
np.array({0})
np.asarray({0})
np.array({0}, copy=False)
np.array({0}, copy=True)
np.array({0}, dtype=np.float64)
np.asarray({0}, dtype=np.int8)
np.array([{0}, {0}])
np.float64({0})
np.sin({0})
np.sum({0})
np.add({0}, {0})
np.add(1.5, {0})
np.stack([{0}, {0}])
np.asarray({0}).flags.writeable
np.asarray({0}).strides
np.isnan({0})
np.zeros(2) + {0}
{0} + np.zeros(2)
np.float64(2) * {0}
{0} * np.float64(2)
np.zeros(2) == {0}
{0} == np.zeros(2)
np.float32(2) < {0}
np.zeros(2) @ {0}
np.dot({0}, {0})
np.from_dlpack({0})
{0}.__array__()
{0}.__array__(np.float32)
{0}.__array__(copy=True)
{0}.__dlpack_device__()
{0}.item()
type({0}.item())
{0}.tolist()
type({0}.tolist())
{0}.__bytes__()
{0}.__getstate__()
pickle.loads(pickle.dumps({0}))
copy({0})
deepcopy({0})
{0} in [1, 2]
3 in {0}
1.5 in {0}
None in {0}
'a' in {0}
[1] in {0}
{0} in {0}
{0}.T
{0}.mT
{0}.real
{0}.imag
{0}.nbytes
{0}.itemsize
{0}.size
{0}.ndim
{0}.shape
type({0}.shape)
{0}.dtype
{0}.strides
{0}.device
{0}.data
{0}.flat
type({0}.at).__name__
{0}.foo
callable({0})
isinstance({0}, mx.array)
bool({0} == None)
bool({0} != None)
{0} is None
{0} == 'a'
{0} != 'a'
{0} < 'a'
{0} and 5
{0} or 5
5 if {0} else 6
[*{0}]
{0} == {0}.tolist()
{0} == ()
{0} != {{}}
{0} < [1]
{0} == ...
{0} == slice(1)
np.array({0}.tolist())
{0}.__eq__(1)
{0}.__add__(1)
{0}.__radd__(1)
{0}.__neg__()
np.testing.assert_array_equal({0}, np.array({0}))
np.allclose({0}, {0})
np.array_equal({0}, {0})
{0}.__len__()
{0}.__next__()
type(iter({0})).__name__
{0}.view(mx.int8)
{0}.view(mx.float64)
{0}.view(mx.int16)
""")

CASES = [call.format(value) for call in CALLS for value in VALUES]
