import pytest
from support.assert_close import as_numpy, assert_close
from support.draw import floats

import mlxc as mx
from mlxc.tree import tree_flatten
from mlxrs import nn


def normal(*shape: int) -> mx.array:
    return mx.random.normal(shape, key=mx.random.key(sum(shape)))


def unpacked(layer: nn.QuantizedLinear | nn.QuantizedEmbedding) -> mx.array:
    return mx.dequantize(
        layer.weight,
        layer.scales,
        layer.biases,
        group_size=layer.group_size,
        bits=layer.bits,
        mode=layer.mode,
    )


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("bits", [4, 8])
def test_quantized_linear_multiplies_by_the_unpacked_weight(bits, bias):
    layer, x = nn.Linear(64, 8, bias=bias).to_quantized(32, bits), normal(2, 64)

    expected = as_numpy(x) @ as_numpy(unpacked(layer)).T
    if bias:
        expected = expected + as_numpy(layer.bias)

    assert_close(layer(x), expected)


def test_eight_bits_stay_near_the_dense_layer():
    dense, x = nn.Linear(64, 8), normal(2, 64)

    difference = as_numpy(dense.to_quantized(32, 8)(x)) - as_numpy(dense(x))

    assert abs(difference).max() < 0.02


def test_quantized_embedding_unpacks_the_rows_looked_up():
    layer = nn.Embedding(10, 64).to_quantized(32, 4)

    assert_close(layer(mx.array([[9, 0]])), as_numpy(unpacked(layer))[[[9, 0]]])
    x = normal(2, 64)
    assert_close(layer.as_linear(x), as_numpy(x) @ as_numpy(unpacked(layer)).T)


def test_modes_without_biases_have_none():
    layer, x = nn.Linear(64, 8, bias=False).to_quantized(32, 4, "mxfp4"), normal(2, 64)

    assert [name for name, _ in tree_flatten(layer.parameters())] == ["weight", "scales"]
    assert_close(layer(x), as_numpy(x) @ as_numpy(unpacked(layer)).T)


class Pair(nn.Module):
    def __init__(self):
        self.embed = nn.Embedding(10, 64)
        self.layers = [nn.Linear(64, 64), nn.Linear(64, 8)]
        self.norm = nn.RMSNorm(64)


def test_quantize_swaps_every_layer_that_can_be():
    model = Pair()

    nn.quantize(model, group_size=32, bits=8)

    assert isinstance(model.embed, nn.QuantizedEmbedding)
    assert all(isinstance(layer, nn.QuantizedLinear) for layer in model.layers)
    assert isinstance(model.norm, nn.RMSNorm)


def test_the_predicate_leaves_out_and_overrides():
    model = Pair()
    choices = {"embed": {"bits": 8}, "layers.0": False, "layers.1": True}

    nn.quantize(model, 32, 4, class_predicate=lambda path, _: choices[path])

    assert (model.embed.bits, model.embed.group_size) == (8, 32)
    assert isinstance(model.layers[0], nn.Linear)
    assert model.layers[1].bits == 4


def test_parameters_of_a_quantized_layer_are_the_triple():
    layer = nn.Linear(64, 8, bias=False).to_quantized(32, 4)

    assert [name for name, _ in tree_flatten(layer.parameters())] == ["weight", "scales", "biases"]
    assert repr(layer) == "QuantizedLinear(64, 8, group_size=32, bits=4, mode=affine)"


def test_an_embedding_gives_vectors_of_its_type_without_rounding_them_to_the_scales():
    weight = mx.array(floats((6, 64), seed=9))
    layer = nn.QuantizedEmbedding(weight, 32, 4)
    layer.scales, layer.biases = layer.scales.astype(mx.float16), layer.biases.astype(mx.float16)
    ids = mx.array([0, 5])

    assert layer(ids).dtype == mx.float16
    layer.dtype = mx.float32

    wide = (layer.scales.astype(mx.float32), layer.biases.astype(mx.float32))
    expected = mx.dequantize(layer.weight, *wide, group_size=32, bits=4)
    assert mx.array_equal(layer(ids), expected[ids])
