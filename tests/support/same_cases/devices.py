"""Devices, streams, memory and groups of one process."""

from support.differential import lines, programs

LINES = lines("""
mx.default_device()
mx.default_device() == mx.cpu, mx.cpu == mx.default_device(), mx.default_device() == mx.gpu, mx.default_device() != mx.cpu
mx.Device(mx.cpu), mx.Device(mx.cpu, 0), mx.Device(mx.cpu, 1), mx.Device(mx.gpu, 2)
mx.Device(mx.cpu) == mx.Device(mx.cpu, 1), mx.Device(mx.cpu, 1) == mx.cpu, mx.Device(mx.cpu) == mx.Device(mx.cpu)
mx.Device(3)
mx.Device('cpu')
mx.Device()
mx.Device(type=mx.cpu, index=0)
mx.Device(mx.cpu).type, mx.Device(mx.cpu).type == mx.cpu
mx.cpu.name, mx.cpu.value, int(mx.cpu.value), mx.gpu.value
list(mx.DeviceType), mx.DeviceType.cpu, mx.DeviceType.gpu
mx.DeviceType(0), mx.DeviceType(1)
mx.DeviceType(2)
hash(mx.cpu) == hash(mx.cpu), {mx.cpu: 1}[mx.cpu]
hash(mx.Device(mx.cpu)) == hash(mx.Device(mx.cpu))
mx.default_stream(mx.cpu), mx.default_stream(mx.default_device())
mx.default_stream(mx.Device(mx.cpu))
mx.default_stream()
mx.default_stream(mx.gpu)
mx.default_stream('cpu')
mx.default_stream(mx.cpu) == mx.default_stream(mx.cpu), mx.default_stream(mx.cpu) == mx.new_stream(mx.cpu), mx.default_stream(mx.cpu) == 3
hash(mx.default_stream(mx.cpu)) == hash(mx.default_stream(mx.cpu))
mx.new_stream(mx.cpu).device
mx.new_stream(mx.gpu)
mx.new_stream()
mx.new_stream('a')
mx.set_default_device(mx.cpu), mx.default_device()
mx.set_default_device(mx.Device(mx.cpu)), mx.default_device()
mx.set_default_device(mx.gpu)
mx.set_default_device('cpu')
mx.set_default_device(None)
mx.set_default_stream(mx.default_stream(mx.cpu))
mx.set_default_stream(mx.cpu)
mx.set_default_stream(None)
mx.synchronize()
mx.synchronize(mx.default_stream(mx.cpu))
mx.synchronize(mx.cpu)
mx.synchronize(mx.gpu)
mx.synchronize('a')
mx.is_available(mx.cpu), mx.is_available(mx.gpu)
mx.is_available(mx.Device(mx.cpu))
mx.is_available(3)
mx.device_count(mx.cpu), mx.device_count(mx.gpu)
mx.metal.is_available(), mx.cuda.is_available()
type(mx.stream(mx.cpu)).__name__
mx.stream(3)
mx.stream(None)
mx.stream('a')
mx.stream()
mx.StreamContext(mx.default_stream(mx.cpu)).__enter__()
mx.add(1, 2, stream=mx.cpu), mx.add(1, 2, stream=mx.default_stream(mx.cpu)), mx.add(1, 2, stream=mx.Device(mx.cpu)), mx.add(1, 2, stream=None)
mx.add(1, 2, stream=3)
mx.add(1, 2, stream='cpu')
mx.add(1, 2, stream=mx.gpu)
mx.add(1, 2, stream=mx.Device(mx.gpu))
mx.add(1, 2, stream=mx.Device(mx.cpu, 1))
mx.get_active_memory() >= 0, type(mx.get_active_memory()), type(mx.get_peak_memory()), type(mx.get_cache_memory()), type(mx.get_memory_limit())
mx.set_cache_limit(-1)
mx.set_cache_limit('a')
mx.set_cache_limit(1.5)
mx.set_memory_limit(-1)
mx.set_wired_limit(0)
mx.set_wired_limit(10)
mx.set_wired_limit(-1)
mx.set_wired_limit(limit=0)
mx.clear_cache(), mx.reset_peak_memory(), mx.get_peak_memory()
mx.get_array_buffer_size(mx.ones((10,)))
mx.get_array_buffer_size([mx.ones((10,)), mx.ones((10,))])
mx.get_array_buffer_size({'a': mx.ones((10,))})
mx.get_array_buffer_size()
mx.get_array_buffer_size(3)
mx.distributed.is_available()
mx.distributed.is_available('any'), mx.distributed.is_available('ring'), mx.distributed.is_available('mpi'), mx.distributed.is_available('nccl'), mx.distributed.is_available('jaccl')
mx.distributed.is_available('bad')
mx.distributed.is_available(backend='ring')
mx.distributed.is_available(3)
mx.distributed.init().rank(), mx.distributed.init().size()
mx.distributed.init(strict=False, backend='any').size()
mx.distributed.init(False, 'ring').size()
mx.distributed.init(strict=True)
mx.distributed.init(strict=True, backend='ring')
mx.distributed.init(strict=True, backend='mpi')
mx.distributed.init(backend='mpi').size()
mx.distributed.init(backend='nccl').size()
mx.distributed.init(backend='jaccl').size()
mx.distributed.init(backend='bad')
mx.distributed.init(backend=None)
mx.distributed.init(3).size()
mx.distributed.init().split(0)
mx.distributed.init().split(0, 1)
mx.distributed.init().split(color=0, key=-1)
mx.distributed.init().split('a')
mx.distributed.Group()
mx.distributed.all_sum(mx.ones((2,)))
mx.distributed.all_sum(mx.ones((2,)), group=mx.distributed.init())
mx.distributed.all_sum(mx.ones((2,)), group=None, stream=mx.cpu)
mx.distributed.all_sum(x=mx.ones((2,)))
mx.distributed.all_sum(3)
mx.distributed.all_sum(mx.ones((2,)), group=3)
mx.distributed.all_sum(mx.ones((2,)), mx.distributed.init())
mx.distributed.all_max(mx.ones((2,))), mx.distributed.all_min(mx.ones((2,)))
mx.distributed.all_gather(mx.ones((2,)))
mx.distributed.all_gather(mx.ones((2, 3)))
mx.distributed.all_gather(mx.array(1))
mx.distributed.sum_scatter(mx.ones((2,)))
mx.distributed.sum_scatter(mx.array(1))
mx.distributed.send(mx.ones((2,)), 0)
mx.distributed.send(mx.ones((2,)), 1)
mx.distributed.send(mx.ones((2,)), dst=1, group=mx.distributed.init())
mx.distributed.recv((2,), mx.float32, 0)
mx.distributed.recv([2], mx.float32, 1)
mx.distributed.recv_like(mx.ones((2,)), 0)
mx.distributed.recv_like(mx.ones((2,)), src=1)
mx.vmap(mx.distributed.all_sum)(mx.ones((2, 2)))
mx.grad(lambda x: mx.distributed.all_sum(x).sum())(mx.ones((2, 2)))
mx.grad(lambda x: mx.distributed.all_gather(x).sum())(mx.ones((2, 2)))
mx.new_thread_local_stream(mx.cpu).device
mx.new_thread_local_stream()
mx.new_thread_unsafe_stream(mx.cpu).device
mx.new_thread_unsafe_stream(mx.gpu)
mx.distributed.init(3)
""")

