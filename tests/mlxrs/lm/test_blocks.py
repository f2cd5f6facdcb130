"""Layers computed at once are those called one by one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.tiny_configs import LLAMA

import mlxc as mx
from mlxc.tree import tree_flatten
from mlxrs import nn
from mlxrs.lm.cache import Cache, KVCache, RotatingKVCache
from mlxrs.lm.models.llama import Model, ModelArgs

CONFIG = LLAMA | {"hidden_size": 64, "intermediate_size": 96, "head_dim": 16}


@pytest.fixture
def model() -> Model:
    model = Model(ModelArgs.from_dict(CONFIG))
    for i, (name, array) in enumerate(tree_flatten(model.parameters())):
        key = mx.random.key(i)
        model.load_weights(
            {name: mx.random.normal(array.shape, key=key) * 0.3 + ("norm" in name)}, strict=False
        )
    nn.quantize(model, group_size=32, bits=4)
    mx.eval(model.parameters())
    return model


def one_by_one(model: Model, x: mx.array, caches: list[Cache]) -> mx.array:
    mask = caches[0].make_mask(x.shape[1])
    for layer, cache in zip(model.layers, caches, strict=True):
        x = layer(x, mask, cache)
    return model.model.norm(x)


def read(model: Model, run: Callable[[mx.array, list[Cache]], mx.array]) -> list[mx.array]:
    """What the layers make of a prompt and two tokens, and what the caches hold then."""
    caches = model.make_cache()
    outputs = [run(mx.array([ids]), caches) for ids in ([3, 1, 4, 1, 5], [9], [2])]
    return [*outputs, *(array for cache in caches for array in cache.state)]


def assert_at_once_is_one_by_one(model: Model) -> None:
    got = read(model, model.model)
    expected = read(
        model, lambda ids, caches: one_by_one(model, model.model.embed_tokens(ids), caches)
    )
    for one, other in zip(got, expected, strict=True):
        assert mx.array_equal(one, other)


def test_layers_at_once_have_the_bits_of_layers_one_by_one(model):
    assert_at_once_is_one_by_one(model)


def test_a_token_is_one_operation_a_layer(model, tmp_path):
    caches = model.make_cache()
    mx.eval(model(mx.array([[3]]), caches))

    mx.export_to_dot(tmp_path / "graph.dot", model(mx.array([[1]]), caches))

    assert (tmp_path / "graph.dot").read_text().count("CpuDecoderLayer") == len(model.layers)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_layer_of_mixed_bits_is_called_and_the_others_are_not(model, place, tmp_path):
    attention = model.layers[place].self_attn
    weight = mx.random.normal((32, 64), key=mx.random.key(99)) * 0.3
    attention.v_proj = nn.QuantizedLinear(weight, None, 32, 8)
    caches = model.make_cache()
    mx.eval(model(mx.array([[3]]), caches))

    mx.export_to_dot(tmp_path / "graph.dot", model(mx.array([[1]]), caches))

    assert (tmp_path / "graph.dot").read_text().count("CpuDecoderLayer") == 2
    assert_at_once_is_one_by_one(model)


def test_as_many_caches_as_layers_are_asked_for(model):
    with pytest.raises(ValueError, match="must be 3 caches"):
        model(mx.array([[3]]), model.make_cache()[:2])


@pytest.mark.parametrize(
    "change",
    [
        lambda layers: setattr(
            layers[1].mlp.gate_proj, "scales", layers[1].mlp.gate_proj.scales * 2
        ),
        lambda layers: layers[1].update({"input_layernorm": {"weight": mx.full((64,), 2.0)}}),
        lambda layers: layers.reverse(),
        lambda layers: layers[0].mlp.down_proj.weight.__setitem__(0, 7),
        lambda layers: setattr(layers[0].self_attn, "rope", nn.RoPE(16, base=100.0)),
    ],
    ids=["a weight", "an update", "the list", "a word", "a layer within"],
)
def test_what_is_changed_after_a_call_counts(model, change):
    before = read(model, model.model)
    mx.eval(before)

    change(model.layers)

    assert_at_once_is_one_by_one(model)
    assert not mx.array_equal(read(model, model.model)[0], before[0])


def test_a_call_while_another_sees_what_has_changed_sees_it_too(model, monkeypatch):
    mx.eval(read(model, model.model))
    model.layers[1].mlp.gate_proj.scales = model.layers[1].mlp.gate_proj.scales * 2
    form, within = nn.QuantizedLinear.packed_form, []

    def looked_at(linear: nn.QuantizedLinear) -> tuple[int, int] | None:
        if not within:  # as if a thread had the interpreter now
            within.append(None)
            within[:] = read(model, model.model)
        return form.fget(linear)

    monkeypatch.setattr(nn.QuantizedLinear, "packed_form", property(looked_at))
    got = read(model, model.model)

    for one, other in zip(got, within, strict=True):
        assert mx.array_equal(one, other)


@pytest.mark.parametrize(
    "caches",
    [
        lambda: [KVCache(), KVCache(), RotatingKVCache(8)],
        lambda: [RotatingKVCache(8), KVCache(), KVCache()],
    ],
    ids=["rotating last", "rotating first"],
)
def test_layers_with_other_caches_are_called_one_by_one(model, caches):
    ids = mx.array([[3, 1, 4]])
    got, others = caches(), caches()

    y = model.model(ids, got)

    assert mx.array_equal(y, one_by_one(model, model.model.embed_tokens(ids), others))
    assert [cache.position for cache in got] == [3, 3, 3]


@pytest.mark.parametrize(("held", "B", "L"), [([], 0, 2), ([[3, 1]], 1, 0)])
def test_of_no_tokens_nothing_comes(model, held, B, L):
    caches = model.make_cache()
    if held:
        model(mx.array(held), caches)

    y = model(mx.zeros((B, L), dtype=mx.int32), caches)

    assert y.shape == (B, L, CONFIG["vocab_size"])
    assert [cache.position for cache in caches] == [2] * len(caches)


def test_what_is_refused_leaves_the_caches_as_they_were(model):
    caches = model.make_cache()
    mx.eval(model.model(mx.array([[3, 1]]), caches))
    held = [array.tolist() for cache in caches for array in cache.state]

    with pytest.raises(ValueError, match="another batch"):
        model.model(mx.array([[3], [1]]), caches)

    assert [cache.position for cache in caches] == [2, 2, 2]
    assert [array.tolist() for cache in caches for array in cache.state] == held


def test_a_cache_that_lends_nothing_takes_nothing_back():
    with pytest.raises(TypeError, match="lends no rows"):
        RotatingKVCache(8).take_back(1, mx.zeros((1, 1, 1, 1)), mx.zeros((1, 1, 1, 1)))
