"""Reading and writing parts of arrays: `a[key]`, `a[key] = value`, `a.at[key].add(value)`."""

from support.differential import lines

UPDATES = "add subtract multiply divide maximum minimum".split()
ARRAYS = lines("""
mx.arange(24).reshape(2,3,4)
mx.arange(5)
mx.array(7)
mx.zeros((0,3))
""")
KEYS = lines("""
0
1
-1
2
-2
5
-6
True
False
None
...
()
slice(None)
slice(1,None)
slice(None,-1)
slice(None,None,-1)
slice(5,0,-2)
slice(-1,-10,-1)
slice(10,20)
slice(2,1)
slice(0,3,2)
slice(np.int64(0),np.int64(2))
slice(mx.array(0),mx.array(2))
slice(1.0,2)
slice('a')
1.0
'a'
b'a'
[0,1]
[0]
[]
[True,False]
[[0,1],[1,0]]
[0.5]
[None]
['a']
(0,)
(0,1)
(0,...)
(...,0)
(...,None)
(None,...,None)
(None,0)
(0,None)
(slice(None),0)
(slice(None),slice(1),1)
(0,0,0)
(0,0,0,0)
(...,...)
(None,None)
(0,slice(None,None,-1))
(slice(None,None,2),...,slice(1,3))
mx.array(0)
mx.array(-1)
mx.array([0,1])
mx.array([0,1],mx.uint8)
mx.array([[0,1],[1,0]])
mx.array([],mx.int32)
mx.array([1.0])
mx.array(1.0)
mx.array(True)
mx.array([0,-1])
mx.array([0],mx.int64)
np.array([0,1])
np.array(0)
np.int64(1)
np.uint8(1)
np.float32(1)
np.bool_(True)
np.array([True,False])
np.array([1.0])
(mx.array([0,1]),mx.array([0,1]))
(mx.array([0,1]),0)
(0,mx.array([0,1]))
(mx.array([0,1]),slice(None),mx.array([0,1]))
(slice(None),mx.array([0,1]))
(mx.array([[0],[1]]),mx.array([0,1]))
(mx.array([0,1,1]),mx.array([0,1]))
(mx.array([0,1]),None)
(None,mx.array([0,1]))
(mx.array([0,1]),None,mx.array([0,1]))
(...,mx.array([0,1]))
(mx.array([0,1]),...)
(mx.array([0,1]),...,mx.array([0,1]))
([0,1],[1,0])
([0,1],)
(0,[0,1])
(slice(None),[0,1])
(np.array([0,1]),0)
(np.int64(0),np.int64(1))
(mx.array(0),mx.array(1))
(mx.array(0),slice(None))
(slice(None),mx.array(0),slice(None))
(0,slice(None),mx.array([0,1]))
(slice(None,None,-1),mx.array([0,1]))
(slice(0,2,2),mx.array([0,1]),mx.array([1,2]))
(True,0)
(None,True)
('a',0)
(1.0,0)
(0,1.0)
object()
{}
range(2)
{0}
mx.array([True,False])
mx.array([[True,False,True],[False,True,False]])
(slice(None),mx.array([True,False,True]))
(mx.array([True,False]),0)
(0,mx.array([True,False,True]))
2**40
np.int64(-1)
(mx.array([0,1]),slice(1,3),None,1)
(1,None,mx.array([0,2]),None)
(slice(1),None,mx.array([[0,2]]))
""")
VALUES = lines("""
1
2.7
'a'
[1,2]
[]
mx.array(9)
mx.array([9])
mx.array(1.5)
mx.array([[1],[2],[3]])
mx.array([1,2,3])
mx.array([1,2])
2**40
Holder()
""")

CASES = [
    *(f"{a}[{k}]" for a in ARRAYS for k in KEYS),
    *(f"assigned({a}, {k}, {v})" for a in ARRAYS for k in KEYS for v in VALUES),
    *(f"a = {a}; a[{k}] += 1; a" for a in ARRAYS for k in KEYS),
    *(f"{ARRAYS[0]}.astype(mx.float32).at[{k}].{u}(2)" for k in KEYS for u in UPDATES),
    *(f"{ARRAYS[0]}.astype(mx.float32).at[{k}].add(mx.array([2, 3]))" for k in KEYS),
]
