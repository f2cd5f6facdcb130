import contextlib

import pytest

import mlxc as mx
from mlxc.tree import tree_flatten
from mlxrs import nn


class Block(nn.Module):
    def __init__(self, dims: int):
        self.norm = nn.RMSNorm(dims)
        self.proj = nn.Linear(dims, 2 * dims, bias=False)
        self.dims = dims
        self._table = mx.zeros((3,))


class Stack(nn.Module):
    def __init__(self, dims: int, depth: int):
        self.blocks = [Block(dims) for _ in range(depth)]
        self.heads = {"a": nn.Linear(dims, 1), "b": nn.Linear(dims, 1)}
        self.gain = mx.ones((dims,))


def names(model: nn.Module) -> list[str]:
    return [name for name, _ in tree_flatten(model.parameters())]


def test_parameters_are_the_arrays_by_attribute_name():
    model = Stack(4, 2)

    assert sorted(names(model)) == sorted(
        ["gain", "heads.a.weight", "heads.a.bias", "heads.b.weight", "heads.b.bias"]
        + [f"blocks.{i}.{name}.weight" for i in (0, 1) for name in ("norm", "proj")]
    )


def test_underscored_and_plain_attributes_are_no_parameters():
    assert sorted(names(Block(4))) == ["norm.weight", "proj.weight"]


def test_a_replaced_array_is_what_parameters_show():
    block = Block(4)

    block.norm.weight = mx.full((4,), 7.0)

    assert block.parameters()["norm"]["weight"].tolist() == [7.0] * 4


def test_the_revision_changes_with_every_replacement():
    layer = nn.Linear(2, 3)
    seen = [nn.revision()]
    layer.weight = layer.weight * 2
    seen.append(nn.revision())
    layer.update({"weight": layer.weight * 2})
    seen.append(nn.revision())
    layer.parameters()

    assert len(set(seen)) == 3
    assert nn.revision() == seen[-1]


@pytest.mark.parametrize("last", ["a name that is none", "bias"])
def test_the_revision_within_an_update_is_not_that_behind_it(last):
    layer, seen = nn.Linear(2, 3), []

    class Tree(dict):
        def items(self):
            yield "weight", layer.weight * 2
            seen.append(nn.revision())
            yield last, layer.bias

    with contextlib.suppress(ValueError):
        layer.update(Tree())

    assert nn.revision() not in seen


def test_named_modules_gives_dotted_paths_parents_first():
    paths = [path for path, _ in Stack(4, 1).named_modules()]

    assert paths[:4] == ["", "blocks.0", "blocks.0.norm", "blocks.0.proj"]
    assert paths[4:] == ["heads.a", "heads.b"]


def test_children_are_the_direct_modules_only():
    model = Stack(4, 2)

    children = model.children()

    assert set(children) == {"blocks", "heads"}
    assert children["blocks"][1] is model.blocks[1]


def test_leaf_modules_descends_to_the_layers():
    model = Stack(4, 1)

    assert model.leaf_modules()["blocks"][0]["norm"] is model.blocks[0].norm


def test_update_replaces_only_what_the_tree_names():
    model = Stack(2, 2)
    before = model.blocks[0].norm.weight

    model.update({"blocks": [{}, {"norm": {"weight": mx.array([5.0, 6.0])}}]})

    assert model.blocks[1].norm.weight.tolist() == [5.0, 6.0]
    assert model.blocks[0].norm.weight is before


@pytest.mark.parametrize(
    "tree", [{"no": mx.zeros((1,))}, {"blocks": [{}, {}, {"norm": {}}]}, {"gain": [mx.zeros((1,))]}]
)
def test_update_refuses_a_tree_that_does_not_fit(tree):
    with pytest.raises(ValueError, match="not in the model"):
        Stack(2, 2).update(tree)


def test_update_refuses_an_array_where_a_module_is():
    with pytest.raises(ValueError, match="norm takes no array: it is a RMSNorm"):
        Block(2).update({"norm": mx.zeros((2,))})


def all_weights(model: nn.Module) -> dict[str, mx.array]:
    return {name: mx.zeros(array.shape) + 3 for name, array in tree_flatten(model.parameters())}


@pytest.mark.parametrize("form", [dict, lambda weights: list(weights.items())])
def test_load_weights_takes_a_mapping_or_pairs(form):
    model = Stack(4, 2)

    model.load_weights(form(all_weights(model)))

    assert model.blocks[1].proj.weight.tolist() == [[3.0] * 4] * 8
    assert model.heads["b"].bias.tolist() == [3.0]


def test_load_weights_names_the_extra_ones_first():
    model = Stack(4, 2)
    weights = all_weights(model)
    del weights["gain"]
    weights["blocks.2.norm.weight"] = mx.zeros((4,))

    with pytest.raises(ValueError, match=r"^1 weight not in the model: blocks\.2\.norm\.weight$"):
        model.load_weights(weights)


def test_load_weights_names_the_missing_ones():
    model = Stack(4, 2)
    weights = all_weights(model)
    del weights["gain"], weights["heads.a.bias"]

    with pytest.raises(
        ValueError, match=r"^2 parameters missing from the weights: gain, heads\.a\.bias$"
    ):
        model.load_weights(weights)


def test_load_weights_names_both_shapes_and_changes_nothing():
    model = Stack(4, 2)
    weights = all_weights(model)
    weights["gain"] = mx.zeros((5,))
    before = model.blocks[0].norm.weight

    with pytest.raises(ValueError, match=r"wrong shape: gain must be \(4,\), got \(5,\)"):
        model.load_weights(weights)
    assert model.blocks[0].norm.weight is before


def test_load_weights_shows_eight_names_and_counts_the_rest():
    with pytest.raises(ValueError, match=r"^13 parameters missing .* and 5 more$"):
        Stack(4, 4).load_weights({})


def test_load_weights_not_strict_takes_what_fits():
    model = Stack(2, 1)

    model.load_weights({"gain": mx.array([8.0, 9.0]), "other": mx.zeros((1,))}, strict=False)

    assert model.gain.tolist() == [8.0, 9.0]


def test_repr_draws_the_tree():
    assert repr(Block(4)) == (
        "Block(\n  (norm): RMSNorm(4, eps=1e-05)\n"
        "  (proj): Linear(input_dims=4, output_dims=8, bias=False)\n)"
    )
