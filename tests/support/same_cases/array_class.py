"""The array class from all sides: making, becoming, operators, parts, types, printing."""

from support.differential import lines

CASES = lines("""
mx.array([True, 2, 3.5])
mx.array(2**40)
mx.array([[1, 2], [3]])
mx.array(None)
mx.array('x')
mx.array({1: 2})
mx.array([None])
mx.array([1], dtype='float32')
mx.array(np.float64(1)), mx.array(np.int64(1)), mx.array(np.array([1j]))
mx.array([mx.array(1), mx.array(2.5)])
mx.array(Holder()), mx.asarray(Holder()), mx.array([1, 2]) + Holder(), mx.exp(Holder())
mx.asarray(1.5, mx.int32), mx.asarray(b'ab'), mx.asarray([1], copy=True)
mx.asarray([1], copy=False)
mx.asarray(np.array([1, 2]), copy=False)
mx.from_dlpack(np.array([1.0, 2.0])), mx.from_dlpack(np.arange(6).reshape(2, 3).T)
mx.from_dlpack(np.arange(6)[::2], copy=False)
mx.from_dlpack([1])
bytes(mx.array([1, 2], mx.bfloat16)), bytes(mx.arange(4).reshape(2, 2).T)
mx.array([1, 2], mx.bfloat16).__getstate__()
pickle.loads(pickle.dumps(mx.array([1, 2], mx.bfloat16)))
format(mx.array(1.5), '.2f'), format(mx.array([1.5]), ''), f'{mx.array(3):5}'
format(mx.array([1.5]), '.2f')
mx.array(1).__array_namespace__('2023.12')
mx.array(1).__dlpack_device__()
np.from_dlpack(mx.array([1, 2])).flags.writeable
np.array([1, 2]) + mx.array([1, 2]), mx.array([1, 2]) + np.array([1, 2])
np.float32(2) * mx.array([1, 2]), mx.array([1, 2]) * np.float32(2)
[10, 20][mx.array(1)], int(mx.array([1.5])), complex(mx.array(3))
mx.array([1]).__index__()
mx.array(True).__index__()
bool(mx.array([1, 2]))
float(mx.array([1 + 1j]))
len(mx.array(1))
iter(mx.array(1))
list(mx.array([[1, 2], [3, 4]]))
5 in mx.array([1, 2]), mx.array(1) in mx.array([1, 2]), 'x' in mx.array([1, 2])
mx.array([1, 2]) == 'x', mx.array([1, 2]) != 'x'
mx.array([1], mx.int8) + 300
mx.array([1], mx.uint8) - (-1)
mx.array([1], mx.uint32) + 2**31, mx.array([1.0]) + 2**40, mx.array([True]) + 2**40
mx.array([1.0]) & 1
mx.array([1]) << 1.0
mx.array([1]) & True, mx.array([True]) & True, mx.array([True]) & 1
mx.array([1, 2]) @ 2
mx.array([1, 2]) + 'x'
~mx.array([1.5])
mx.array([1, 2]).__itruediv__(2)
mx.array([1.0, 2.0]).__itruediv__(2), mx.array([1, 2]).__isub__(0.5)
mx.array([1]) + None
mx.array([1]).mT
mx.array([1]).astype('float16')
mx.array([5, -5]) // 3, mx.array([5, -5]) % 3, mx.array([5.5, -5.5]) // 2
mx.array([1], mx.int8) + mx.array([1], mx.uint8), mx.array([1], mx.uint8) + 1.5
mx.array([1.5]) + np.array([1, 2]), mx.array([1, 2]) + np.array([1.5, 2.5])
mx.array([1, 2]) + [1, 2]
mx.array([1, 2]) + mx.array([1, 2, 3])
mx.array([1, 2]) == [1, 2], mx.array([1, 2]) != (1, 2)
mx.array([3, 1]).sort()
mx.array([1, 2]).sum(axis=5)
mx.array([]).max()
setattr(mx.array(1), 'foo', 1)
-mx.array([True])
mx.arange(60).reshape(3, 4, 5)[0, :, mx.array([0, 2])]
mx.arange(60).reshape(3, 4, 5)[mx.array([0, 2]), :, 0]
mx.arange(60).reshape(3, 4, 5)[0, mx.array([[0, 2]]), None, 1]
mx.zeros((2, 3))[[]]
mx.zeros((2, 3))['x']
mx.zeros((2, 3))[1.5]
mx.zeros((2, 3))[0.5:1]
mx.zeros((2, 3))[0, 0, 0]
assigned(mx.zeros((2, 3)), mx.array([True, False]), mx.array([1, 2, 3]))
assigned(mx.zeros((2, 3)), mx.array([True, True]), mx.array([[1], [2]]))
assigned(mx.zeros((2, 3)), mx.array([False, True]), mx.ones((3, 3)))
assigned(mx.zeros((2, 3)), mx.array([True, True]), mx.array([1, 2]))
assigned(mx.zeros((2, 3)), mx.array([[True, False, True]] * 2), mx.array([1, 2, 3, 4]))
assigned(mx.zeros((2, 3)), mx.array([[True, False, True]] * 2), mx.array([1, 2, 3]))
assigned(mx.zeros((2, 3)), mx.array([[True]]), 1)
assigned(mx.zeros((2, 3)), mx.array([[[True]]]), 1)
assigned(mx.zeros((2, 3)), [[True, False, True], [False] * 3], 5)
assigned(mx.zeros((2, 3)), np.bool_(True), 5), assigned(mx.zeros((2, 3)), False, 5)
assigned(mx.array([1, 2]), 0, 2.7), assigned(mx.array([1, 2]), 0, np.float64(3.5))
assigned(mx.array([1, 2]), 0, None)
mx.array([5.0, 6]).at[mx.array([0, 0])].divide(2), mx.array([5, 6]).at[0].add(2.7)
mx.zeros((2, 3)).at[mx.array([0, 0]), 1:].add(mx.array([1, 2]))
mx.zeros((2, 3)).at[1:, ::2].minimum(-4), mx.array(1).at[None].add(1)
mx.array([True, False]).at[0].add(True), mx.array([1, 2]).at[0][1].add(5)
mx.array([5, 6]).at[0].add(mx.array([1, 2, 3]))
mx.array([5, 6]).at.add(1)
mx.ArrayAt(mx.array([1]))
[mx.finfo(t) for t in (mx.float16, mx.bfloat16, mx.float32, mx.float64, mx.complex64)]
[(i.min, i.max, i.eps, i.smallest_normal, i.bits) for i in [mx.finfo(mx.bfloat16)]]
[mx.iinfo(t) for t in (mx.int8, mx.uint8, mx.int64, mx.uint64)]
mx.finfo(mx.int32)
mx.iinfo(mx.bool_)
mx.can_cast(1, mx.float32)
mx.isdtype(mx.float32, 'bogus')
mx.isdtype(mx.float32, mx.floating)
mx.isdtype(1, 'bool')
[mx.can_cast(a, b) for a in (mx.int8, mx.uint8, mx.bfloat16) for b in (mx.int16, mx.float16)]
mx.set_printoptions(3), repr(mx.array([1.23456789, 2])), mx.set_printoptions()
mx.printoptions(precision='x')
mx.__array_namespace_info__().default_dtypes(), mx.__array_namespace_info__().devices()
sorted(mx.__array_namespace_info__().dtypes())
mx.__array_namespace_info__().dtypes(kind='x')
mx.__array_namespace_info__().dtypes(device='cpu')
""")
