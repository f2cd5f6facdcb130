"""Convolutions, with a naive loop as the oracle."""

import itertools

import numpy as np
import pytest
from support.assert_close import assert_close
from support.draw import floats

import mlxc as mx


def convolution(x, w, stride, padding, dilation, groups=1):
    """Every output element as the sum it is, channels last."""
    n = x.ndim - 2
    x = np.pad(x, [(0, 0), *[(p, p) for p in padding], (0, 0)])
    kernel = w.shape[1:-1]
    out = [(x.shape[i + 1] - dilation[i] * (kernel[i] - 1) - 1) // stride[i] + 1 for i in range(n)]
    result = np.zeros((x.shape[0], *out, w.shape[0]), np.float64)
    per_in, per_out = w.shape[-1], w.shape[0] // groups
    for place in itertools.product(*map(range, out)):
        for offset in itertools.product(*map(range, kernel)):
            at = tuple(place[i] * stride[i] + offset[i] * dilation[i] for i in range(n))
            for g in range(groups):
                ins = slice(g * per_in, (g + 1) * per_in)
                outs = slice(g * per_out, (g + 1) * per_out)
                part = x[(slice(None), *at, ins)] @ w[(outs, *offset)].T
                result[(slice(None), *place, outs)] += part
    return result


@pytest.mark.parametrize(("stride", "padding", "dilation"), [(1, 0, 1), (2, 1, 1), (1, 2, 2)])
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_a_convolution_is_the_sum_that_defines_it(ndim, stride, padding, dilation):
    x, w = floats((2, *[6] * ndim, 3), seed=1), floats((4, *[2] * ndim, 3), seed=2)
    conv = [mx.conv1d, mx.conv2d, mx.conv3d][ndim - 1]

    result = conv(mx.array(x), mx.array(w), stride, padding, dilation)

    assert_close(result, convolution(x, w, *([v] * ndim for v in (stride, padding, dilation))))


def test_a_convolution_takes_a_number_for_each_axis():
    x, w = floats((1, 7, 6, 2), seed=1), floats((3, 3, 2, 2), seed=2)

    result = mx.conv2d(mx.array(x), mx.array(w), (2, 1), [0, 1], (1, 2))

    assert_close(result, convolution(x, w, (2, 1), (0, 1), (1, 2)))


def test_groups_divide_the_channels():
    x, w = floats((1, 6, 4), seed=1), floats((6, 3, 2), seed=2)

    result = mx.conv1d(mx.array(x), mx.array(w), groups=2)

    assert_close(result, convolution(x, w, [1], [0], [1], groups=2))


def test_a_number_for_too_many_axes_is_refused():
    with pytest.raises(ValueError, match=r"stride must be one integer or 2, got \(1, 2, 3\)"):
        mx.conv2d(mx.ones((1, 5, 5, 2)), mx.ones((3, 2, 2, 2)), (1, 2, 3))


def test_the_general_convolution_pads_both_ends_apart():
    x, w = floats((1, 6, 2), seed=1), floats((3, 3, 2), seed=2)
    padded = np.pad(x, [(0, 0), (2, 1), (0, 0)])

    result = mx.conv_general(mx.array(x), mx.array(w), padding=([2], [1]))

    assert_close(result, convolution(padded, w, [1], [0], [1]))


def test_the_general_convolution_spreads_its_input_and_flips():
    x, w = floats((1, 4, 2), seed=1), floats((3, 3, 2), seed=2)
    spread = np.zeros((1, 7, 2), np.float32)
    spread[:, ::2] = x

    result = mx.conv_general(mx.array(x), mx.array(w), input_dilation=2, flip=True)

    assert_close(result, convolution(spread, w[:, ::-1], [1], [0], [1]))


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize(("n", "k"), [(5, 1), (5, 2), (5, 3), (3, 5), (4, 4)])
def test_convolve_agrees_with_numpy(mode, n, k):
    a, v = floats((n,), seed=1), floats((k,), seed=2)

    assert_close(mx.convolve(mx.array(a), mx.array(v), mode), np.convolve(a, v, mode))


def test_convolve_refuses_what_is_no_sequence():
    with pytest.raises(ValueError, match="two sequences"):
        mx.convolve(mx.ones((2, 2)), mx.ones((2,)))
    with pytest.raises(ValueError, match="mode must be"):
        mx.convolve(mx.ones((2,)), mx.ones((2,)), "wrap")


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_a_filter_longer_than_the_padded_input_is_refused(stride):
    with pytest.raises(ValueError, match="weight must be no longer than the padded input"):
        mx.conv1d(mx.ones((1, 2, 1)), mx.ones((1, 3, 1)), stride)
    with pytest.raises(ValueError, match="5 meet 4 along axis 2"):
        mx.conv2d(mx.ones((1, 9, 2, 1)), mx.ones((1, 1, 3, 1)), stride, (0, 1), (1, 2))
    with pytest.raises(ValueError, match="along axis 1"):
        mx.conv_general(mx.ones((1, 2, 1)), mx.ones((1, 3, 1)), stride)
    assert mx.conv1d(mx.ones((1, 2, 1)), mx.ones((1, 4, 1)), stride, 1).tolist() == [[[2.0]]]
