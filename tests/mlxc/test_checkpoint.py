"""Checkpointed functions: the same values and gradients, computed again."""

import pytest

import mlxc as mx


def test_values_and_gradients_are_those_of_the_function():
    def fun(tree, *, scale):
        return {"loss": (mx.exp(tree["a"]) * tree["b"][0]).sum() * scale, "scale": scale}

    tree = {"a": mx.array([0.5, 1.0]), "b": [mx.array([2.0, 3.0])]}

    def loss(run, tree):
        return run(tree, scale=3)["loss"]

    expected = mx.grad(lambda t: loss(fun, t))(tree)
    found = mx.grad(lambda t: loss(mx.checkpoint(fun), t))(tree)

    assert mx.checkpoint(fun)(tree, scale=3)["scale"] == 3
    assert found["a"].tolist() == pytest.approx(expected["a"].tolist())
    assert found["b"][0].tolist() == pytest.approx(expected["b"][0].tolist())


def test_the_gradient_runs_the_function_again():
    runs = 0

    def fun(x):
        nonlocal runs
        runs += 1
        return mx.exp(x)

    mx.eval(mx.grad(mx.checkpoint(fun))(mx.array(1.0)))

    assert runs == 2


def test_exceptions_arrive_as_they_were():
    error = KeyError("mine")

    def fails(x):
        raise error

    with pytest.raises(KeyError) as raised:
        mx.checkpoint(fails)(mx.array(1.0))
    assert raised.value is error


def test_a_function_without_arrays_is_refused():
    with pytest.raises(ValueError, match="at least one array"):
        mx.checkpoint(lambda x: 3)(mx.array(1.0))
    with pytest.raises(TypeError, match="callable"):
        mx.checkpoint(3)
