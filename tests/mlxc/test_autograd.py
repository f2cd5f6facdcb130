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


def test_several_argnums_are_ordered_by_position_and_one_comes_alone():
    def fun(x, y):
        return x * x * y

    x, y = mx.array(3.0), mx.array(5.0)

    assert [g.item() for g in mx.grad(fun, argnums=(1, 0))(x, y)] == [30.0, 9.0]
    assert mx.grad(fun, argnums=[1])(x, y).item() == 9.0


def test_an_exception_of_the_function_arrives_as_it_was():
    error = KeyError("mine")

    def fails(x):
        raise error

    with pytest.raises(KeyError) as raised:
        mx.grad(fails)(mx.array(1.0))
    assert raised.value is error


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: mx.grad(3), TypeError, "callable"),
        (lambda: mx.grad(mx.sin, argnums=1.5), TypeError, "integers|iterable"),
        (lambda: mx.grad(mx.sin, argnums=-1), ValueError, "negative"),
        (lambda: mx.grad(mx.sin, argnums=(0, 0)), ValueError, "twice"),
        (lambda: mx.grad(lambda x: (x, x))(mx.array(1.0)), ValueError, "tuple"),
        (lambda: mx.grad(lambda t: t[0])([mx.array(1.0), 2]), ValueError, "only arrays"),
    ],
)
def test_what_cannot_be_differentiated_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_what_the_function_puts_into_its_argument_stays():
    first, second = tree = [mx.array(1.0), mx.array(2.0)]

    def fun(pair):
        assert pair is tree
        pair[1] = pair[0] + pair[1]
        return pair[1]

    mx.grad(fun)(tree)

    assert tree[0] is first
    assert tree[1] is not second
    assert tree[1].item() == 3.0


def test_the_argument_is_whole_after_an_exception():
    first, second = tree = [mx.array(1.0), mx.array(2.0)]

    with pytest.raises(KeyError):
        mx.grad(lambda pair: {}["key"])(tree)

    assert tree[0] is first and tree[1] is second
