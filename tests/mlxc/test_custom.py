"""Custom functions: their rules are what transforms use."""

import pytest

import mlxc as mx

X = mx.array([1.0, 2.0])


def product():
    return mx.custom_function(lambda a, b: a * b)


def gradients(f):
    return mx.grad(lambda a, b: f(a, b).sum(), argnums=(0, 1))(X, X + 1)


def test_without_rules_it_is_the_function():
    assert [g.tolist() for g in gradients(product())] == [[2.0, 3.0], [1.0, 2.0]]


def test_the_vjp_rule_gives_the_gradient():
    f = product()
    f.vjp(lambda primals, cotangent, output: (10 * cotangent, output))

    assert [g.tolist() for g in gradients(f)] == [[10.0, 10.0], [2.0, 6.0]]


def test_none_in_a_vjp_stands_for_zeros():
    f = product()
    f.vjp(lambda primals, cotangent, output: (cotangent, None))

    assert gradients(f)[1].tolist() == [0.0, 0.0]


def test_the_jvp_rule_gives_the_tangent():
    f = product()
    f.jvp(lambda primals, tangents: 7 * tangents[0])

    assert mx.jvp(f, [X, X], [X, X])[1][0].tolist() == [7.0, 14.0]


def test_a_primal_without_a_tangent_has_none():
    f, seen = product(), []
    f.jvp(lambda primals, tangents: seen.append(tangents))

    found = mx.jvp(lambda b: f(X, b), [X], [X])[1][0]

    assert seen[0][0] is None
    assert found.tolist() == [0.0, 0.0]


def test_the_vmap_rule_gives_outputs_and_their_axes():
    f, seen = product(), []

    @f.vmap
    def f_vmap(inputs, axes):
        seen.append(axes)
        return inputs[0] * 100 + inputs[1], axes[0]

    found = mx.vmap(f, in_axes=(1, None))(mx.array([[1, 2], [3, 4]]), mx.array([[5], [6]]))

    assert seen == [(1, None)]
    assert found.tolist() == [[105, 306], [205, 406]]


def test_keyword_arguments_and_trees_reach_the_vjp_rule():
    @mx.custom_function
    def f(tree, *, power):
        return {"y": tree["x"] ** power, "power": power}

    @f.vjp
    def f_vjp(tree, cotangents, outputs, *, power):
        return {"x": power * cotangents["y"] * outputs["y"]}

    assert mx.grad(lambda x: f({"x": x}, power=3)["y"].sum())(X).tolist() == [3.0, 24.0]


def test_rules_hold_under_compile_and_vmap():
    f = mx.custom_function(lambda a: a * 2)
    f.vjp(lambda primals, cotangent, output: cotangent * 5)

    assert mx.compile(mx.grad(f))(mx.array(1.0)).item() == 5.0
    assert mx.vmap(mx.grad(f))(X).tolist() == [5.0, 5.0]


def test_an_exception_of_a_rule_arrives_as_it_was():
    error = KeyError("mine")

    def fails(*args):
        raise error

    f = product()
    f.vjp(fails).jvp(fails).vmap(fails)

    for call in (
        lambda: gradients(f),
        lambda: mx.jvp(f, [X, X], [X, X]),
        lambda: mx.vmap(f)(X, X),
    ):
        with pytest.raises(KeyError) as raised:
            call()
        assert raised.value is error


@pytest.mark.parametrize("result", [X, (X,), (X, X, X), (X, 3), {"a": X}])
def test_a_vjp_of_another_form_is_refused(result):
    f = product()
    f.vjp(lambda primals, cotangent, output: result)

    with pytest.raises(ValueError, match=r"\[custom vjp\]"):
        gradients(f)


@pytest.mark.parametrize("result", [X, (X,), [X, 0], (X, (0, 0))])
def test_a_vmap_of_another_form_is_refused(result):
    f = product()
    f.vmap(lambda inputs, axes: result)

    with pytest.raises(ValueError):
        mx.vmap(f)(X, X)


def test_a_function_with_rules_has_to_return_an_array():
    f = mx.custom_function(lambda a: 3)
    f.vjp(lambda primals, cotangent, output: None)

    with pytest.raises(ValueError, match="at least one array"):
        f(X)
