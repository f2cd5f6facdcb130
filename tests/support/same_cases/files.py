"""Files of arrays: formats, names, open files, types, metadata, and what is refused."""

from support.differential import lines, programs

DTYPES = (
    *("bool_", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
    *("float16", "float32", "bfloat16", "complex64"),
)
GGUF_DTYPES = ("int8", "int16", "int32", "float16", "float32")
SHAPES = lines("""
mx.array(3)
mx.zeros((2, 0, 3))
mx.arange(6).reshape(2, 3).T
mx.arange(10)[::3]
mx.broadcast_to(mx.array(1), (2, 2))
mx.ones((1, 1, 1, 2))
""")
METADATA = lines("""
'text'
''
['a', 'b']
mx.array(True)
mx.array(1.5)
mx.array([1, 2], mx.int8)
mx.array([1, 2], mx.int64)
mx.array([1, 2], mx.uint64)
mx.array(1.5, mx.float16)
mx.array(1.5, mx.bfloat16)
""")
LINES = lines("""
mx.save('x', mx.array(1)), mx.load('x.npy')
mx.save('x.npy', arr=mx.array(1)), mx.load('x.npy', format='npy', stream=mx.cpu)
mx.savez('x', mx.array(1), k=mx.array(2)), sorted(mx.load('x.npz'))
mx.savez_compressed('x', k=mx.array(2)), mx.load('x.npz'), dict(np.load('x.npz'))
mx.savez('x'), mx.load('x.npz')
mx.savez('x', mx.array(1), arr_0=mx.array(1))
mx.save_safetensors('x', {'a': mx.array(1)}, {'m': '1'}), mx.load('x.safetensors', return_metadata=True)
mx.save_safetensors('x', {'a': mx.array(1)}), mx.load('x.safetensors', return_metadata=True)
mx.save_safetensors('x', {}), mx.load('x.safetensors')
mx.save_safetensors('x', [mx.array(1)])
mx.save_safetensors('x', {'a': mx.array(1)}, 'm')
mx.save_gguf('x', {'a': mx.array(1.0)}, {'m': 'text'}), mx.load('x.gguf', return_metadata=True)
mx.save_gguf('x', {'a': mx.array(1.0)}), mx.load('x.gguf')
mx.save_gguf('x', [mx.array(1)])
mx.save_gguf('x', {'a': mx.array(1.0)}, 'm')
mx.save('x', mx.array([1, 2])), mx.load('x.npy', return_metadata=True)
mx.savez('x', mx.array([1, 2])), mx.load('x.npz', return_metadata=True)
mx.load('x')
mx.load('missing.foo')
mx.load('')
mx.load(3)
mx.save(3, mx.array(1))
mx.save('x.npy')
mx.save_safetensors('x', {'a': mx.array(1)}), mx.load('x.safetensors', format='bad')
mx.save_safetensors('x', {'a': mx.array(1)}), mx.load('x.safetensors', 'safetensors', False, mx.cpu)
mx.save('x', mx.arange(3)), np.load('x.npy')
np.save('x.npy', np.arange(6).reshape(2, 3).T), mx.load('x.npy')
np.save('x.npy', np.asfortranarray(np.arange(6.0).reshape(2, 3))), mx.load('x.npy')
np.save('x.npy', np.arange(3, dtype='>i4')), mx.load('x.npy')
np.save('x.npy', np.array([None], object)), mx.load('x.npy')
np.save('x.npy', np.array(['a'])), mx.load('x.npy')
np.save('x.npy', np.array([1], np.complex128)), mx.load('x.npy')
""")
PROGRAMS = programs("""
from pathlib import Path
mx.save(Path('p.npy'), mx.arange(3))
mx.load(Path('p.npy'))

from pathlib import Path
mx.save_safetensors(Path('p.safetensors'), {'a': mx.arange(3)})
mx.load(Path('p.safetensors'))

from io import BytesIO
file = BytesIO()
mx.save(file, mx.arange(3))
file.seek(0)
mx.load(file, format='npy')

from io import BytesIO
file = BytesIO()
mx.savez(file, a=mx.arange(3))
file.seek(0)
mx.load(file, format='npz')

from io import BytesIO
file = BytesIO()
mx.save_safetensors(file, {'a': mx.arange(3)}, {'m': '1'})
file.seek(0)
mx.load(file, format='safetensors', return_metadata=True)

with open('o.safetensors', 'wb') as file:
    mx.save_safetensors(file, {'a': mx.arange(3)}, {'m': '1'})
with open('o.safetensors', 'rb') as file:
    loaded = mx.load(file, return_metadata=True)
loaded

a = mx.arange(10.0)
mx.save('x.npy', a)
b = mx.load('x.npy')
mx.save('x.npy', b + 1)
b, mx.load('x.npy')

mx.save_safetensors('x.safetensors', {'a': mx.arange(3), 'b': mx.arange(3) + 1})
d = mx.load('x.safetensors')
d['c'] = d['a'] + d['b']
mx.save_safetensors('x.safetensors', d)
mx.load('x.safetensors')['c'], type(d)
""")

CASES = [
    *(f"mx.save('x', mx.array([0, 1, 3], mx.{t})), mx.load('x.npy')" for t in DTYPES),
    *(f"mx.savez('x', mx.array([0, 1, 3], mx.{t})), mx.load('x.npz')" for t in DTYPES),
    *(
        f"mx.save_safetensors('x', {{'a': mx.array([0, 1, 3], mx.{t})}}), mx.load('x.safetensors')"
        for t in DTYPES
    ),
    *(
        f"mx.save_gguf('x', {{'a': mx.array([0, 1, 3], mx.{t})}}), mx.load('x.gguf')"
        for t in GGUF_DTYPES
    ),
    *(f"mx.save('x', {shape}), mx.load('x.npy')" for shape in SHAPES),
    *(f"mx.savez('x', {shape}), mx.load('x.npz')" for shape in SHAPES),
    *(f"mx.save_safetensors('x', {{'a': {s}}}), mx.load('x.safetensors')" for s in SHAPES),
    *(
        f"mx.save_gguf('x', {{'a': mx.ones((1,))}}, {{'m': {value}}}), "
        "mx.load('x.gguf', return_metadata=True)"
        for value in METADATA
    ),
    *LINES,
    *PROGRAMS,
]
