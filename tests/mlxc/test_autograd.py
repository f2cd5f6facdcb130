"""Gradients against derivatives known in closed form."""

import pytest

import mlxc as mx


def test_the_gradient_of_a_sum_of_squares_is_twice_the_argument():
    assert mx.grad(lambda x: (x * x).sum())(mx.array([1.0, -3.0])).tolist() == [2.0, -6.0]


def test_the_value_comes_with_the_gradient():
    value, gradient = mx.value_and_grad(lambda x: x * x * x)(mx.array(2.0))

    assert (value.item(), gradient.item()) == (8.0, 12.0)


def test_argnums_choose_the_arguments():
    def fun(x, y):
        return x * x * y

    x, y = mx.array(3.0), mx.array(5.0)

    assert mx.grad(fun)(x, y).item() == 30.0
    assert mx.grad(fun, argnums=1)(x, y).item() == 9.0
    assert [g.item() for g in mx.grad(fun, argnums=(0, 1))(x, y)] == [30.0, 9.0]


def test_argnames_choose_keyword_arguments():
    def fun(x, *, y):
        return x * y

    positional, named = mx.grad(fun, argnums=0, argnames="y")(mx.array(2.0), y=mx.array(7.0))
    assert (positional.item(), named["y"].item()) == (7.0, 2.0)

    positional, named = mx.grad(fun, argnames=["y"])(mx.array(2.0), y=mx.array(7.0))
    assert (positional, named["y"].item()) == (None, 2.0)


def test_trees_of_arrays_get_gradients_of_the_same_form():
    tree = {"w": [mx.array(2.0), mx.array(3.0)], "b": (mx.array(1.0),)}

    gradient = mx.grad(lambda t: t["w"][0] * t["w"][1] + t["b"][0])(tree)

    assert gradient["w"][0].item() == 3.0
    assert gradient["w"][1].item() == 2.0
    assert gradient["b"][0].item() == 1.0


def test_auxiliary_outputs_come_back():
    (value, extra), gradient = mx.value_and_grad(lambda x: (x * x, {"twice": 2 * x}))(mx.array(3.0))

    assert (value.item(), extra["twice"].item(), gradient.item()) == (9.0, 6.0, 6.0)


def test_gradients_nest():
    third = mx.grad(mx.grad(mx.grad(lambda x: x**4)))

    assert third(mx.array(2.0)).item() == pytest.approx(48.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mx.grad(lambda x: x * 2)(mx.ones((2,))), "scalar"),
        (lambda: mx.grad(lambda x: 1.0)(mx.array(1.0)), "float"),
        (lambda: mx.grad(lambda x: x, argnums=2)(mx.array(1.0)), "argnums has 2"),
        (lambda: mx.grad(lambda x: x, argnames="y")(mx.array(1.0)), "argnames has 'y'"),
        (lambda: mx.grad(lambda x: x)(1.0), "only arrays"),
        (lambda: mx.grad(lambda x: x, argnums=())(mx.array(1.0)), "argnums"),
    ],
)
def test_wrong_use_is_a_value_error_that_says_what(call, message):
    with pytest.raises(ValueError, match=message):
        call()
