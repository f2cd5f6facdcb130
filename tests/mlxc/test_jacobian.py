"""Jacobian products against derivatives known in closed form."""

import pytest

import mlxc as mx


def test_vjp_multiplies_the_vector_from_the_left():
    x, y = mx.array([1.0, 2.0]), mx.array([3.0, 5.0])

    outputs, products = mx.vjp(lambda a, b: (a * b, a + b), [x, y], [x, y])

    assert [o.tolist() for o in outputs] == [[3.0, 10.0], [4.0, 7.0]]
    assert [p.tolist() for p in products] == [[6.0, 15.0], [4.0, 9.0]]


def test_jvp_multiplies_the_vector_from_the_right():
    x, y = mx.array([1.0, 2.0]), mx.array([3.0, 5.0])

    outputs, products = mx.jvp(lambda a, b: [a * b], (x, y), (y, x))

    assert outputs[0].tolist() == [3.0, 10.0]
    assert products[0].tolist() == [10.0, 29.0]


def test_products_nest():
    x, one = mx.array(2.0), mx.array(1.0)

    def slope(a):
        return mx.vjp(lambda b: b**3, [a], [one])[1][0]

    assert mx.jvp(slope, [x], [one])[1][0].item() == pytest.approx(12.0)


def test_an_exception_of_the_function_arrives_as_it_was():
    error = KeyError("mine")

    def fails(a):
        raise error

    for transform in (mx.vjp, mx.jvp):
        with pytest.raises(KeyError) as raised:
            transform(fails, [mx.array(1.0)], [mx.array(1.0)])
        assert raised.value is error


@pytest.mark.parametrize("transform", [mx.vjp, mx.jvp])
def test_wrong_use_says_what(transform):
    x = mx.array(1.0)

    with pytest.raises(TypeError, match="primals"):
        transform(mx.sin, [1.0], [x])
    with pytest.raises(RuntimeError, match="int"):
        transform(lambda a: 3, [x], [x])
    with pytest.raises(TypeError, match="callable"):
        transform(3, [x], [x])
