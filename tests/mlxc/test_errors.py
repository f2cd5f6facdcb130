"""C failures and Python exceptions that cross C."""

import threading

import pytest

import mlxc as mx
from mlxc._errors import type_of


def test_a_wrong_shape_is_a_value_error_with_mlx_s_message():
    with pytest.raises(ValueError, match=r"Cannot reshape array of size 6 into shape \(4,5\)"):
        mx.zeros((2, 3)).reshape(4, 5)


def test_a_wrong_axis_is_an_index_error():
    with pytest.raises(IndexError, match="Invalid axis 7"):
        mx.sum(mx.zeros((2, 3)), axis=7)


A = mx.ones((2, 3))
FAILURES = {
    "arange": lambda: mx.arange(0, 1, 0),
    "conv1d": lambda: mx.conv1d(mx.ones((1, 4, 1)), mx.ones((1, 1, 1)), padding=2**30),
    "concatenate": lambda: mx.concatenate([A, A], axis=7),
    "cumsum": lambda: mx.cumsum(A, axis=7),
    "expand_dims": lambda: mx.expand_dims(A, 7),
    "linalg.eig": lambda: mx.linalg.eig(A),
    "linalg.inv": lambda: mx.eval(mx.linalg.inv(mx.zeros((2, 2)), stream=mx.cpu)),
    "matmul": lambda: A @ A,
    "max": lambda: mx.max(mx.zeros((0,))),
    "moveaxis": lambda: mx.moveaxis(A, 0, 7),
    "quantize": lambda: mx.quantize(A),
    "quantized_matmul": lambda: mx.grad(quantized)(mx.zeros((8, 8), dtype=mx.uint32)),
    "random.categorical": lambda: mx.random.categorical(A, axis=7),
    "reshape": lambda: A.reshape(4, 5),
    "roll": lambda: mx.roll(A, 1, axis=7),
    "softmax": lambda: mx.softmax(A, axis=7),
    "sort": lambda: mx.sort(A, axis=7),
    "split": lambda: mx.split(A, 2, axis=1),
    "squeeze": lambda: mx.squeeze(A, 0),
    "take": lambda: mx.take(A, mx.array([0]), axis=7),
    "transpose": lambda: mx.transpose(A, (0, 7)),
    "unflatten": lambda: mx.unflatten(A, 7, (2,)),
}


def quantized(w):
    return mx.quantized_matmul(mx.ones((1, 64)), w, mx.ones((8, 1)), mx.ones((8, 1))).sum()


# Before 0.32 MLX aborts where an evaluation fails.
EVALUATED = {"linalg.inv"}


@pytest.mark.parametrize(
    "fail",
    [
        pytest.param(fail, marks=pytest.mark.native if name in EVALUATED else [], id=name)
        for name, fail in FAILURES.items()
    ],
)
def test_the_words_of_a_message_tell_the_type_as_its_c_class_does(fail):
    with pytest.raises((ValueError, IndexError, OverflowError, RuntimeError)) as caught:
        fail()

    assert type_of(str(caught.value)) is caught.type


def test_an_unknown_message_is_a_runtime_error():
    assert type_of("basic_string: construction from null is not valid") is RuntimeError
    assert type_of("std::bad_alloc") is MemoryError


def test_an_error_belongs_to_the_thread_that_made_it():
    barrier = threading.Barrier(2)
    messages: dict[int, list[str]] = {0: [], 1: []}

    def fail(number: int) -> None:
        barrier.wait()
        for size in range(2, 200):
            shape = (size, size + number)
            try:
                mx.zeros((size,)).reshape(shape)
            except ValueError as error:
                messages[number].append(str(error))
                assert f"({size},{size + number})" in str(error)

    threads = [threading.Thread(target=fail, args=(number,)) for number in messages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [len(found) for found in messages.values()] == [198, 198]


class Special(Exception):
    pass


@pytest.mark.parametrize("exception", [Special("mine"), KeyboardInterrupt(), SystemExit(3)])
def test_what_a_callback_raises_arrives_unchanged(exception):
    def fun(x):
        raise exception

    with pytest.raises(type(exception)) as caught:
        mx.grad(fun)(mx.array(1.0))

    assert caught.value is exception


def test_after_a_failed_callback_the_next_error_is_its_own():
    def fun(x):
        raise Special

    with pytest.raises(Special):
        mx.grad(fun)(mx.array(1.0))
    with pytest.raises(ValueError, match="reshape"):
        mx.zeros((3,)).reshape(2)


def test_an_mlx_error_inside_of_a_callback_keeps_its_type():
    with pytest.raises(ValueError, match="reshape"):
        mx.grad(lambda x: x.reshape(7).sum())(mx.zeros((3,)))


@pytest.mark.native  # MLX < 0.32 aborts
def test_a_failure_on_the_evaluating_thread_is_raised_here():
    broken = mx.linalg.inv(mx.zeros((2, 2)), stream=mx.cpu)

    with pytest.raises(RuntimeError, match="LU factorization failed"):
        mx.eval(broken)


def test_a_wrong_stream_is_a_type_error_naming_it():
    with pytest.raises(TypeError, match="stream must be"):
        mx.exp(mx.array(1.0), stream="cpu")


@pytest.mark.native
def test_evaluations_that_fail_often_do_not_stop_those_that_follow():
    singular = mx.zeros((2, 2))

    for _ in range(300):
        with pytest.raises(RuntimeError):
            mx.eval(mx.linalg.inv(singular, stream=mx.cpu))

    assert (singular + 1).tolist() == [[1, 1], [1, 1]]


@pytest.mark.native
def test_an_array_of_more_bytes_than_can_be_counted_is_refused():
    with pytest.raises(ValueError, match="more bytes than 64 bits can count"):
        mx.broadcast_to(mx.array(1.0), (2**31 - 1, 2**31 - 1, 4))


@pytest.mark.parametrize("make", [mx.zeros, mx.ones, mx.random.normal, mx.random.uniform])
def test_a_dtype_by_name_is_a_type_error_that_names_it(make):
    with pytest.raises(TypeError, match="dtype must be a data type, as mx.float32, not 'int8'"):
        make(shape=(2,), dtype="int8")


@pytest.mark.parametrize("channels, groups", [(2, 0), (0, 1)])
def test_a_convolution_needs_channels_and_groups(channels, groups):
    x, w = mx.zeros((1, 3, channels)), mx.zeros((2, 1, channels))

    for conv in (mx.conv1d, mx.conv_transpose1d):
        with pytest.raises(ValueError, match="groups must be at least 1|must have channels"):
            conv(x, w, groups=groups)


@pytest.mark.parametrize("value, dtype", [(2**40, mx.int32), (300, mx.uint8), (-1, mx.uint16)])
def test_filling_with_what_the_type_does_not_hold_is_refused(value, dtype):
    for fill in (
        lambda: mx.full((2,), value, dtype),
        lambda: mx.full_like(mx.ones(2), value, dtype),
    ):
        with pytest.raises(ValueError, match=f"Converting {value} to .* would result in overflow"):
            fill()


@pytest.mark.parametrize("reduce", [mx.sum, mx.prod, mx.all, mx.any])
def test_reducing_an_empty_axis_out_of_order_ends(reduce):
    neutral = reduce(mx.zeros((4, 0)), axis=-1).tolist()[0]

    assert reduce(mx.ones((0, 1, 4, 2)).T, axis=-1).tolist() == [[[neutral]] * 4] * 2
    assert mx.trace(mx.zeros((2, 1, 2, 1)), offset=3, dtype=mx.float16).tolist() == [[0], [0]]
