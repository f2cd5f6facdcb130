"""Fourier transforms: lengths, axes, norms, types, gradients, short pieces."""

from support.differential import lines

SETUP = """\
a = mx.random.normal((4, 6, 5), key=mx.random.key(0))
c = a + 1j * mx.random.normal((4, 6, 5), key=mx.random.key(1))
"""
LINE = lines("""

3
8
None, 0
7, 1
n=4, axis=-2
None, -1, 'ortho'
norm='forward'
norm='backward'
norm='bad'
norm=None
axis=3
axis=-4
n=0
n=-1
n=1
n=2.0
axis=None
0, 1, 'ortho', mx.cpu
n=5, stream=mx.cpu
axis=(0, 1)
""")

SEVERAL = lines("""

[3, 4]
(3, 4), (0, 1)
s=[3], axes=[1]
axes=[0]
axes=[0, 2]
axes=(2, 0)
axes=(-1, -2, -3)
axes=[]
s=[], axes=[]
axes=None
s=None, axes=None
s=[3, 4], axes=None
s=[3, 4, 5], axes=None
s=[3, 4, 5]
s=[3], axes=[0, 1]
axes=[0, 0]
axes=[0, 3]
axes=[-4, 0]
s=[0, 3], axes=[0, 1]
s=[3, 0], axes=[0, 1]
s=[-1, 3], axes=[0, 1]
norm='ortho'
norm='forward'
norm='x'
None, (0, 1), 'ortho', mx.cpu
axes=(1,)
s=(8, 9), axes=(1, 2)
""")

