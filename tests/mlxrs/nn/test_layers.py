"""Each layer against its formula in numpy."""

import math

import numpy as np
import pytest
from support.assert_close import as_numpy, assert_close

import mlxc as mx
from mlxrs import nn
from mlxrs.errors import FormatError, UnsupportedError


def normal(*shape: int) -> mx.array:
    return mx.random.normal(shape, key=mx.random.key(sum(shape)))


@pytest.mark.parametrize("bias", [True, False])
def test_linear_is_x_times_weight_transposed_plus_bias(bias):
    layer, x = nn.Linear(5, 3, bias=bias), normal(2, 4, 5)

    expected = as_numpy(x) @ as_numpy(layer.weight).T
    if bias:
        expected = expected + as_numpy(layer.bias)

    assert_close(layer(x), expected)


def test_linear_starts_within_its_bound():
    weight = as_numpy(nn.Linear(100, 40).weight)

    assert 0.09 < abs(weight).max() <= 0.1


def test_embedding_looks_rows_up():
    layer = nn.Embedding(7, 3)

    assert_close(layer(mx.array([[6, 0], [2, 2]])), as_numpy(layer.weight)[[[6, 0], [2, 2]]])


@pytest.mark.parametrize(("dtype", "given"), [(None, mx.bfloat16), (mx.float32, mx.float32)])
def test_embedding_gives_vectors_of_the_type_it_is_told(dtype, given):
    layer = nn.Embedding(7, 3)
    layer.weight, layer.dtype = layer.weight.astype(mx.bfloat16), dtype

    vectors = layer(mx.array([6, 0]))

    assert vectors.dtype == given
    assert_close(vectors, as_numpy(layer.weight)[[6, 0]])


def test_embedding_as_linear_scores_every_row():
    layer, x = nn.Embedding(7, 3), normal(2, 3)

    assert_close(layer.as_linear(x), as_numpy(x) @ as_numpy(layer.weight).T)


@pytest.mark.parametrize("dtype", [mx.float32, mx.float16, mx.bfloat16])
def test_rms_norm(dtype):
    layer, x = nn.RMSNorm(64, eps=1e-3), normal(2, 3, 64).astype(dtype)
    layer.weight = normal(64).astype(dtype)

    values = as_numpy(x)
    root = np.sqrt((values**2).mean(-1, keepdims=True) + 1e-3)

    assert_close(layer(x), values / root * as_numpy(layer.weight))


@pytest.mark.parametrize("affine, bias", [(True, True), (True, False), (False, True)])
def test_layer_norm(affine, bias):
    layer, x = nn.LayerNorm(16, eps=1e-3, affine=affine, bias=bias), normal(2, 3, 16)
    expected = as_numpy(x)
    expected = expected - expected.mean(-1, keepdims=True)
    expected = expected / np.sqrt((expected**2).mean(-1, keepdims=True) + 1e-3)
    if affine:
        layer.weight = normal(16)
        expected = expected * as_numpy(layer.weight)
    if affine and bias:
        layer.bias = normal(16) + 1
        expected = expected + as_numpy(layer.bias)

    assert_close(layer(x), expected)


GRID = np.linspace(-6, 6, 101, dtype=np.float32)


@pytest.mark.parametrize(
    "activation, formula",
    [
        (nn.relu, lambda x: max(x, 0.0)),
        (nn.silu, lambda x: x / (1 + math.exp(-x))),
        (nn.gelu, lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2),
        (nn.gelu_fast_approx, lambda x: x / (1 + math.exp(-1.702 * x))),
    ],
)
def test_activation_is_its_formula(activation, formula):
    assert_close(activation(mx.array(GRID)), np.array([formula(float(x)) for x in GRID]))


def test_gelu_approx_stays_near_gelu():
    difference = as_numpy(nn.gelu_approx(mx.array(GRID))) - as_numpy(nn.gelu(mx.array(GRID)))

    assert 1e-5 < abs(difference).max() < 5e-4


@pytest.mark.parametrize("activation", [nn.relu, nn.silu, nn.gelu, nn.gelu_approx])
def test_activation_keeps_half_precision(activation):
    assert activation(mx.array([1.0], dtype=mx.float16)).dtype == mx.float16


def rotated(x: np.ndarray, offset: int, angle_of, traditional: bool) -> np.ndarray:
    """Rotate the pairs of `x` (B, H, L, D) by `angle_of(position, pair)`, one at a time."""
    out, dims = x.copy(), x.shape[-1]
    for position in range(x.shape[2]):
        for pair in range(dims // 2):
            i, j = (2 * pair, 2 * pair + 1) if traditional else (pair, pair + dims // 2)
            angle = angle_of(position + offset, pair)
            a, b = x[:, :, position, i], x[:, :, position, j]
            out[:, :, position, i] = a * math.cos(angle) - b * math.sin(angle)
            out[:, :, position, j] = a * math.sin(angle) + b * math.cos(angle)
    return out


@pytest.mark.parametrize("traditional", [False, True])
def test_rope_turns_pair_i_by_position_over_base_to_the_i(traditional):
    x = normal(1, 2, 5, 8)

    actual = nn.initialize_rope(8, 100.0, traditional)(x, offset=3)

    assert_close(actual, rotated(as_numpy(x), 3, lambda p, i: p / 100 ** (i / 4), traditional))


@pytest.mark.parametrize("key", ["type", "rope_type"])
def test_linear_scaling_divides_positions_by_the_factor(key):
    x = normal(1, 2, 5, 8)

    actual = nn.initialize_rope(8, 100.0, scaling_config={key: "linear", "factor": 4.0})(x, 3)

    assert_close(actual, rotated(as_numpy(x), 3, lambda p, i: p / 4 / 100 ** (i / 4), False))


LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}


def llama3_frequency(pair: int, dims: int, base: float) -> float:
    """The rule in wavelengths, as the model's authors published it."""
    frequency = base ** (-2 * pair / dims)
    wavelength = 2 * math.pi / frequency
    if wavelength < 64 / 4.0:
        return frequency
    if wavelength > 64 / 1.0:
        return frequency / 8.0
    smooth = (64 / wavelength - 1.0) / (4.0 - 1.0)
    return (1 - smooth) * frequency / 8.0 + smooth * frequency


def test_llama3_scaling_slows_the_low_frequencies():
    x = normal(1, 2, 5, 32)

    actual = nn.initialize_rope(32, 10000.0, scaling_config=LLAMA3)(x, offset=7)

    expected = rotated(
        as_numpy(x), 7, lambda p, i: p * llama3_frequency(i, 32, 10000.0), traditional=False
    )
    assert_close(actual, expected)


def test_unknown_scaling_is_refused_with_the_known_ones():
    with pytest.raises(UnsupportedError, match="'dynamic' is not known; known are default"):
        nn.initialize_rope(8, 100.0, scaling_config={"type": "dynamic", "factor": 2.0})


@pytest.mark.parametrize(
    "change",
    [{"factor": "8"}, {"factor": 0}, {"low_freq_factor": math.nan}, {"high_freq_factor": 1.0}],
)
def test_malformed_scaling_is_refused(change):
    with pytest.raises(FormatError, match="rope_scaling: .*correct config.json"):
        nn.initialize_rope(8, 100.0, scaling_config=LLAMA3 | change)