PROGRAMS = programs("""
with mx.stream(mx.cpu) as s:
    r = mx.add(1, 2)
(s, r)

s = mx.new_stream(mx.cpu)
with mx.stream(s):
    a = mx.default_stream(mx.cpu) == s
(a, mx.default_stream(mx.cpu) == s)

s = mx.new_stream(mx.cpu)
attempt(lambda: mx.stream(s)(lambda: 1))

s = mx.new_stream(mx.cpu)
mx.set_default_stream(s)
r = mx.default_stream(mx.cpu) == s
mx.ones((2,)), r

s = mx.new_stream(mx.cpu)
c = mx.stream(s)
with c:
    with c:
        a = mx.default_stream(mx.cpu) == s
    b = mx.default_stream(mx.cpu) == s
(a, b, mx.default_stream(mx.cpu) == s)

s = mx.new_stream(mx.cpu)
try:
    with mx.stream(s):
        raise KeyError
except KeyError:
    pass
mx.default_stream(mx.cpu) == s

mx.reset_peak_memory()
a = mx.ones((1000, 1000)); mx.eval(a)
p = mx.get_peak_memory() >= 4000000
q = mx.get_active_memory() >= 4000000
del a
(p, q, mx.get_cache_memory() >= 0)

@mx.stream(mx.cpu)
def f(): return 1
f()

mx.clear_streams()  # the last one: nothing can be evaluated in mlx.core afterwards
""")

CASES = [*LINES, *PROGRAMS]