OTHERS = lines("""
mx.fft.fft(mx.array(1.0))
mx.fft.fft(mx.zeros((0,)))
mx.fft.fft(mx.zeros((3, 0)))
mx.fft.fft(mx.zeros((0, 3)))
mx.fft.fft(mx.array([1, 2, 3]))
mx.fft.fft(mx.array([True, False]))
mx.fft.fft(mx.array([1, 2, 3], mx.float16))
mx.fft.fft(mx.array([1, 2, 3], mx.bfloat16))
mx.fft.fft(mx.array([1, 2, 3], mx.float64))
mx.fft.rfft(mx.array([1, 2, 3], mx.float64))
mx.fft.irfft(mx.array([1, 2, 3], mx.float64))
mx.fft.irfft(mx.array([1, 2, 3], mx.int32))
mx.fft.irfft(mx.array([1j]))
mx.fft.irfft(mx.array([1j, 2]), 1)
mx.fft.irfft(mx.array([1j, 2]), n=5)
mx.fft.fft()
mx.fft.fftn(mx.array(1.0))
mx.fft.rfftn(mx.array(1.0))
mx.fft.irfftn(mx.array(1.0))
mx.fft.fft2(mx.arange(4.0))
mx.fft.fft2(mx.array(4.0))
mx.fft.fft(a=mx.ones((2,)))
mx.fft.fftn(mx.zeros((2, 0)))
mx.fft.fftfreq(5)
mx.fft.fftfreq(4, 0.5)
mx.fft.fftfreq(n=4, d=0.1, stream=mx.cpu)
mx.fft.fftfreq(0)
mx.fft.fftfreq(-1)
mx.fft.fftfreq(2.0)
mx.fft.fftfreq(4, 0)
mx.fft.fftfreq(4, 0.0)
mx.fft.fftfreq(1)
mx.fft.rfftfreq(5)
mx.fft.rfftfreq(4, 0.5)
mx.fft.rfftfreq(1)
mx.fft.rfftfreq(0)
mx.fft.rfftfreq(-1)
mx.fft.rfftfreq(4, 0)
mx.fft.fftshift(mx.arange(5))
mx.fft.fftshift(mx.arange(6).reshape(2, 3))
mx.fft.fftshift(mx.arange(6).reshape(2, 3), 0)
mx.fft.fftshift(mx.arange(6).reshape(2, 3), [0])
mx.fft.fftshift(mx.arange(6).reshape(2, 3), axes=[0, 1])
mx.fft.fftshift(mx.arange(6).reshape(2, 3), axes=(-1,))
mx.fft.fftshift(mx.arange(6).reshape(2, 3), axes=[2])
mx.fft.fftshift(mx.arange(6).reshape(2, 3), axes=[-3])
mx.fft.fftshift(mx.arange(6).reshape(2, 3), axes=[])
mx.fft.fftshift(mx.arange(6).reshape(2, 3), axes=[0, 0])
mx.fft.fftshift(mx.array(3))
mx.fft.fftshift(mx.zeros((0,)))
mx.fft.ifftshift(mx.arange(5))
mx.fft.ifftshift(mx.arange(6).reshape(2, 3), [1])
mx.fft.ifftshift(mx.arange(6).reshape(2, 3), axes=[5])
mx.grad(lambda x: mx.abs(mx.fft.fft(x)).sum())(mx.array([1.0, 2, 4, 3]))
mx.grad(lambda x: mx.abs(mx.fft.rfft(x)).square().sum())(mx.array([1.0, 2, 4, 3]))
mx.grad(lambda x: mx.fft.irfft(x).square().sum())(mx.array([1.0 + 1j, 2, 4, 3]))
mx.grad(lambda x: mx.abs(mx.fft.rfft2(x)).square().sum())(mx.arange(9.0).reshape(3, 3))
mx.vjp(mx.fft.rfftn, [mx.arange(6.0).reshape(2, 3)], [mx.ones((2, 2), mx.complex64)])
mx.vjp(mx.fft.irfft, [mx.arange(6.0).reshape(2, 3)], [mx.ones((2, 4))])
mx.vjp(lambda x: mx.fft.fft(x, n=5), [mx.arange(6.0).reshape(2, 3)], [mx.ones((2, 5), mx.complex64)])
mx.jvp(mx.fft.fft, [mx.arange(3.0)], [mx.ones((3,))])
mx.jvp(mx.fft.irfft, [mx.arange(3.0)], [mx.ones((3,))])
mx.jvp(mx.fft.rfft, [mx.arange(3.0)], [mx.ones((3,))])
mx.vmap(mx.fft.fft)(mx.arange(6.0).reshape(2, 3))
mx.vmap(mx.fft.fft, in_axes=1)(mx.arange(6.0).reshape(2, 3))
mx.vmap(mx.fft.rfft, in_axes=1, out_axes=1)(mx.arange(6.0).reshape(2, 3))
mx.vmap(mx.fft.fftn)(mx.arange(12.0).reshape(2, 3, 2))
mx.vmap(mx.fft.irfft)(mx.arange(6.0).reshape(2, 3))
mx.compile(mx.fft.fft)(mx.arange(3.0))
mx.compile(lambda x: mx.fft.ifftn(mx.fft.fftn(x)))(mx.arange(6.0).reshape(2, 3))
mx.fft.stft(mx.arange(64.0), n_fft=16)
mx.fft.stft(mx.arange(64.0), 16, 8, 8, mx.ones((8,)), False)
mx.fft.stft(mx.arange(64.0), n_fft=16, pad_mode='edge')
mx.fft.stft(mx.arange(64.0), n_fft=16, pad_mode='constant')
mx.fft.stft(mx.arange(64.0), n_fft=16, pad_mode='zzz')
mx.fft.stft(mx.arange(64.0), n_fft=16, pad_mode='symmetric')
mx.fft.stft(mx.arange(64.0), n_fft=16, norm='ortho', onesided=False)
mx.fft.stft(mx.arange(64.0), n_fft=16, norm='nope')
mx.fft.stft(mx.arange(64.0).astype(mx.complex64), n_fft=16)
mx.fft.stft(mx.arange(64.0).astype(mx.complex64), n_fft=16, onesided=True)
mx.fft.stft(mx.arange(64.0).reshape(2, 32), n_fft=8, hop_length=4, window=mx.hanning(8))
mx.fft.stft(mx.arange(64.0).reshape(2, 1, 32), n_fft=8)
mx.fft.stft(mx.arange(64.0), n_fft=16, win_length=20)
mx.fft.stft(mx.arange(64.0), n_fft=16, win_length=8)
mx.fft.stft(mx.arange(64.0), n_fft=16, win_length=8, window=mx.ones((7,)))
mx.fft.stft(mx.arange(64.0), n_fft=16, window=mx.ones((2, 8)))
mx.fft.stft(mx.arange(64.0), n_fft=0)
mx.fft.stft(mx.arange(64.0), n_fft=16, hop_length=0)
mx.fft.stft(mx.arange(64.0), n_fft=16, hop_length=-1)
mx.fft.stft(mx.arange(4.0), n_fft=16)
mx.fft.stft(mx.arange(4.0), n_fft=16, center=False)
mx.fft.stft(mx.array(4.0), n_fft=16)
mx.fft.stft(mx.arange(64.0))
mx.fft.stft(mx.arange(64), n_fft=16)
mx.fft.stft(mx.arange(64, dtype=mx.float16), n_fft=16)
mx.fft.stft(mx.arange(64.0), n_fft=16, window='hann')
mx.fft.istft(mx.fft.stft(mx.arange(64.0), n_fft=16))
mx.fft.istft(mx.fft.stft(mx.arange(64.0), n_fft=16), 16, 4, 16, None, True, 'backward', True, 60)
mx.fft.istft(mx.fft.stft(mx.arange(64.0), n_fft=16), length=70)
mx.fft.istft(mx.fft.stft(mx.arange(64.0), n_fft=16, center=False), center=False)
mx.fft.istft(mx.fft.stft(mx.arange(64.0), n_fft=16, onesided=False), onesided=False)
mx.fft.istft(mx.fft.stft(mx.arange(64.0), n_fft=16, window=mx.hanning(16)), window=mx.hanning(16))
mx.fft.istft(mx.fft.stft(mx.arange(64.0), n_fft=15), n_fft=15)
mx.fft.istft(mx.fft.stft(mx.arange(64.0), n_fft=15), n_fft=18)
mx.fft.istft(mx.ones((9,)), n_fft=16)
mx.fft.istft(mx.ones((9, 4)), n_fft=16)
mx.fft.istft(mx.ones((9, 4)), n_fft=16, norm='x')
mx.fft.istft(mx.ones((9, 4)), n_fft=16, length=0)
mx.fft.istft(mx.ones((9, 4)), n_fft=16, length=-1)
mx.fft.istft(mx.ones((9, 4)), hop_length=0)
mx.fft.istft(mx.ones((2, 9, 4), mx.complex64), norm='ortho')
""")

CASES = [
    *(
        f"{SETUP}mx.fft.{name}({x}, {how})"
        for name in ("fft", "ifft", "rfft", "irfft")
        for x in "ac"
        for how in LINE
    ),
    *(
        f"{SETUP}mx.fft.{name}({x}, {how})"
        for name in ("fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn", "irfftn")
        for x in "ac"
        for how in SEVERAL
    ),
    *OTHERS,
]
