"""Fourier transforms, with numpy's as the oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.assert_close import assert_close
from support.draw import SEEDS, floats

import mlxc as mx

NORMS = st.sampled_from(["backward", "ortho", "forward"])
REAL_FORWARD = {"rfft", "rfft2", "rfftn"}


def signal(name, shape, seed):
    """Real numbers for a real transform, complex ones for the others."""
    a = floats(shape, seed)
    return a if name in REAL_FORWARD else (a + 1j * floats(shape, seed + 1)).astype(np.complex64)


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft"])
@given(
    st.lists(st.integers(2, 6), min_size=1, max_size=3),
    st.none() | st.integers(1, 8),
    st.data(),
    NORMS,
    SEEDS,
)
def test_a_transform_of_one_axis_is_that_of_numpy(name, shape, n, data, norm, seed):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    a = signal(name, tuple(shape), seed)

    result = getattr(mx.fft, name)(mx.array(a), n, axis, norm)

    assert_close(result, getattr(np.fft, name)(a, n, axis, norm))
    assert result.dtype == (mx.float32 if name == "irfft" else mx.complex64)


@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "irfftn"])
@given(st.permutations([0, 1, -1]), st.integers(1, 3), st.booleans(), NORMS, SEEDS)
def test_a_transform_of_several_axes_is_that_of_numpy(name, order, count, cut, norm, seed):
    axes = order[:count]
    s = [3, 6, 2][:count] if cut else None
    a = signal(name, (4, 3, 5), seed)

    result = getattr(mx.fft, name)(mx.array(a), s, axes, norm)

    assert_close(result, getattr(np.fft, name)(a, s, axes, norm))


@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "irfftn"])
def test_without_axes_all_are_transformed(name):
    a = signal(name, (2, 3, 4), 5)

    assert_close(getattr(mx.fft, name)(mx.array(a)), getattr(np.fft, name)(a))


@pytest.mark.parametrize("name", ["fft2", "ifft2", "rfft2", "irfft2"])
@pytest.mark.parametrize("options", [{}, {"s": (3, 6)}, {"axes": [0, 1]}, {"axes": (0, -1)}])
def test_a_transform_of_two_axes_is_that_of_numpy(name, options):
    a = signal(name, (4, 3, 5), 6)

    result = getattr(mx.fft, name)(mx.array(a), **options, norm="ortho")

    assert_close(result, getattr(np.fft, name)(a, **options, norm="ortho"))


@given(st.integers(1, 9), st.sampled_from([1.0, 0.5, 3.0]))
def test_frequencies_are_those_of_numpy(n, d):
    assert_close(mx.fft.fftfreq(n, d), np.fft.fftfreq(n, d))
    assert_close(mx.fft.rfftfreq(n, d), np.fft.rfftfreq(n, d))


@pytest.mark.parametrize("axes", [None, 0, -1, [0, 1], ()])
@pytest.mark.parametrize("name", ["fftshift", "ifftshift"])
def test_a_spectrum_is_shifted_as_by_numpy(name, axes):
    a = np.arange(15, dtype=np.int32).reshape(3, 5)

    result = getattr(mx.fft, name)(mx.array(a), axes)

    assert_close(result, getattr(np.fft, name)(a, axes))


@pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16, mx.int32, mx.bool_])
def test_other_types_become_complex(dtype):
    a = mx.array([1.0, 0.0, 2.0, 1.0]).astype(dtype)

    result = mx.fft.fft(a)

    assert result.dtype == mx.complex64
    assert_close(result, np.fft.fft(np.array(a.astype(mx.float32))))


def test_transforms_have_gradients():
    a = mx.array(floats((6,), 7))

    gradient = mx.grad(lambda x: mx.abs(mx.fft.fft(x)).square().sum())(a)

    assert_close(gradient, 12 * np.array(a))  # Parseval: the sum is n times that of the squares


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda a: mx.fft.fft(a, 0), ValueError, r"Invalid FFT output size requested \(0\)"),
        (lambda a: mx.fft.irfft(a[:1]), ValueError, r"Invalid FFT output size requested \(0\)"),
        (lambda a: mx.fft.fft(a, axis=1), IndexError, "axis 1 is out of bounds"),
        (lambda a: mx.fft.fft2(a), IndexError, "axis -2 is out of bounds"),
        (lambda a: mx.fft.fft(a, norm="half"), ValueError, r"\[fft\] Invalid norm. Expected one"),
        (lambda a: mx.fft.fftn(a, s=[3]), ValueError, "`axes` should not be `None`"),
        (lambda a: mx.fft.fftn(a, [3, 4], [0]), ValueError, "Shape and axes have different sizes"),
        (lambda a: mx.fft.fftn(a, axes=[0, 0]), ValueError, "Duplicated axis"),
        (lambda a: mx.fft.fftfreq(0), ValueError, "`n` must be greater than 0"),
        (lambda a: mx.fft.fftshift(a, 3), IndexError, "Invalid axis 3"),
    ],
)
def test_what_makes_no_sense_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call(mx.ones((8,)))


# --- short-time transforms ---


def naive_stft(x, n_fft, hop, window, center, mode, onesided):
    if center:
        x = np.pad(x, n_fft // 2, mode=mode)
    padded = np.zeros(n_fft)
    start = (n_fft - len(window)) // 2
    padded[start : start + len(window)] = window
    pieces = [x[i : i + n_fft] * padded for i in range(0, len(x) - n_fft + 1, hop)]
    return np.array([(np.fft.rfft if onesided else np.fft.fft)(piece) for piece in pieces]).T


@pytest.mark.native
@pytest.mark.parametrize("mode", ["reflect", "constant", "edge"])
@pytest.mark.parametrize(("n_fft", "hop", "win"), [(8, None, None), (8, 3, 5), (7, 2, 7)])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("onesided", [True, False])
def test_stft_transforms_the_windowed_pieces(mode, n_fft, hop, win, center, onesided):
    x, window = floats((40,), 8), floats((win or n_fft,), 9, 0.5, 1)
    expected = naive_stft(x, n_fft, hop or n_fft // 4, window, center, mode, onesided)

    options = {"hop_length": hop, "win_length": win, "center": center, "pad_mode": mode}
    result = mx.fft.stft(mx.array(x), n_fft, window=mx.array(window), onesided=onesided, **options)

    assert_close(result, expected)


@pytest.mark.native
def test_stft_takes_all_frequencies_of_complex_signals_by_itself():
    x = mx.array(floats((2, 32), 10))

    assert mx.fft.stft(x, 8).shape == (2, 5, 17)
    assert mx.fft.stft(x.astype(mx.complex64), 8).shape == (2, 8, 17)
    assert_close(mx.fft.stft(x.astype(mx.complex64), 8)[:, :5], mx.fft.stft(x, 8))


@pytest.mark.native
@pytest.mark.parametrize("n_fft", [8, 9])
@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
@pytest.mark.parametrize("onesided", [True, False])
def test_istft_gives_the_signal_back(n_fft, norm, onesided):
    x = mx.array(floats((2, 33), 11))
    window = mx.array(np.hanning(n_fft + 2)[1:-1].astype(np.float32))
    options = {"window": window, "norm": norm, "hop_length": 2, "onesided": onesided}

    spectrum = mx.fft.stft(x, n_fft, **options)

    assert_close(mx.fft.istft(spectrum, n_fft, **options, length=33), x)
    assert mx.fft.istft(spectrum, n_fft, **options, length=40).shape == (2, 40)


@pytest.mark.native
@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda a: mx.fft.stft(a, 16, center=False), "Input is too short"),
        (lambda a: mx.fft.stft(a, 4, hop_length=0), "hop_length must be positive"),
        (lambda a: mx.fft.stft(a, 4, win_length=9), "window length must not exceed n_fft"),
        (lambda a: mx.fft.stft(a, 4, pad_mode="wrap"), r"Invalid padding mode \(wrap\)"),
        (lambda a: mx.fft.istft(a), "Input must have at least two dimensions"),
    ],
)
def test_short_time_transforms_refuse_what_makes_no_sense(call, words):
    with pytest.raises(ValueError, match=words):
        call(mx.ones((8,)))


def test_a_short_time_transform_has_a_known_norm():
    with pytest.raises(ValueError, match=r"\[stft\] Invalid norm"):
        mx.fft.stft(mx.ones((8,)), 4, norm="half")
