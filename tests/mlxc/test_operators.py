"""Python operators on arrays, with numpy as the oracle."""

import operator

import numpy as np
import pytest

import mlxc as mx

ARITHMETIC = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.floordiv,
    operator.mod,
    operator.pow,
]
COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
BITWISE = [operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift]


def named(values):
    return {"ids": [value.__name__ for value in values]}


@pytest.mark.parametrize("op", ARITHMETIC + COMPARISONS, **named(ARITHMETIC + COMPARISONS))
def test_an_operator_of_two_arrays_broadcasts_as_numpy_does(op):
    a, b = np.float32([[1.5, -2, 3]]), np.float32([[2], [3]])

    result = op(mx.array(a), mx.array(b))

    np.testing.assert_allclose(np.asarray(result), op(a, b), rtol=1e-6)


@pytest.mark.parametrize("op", ARITHMETIC, **named(ARITHMETIC))
@pytest.mark.parametrize("scalar", [2, 2.0, True], ids=repr)
def test_a_scalar_on_either_side_meets_the_array(op, scalar):
    a = np.float32([1.5, 2, 3])

    for left, right in ((mx.array(a), scalar), (scalar, mx.array(a))):
        expected = op(*(a if isinstance(x, mx.array) else np.float32(x) for x in (left, right)))
        np.testing.assert_allclose(np.asarray(op(left, right)), expected, rtol=1e-6)


@pytest.mark.parametrize("op", BITWISE, **named(BITWISE))
def test_bit_operators_work_on_integers(op):
    a, b = np.int32([5, 12, 7]), np.int32([1, 2, 3])

    assert np.asarray(op(mx.array(a), mx.array(b))).tolist() == op(a, b).tolist()
    assert np.asarray(op(mx.array(a), 2)).tolist() == op(a, 2).tolist()


@pytest.mark.parametrize(
    ("dtype", "scalar", "expected"),
    [
        (mx.bfloat16, 2.0, mx.bfloat16),
        (mx.float16, 2, mx.float16),
        (mx.int8, 2, mx.int8),
        (mx.int32, 2.5, mx.float32),
        (mx.bool_, 2, mx.int32),
        (mx.bool_, True, mx.bool_),
        (mx.uint8, True, mx.uint8),
        (mx.float32, 1j, mx.complex64),
        (mx.float64, 0.1, mx.float64),
    ],
    ids=repr,
)
def test_a_scalar_is_weaker_than_the_arrays_type(dtype, scalar, expected):
    a = mx.array([1], dtype=dtype)

    with mx.stream(mx.cpu):
        assert (a * scalar).dtype is expected
        assert (scalar * a).dtype is expected


def test_unary_operators():
    a = mx.array([1, -2])

    assert (-a).tolist() == [-1, 2]
    assert abs(a).tolist() == [1, 2]
    assert (~a).tolist() == [-2, 1]
    assert (+a).tolist() == [1, -2]


def test_an_update_in_place_is_seen_under_every_name():
    a = mx.array([1, 2])
    other = a

    a += 1
    a *= mx.array([2, 3])

    assert other is a
    assert other.tolist() == [4, 9]


def test_a_failed_update_in_place_changes_nothing():
    a = mx.array([1, 2])

    with pytest.raises(ValueError):
        a += mx.zeros((3,))

    assert a.tolist() == [1, 2]


def test_matmul_needs_an_array():
    with pytest.raises(TypeError, match="matrix multiplication"):
        mx.eye(2) @ 2


@pytest.mark.parametrize("other", ["x", [1, 2], object()], ids=str)
def test_arithmetic_with_a_stranger_is_a_value_error(other):
    with pytest.raises(ValueError, match="addition"):
        mx.array([1, 2]) + other


def test_arithmetic_with_none_is_a_type_error():
    with pytest.raises(TypeError, match="addition"):
        mx.array([1, 2]) + None


def test_a_stranger_is_unequal():
    a = mx.array([1, 2])

    assert (a == "x") is False
    assert (a != "x") is True


def test_a_numpy_operand_is_converted():
    assert (mx.array([1.0, 2.0]) + np.array([1.0, 1.0])).tolist() == [2.0, 3.0]
    assert isinstance(mx.array([1.0]) + np.float32(1), mx.array)


def test_conversions_to_python_scalars():
    a = mx.array(3)

    assert (int(a), float(a), complex(a), bool(a)) == (3, 3.0, 3 + 0j, True)
    assert [10, 20, 30, 40][a] == 40
    with pytest.raises(TypeError):
        [1, 2][mx.array(1.0)]


def test_length_and_iteration_follow_the_first_axis():
    a = mx.array([[1, 2], [3, 4]])

    assert len(a) == 2
    assert [row.tolist() for row in a] == [[1, 2], [3, 4]]
    with pytest.raises(TypeError):
        len(mx.array(1))
    with pytest.raises(TypeError):
        iter(mx.array(1))


@pytest.mark.parametrize(
    ("dtype", "value"),
    [(mx.int8, 128), (mx.int8, -129), (mx.uint8, -1), (mx.int32, 2**31), (mx.uint32, 2**32)],
    ids=repr,
)
def test_a_python_integer_beyond_the_type_is_a_value_error(dtype, value):
    a = mx.array([1], dtype)

    for combine in (lambda: a + value, lambda: value * a, lambda: mx.maximum(a, value)):
        with pytest.raises(ValueError, match="overflow"):
            combine()


def test_a_python_integer_at_the_limit_of_the_type_is_taken():
    assert (mx.array([0], mx.uint64) + (2**64 - 1)).tolist() == [2**64 - 1]
    assert (mx.array([0], mx.int8) + -128).tolist() == [-128]
    assert (mx.array([0.0]) + 2**40).tolist() == [2**40]


@pytest.mark.parametrize("operator", ["and", "or", "xor", "lshift", "rshift"])
def test_bits_of_floats_are_refused(operator):
    for a, b in [(mx.array([1.0]), 1), (mx.array([1]), 1.0), (mx.array([1]), mx.array([1.0]))]:
        with pytest.raises(ValueError, match="Floating point types not allowed"):
            getattr(a, f"__{operator}__")(b)


@pytest.mark.native
@pytest.mark.parametrize("dtype", [mx.int32, mx.int64])
@pytest.mark.parametrize("transform", [lambda f: f, mx.compile, mx.vmap])
def test_the_least_integer_divided_by_minus_one_wraps_around(dtype, transform):
    least = -(2 ** (8 * dtype.size - 1))
    a, b = mx.array([least, least, 7, 7], dtype), mx.array([-1, 1, -1, 2], dtype)

    quotients, remainders = transform(lambda a, b: (a // b, a % b))(a, b)

    assert quotients.tolist() == [least, least, -7, 3]
    assert remainders.tolist() == [0, 0, 0, 1]
    assert [part.tolist() for part in mx.divmod(a, b)] == [quotients.tolist(), remainders.tolist()]
    assert (a // -1).tolist() == [least, least, -7, -7]
    assert (least // b).tolist()[0] == least


@pytest.mark.native
def test_integers_divided_by_zero_are_zero_and_leave_what_they_were():
    a, zero = mx.array([5, -3]), mx.array([0, 0])

    assert [part.tolist() for part in mx.divmod(a, zero)] == [[0, 0], [5, -3]]
    assert (a // zero).tolist() == [0, 0]
