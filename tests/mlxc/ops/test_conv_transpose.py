"""Transposed convolutions, with the convolutions they are adjoint to as the oracle."""

import numpy as np
import pytest
from support.assert_close import assert_close
from support.draw import floats

import mlxc as mx


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_a_transposed_convolution_is_the_adjoint(ndim):
    x = floats((1, *[7] * ndim, 3), seed=1)
    w = floats((4, *[3] * ndim, 3), seed=2)
    forward = [mx.conv1d, mx.conv2d, mx.conv3d][ndim - 1]
    backward = [mx.conv_transpose1d, mx.conv_transpose2d, mx.conv_transpose3d][ndim - 1]

    y = forward(mx.array(x), mx.array(w), 2, 1)
    g = floats(y.shape, seed=3)
    back = backward(mx.array(g), mx.array(w.swapaxes(0, -1)), 2, 1)

    # <conv(x), g> = <x, conv_transpose(g)>
    assert back.shape == x.shape
    assert_close(mx.sum(y * mx.array(g)), np.sum(np.array(back) * x))


def test_output_padding_adds_at_the_far_end():
    x, w = mx.ones((1, 3, 1)), mx.ones((1, 2, 1))

    assert mx.conv_transpose1d(x, w, 2, output_padding=1).shape == (1, 7, 1)
    assert mx.conv_transpose2d(
        mx.ones((1, 3, 3, 1)), mx.ones((1, 2, 2, 1)), 2, output_padding=(1, 0)
    ).shape == (1, 7, 6, 1)
