"""Updates at repeated indices, with numpy's `ufunc.at` as the oracle."""

import numpy as np
import pytest

import mlxc as mx

UPDATES = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "maximum": np.maximum,
    "minimum": np.minimum,
}
KEYS = [
    0,
    slice(1, None),
    (slice(None), slice(None, None, 2)),
    (..., 1),
    None,
    (),
    np.array([0, 0, 1, 0]),
    (np.array([0, 0]), np.array([1, 1])),
    (slice(None), np.array([2, 2, 0])),
    (1, slice(None), np.array([0, 0])),
    np.array([True, False]),
]


@pytest.mark.parametrize("key", KEYS, ids=repr)
@pytest.mark.parametrize("name", UPDATES)
def test_each_update_counts(name, key):
    a = np.arange(1, 25, dtype=np.float32).reshape(2, 3, 4)
    value = np.linspace(0.5, 2, a[key].size, dtype=np.float32).reshape(a[key].shape)
    parts = key if isinstance(key, tuple) else (key,)
    parts = tuple(mx.array(part) if isinstance(part, np.ndarray) else part for part in parts)
    b = mx.array(a)

    result = getattr(b.at[parts], name)(mx.array(value))

    assert b.tolist() == a.tolist()
    UPDATES[name].at(a, key, value)
    assert np.allclose(np.asarray(result), a, rtol=1e-5)


@pytest.mark.parametrize(
    ("dtype", "expected"), [(mx.int32, [8, 6]), (mx.bfloat16, [8, 6]), (mx.complex64, [8, 6])]
)
def test_a_scalar_takes_the_type_of_the_array(dtype, expected):
    result = mx.array([5, 6], dtype).at[0].add(3)

    assert result.dtype is dtype
    assert result.tolist() == expected


def test_an_array_without_axes_is_updated():
    assert mx.array(1).at[()].multiply(3).item() == 3
    assert mx.array(1).at[None].add(1).item() == 2


def test_the_last_indices_count():
    assert mx.array([1, 2]).at[0][1].add(5).tolist() == [1, 7]


def test_the_array_is_the_one_that_at_was_taken_of():
    a = mx.array([1, 2])
    place = a.at
    a[0] = 5

    assert place[0].add(1).tolist() == [2, 2]


def test_updates_are_differentiated():
    index = mx.array([0, 0, 1])

    gradient = mx.grad(lambda x: (mx.zeros(2).at[index].add(x) ** 2).sum())(mx.ones(3))

    assert gradient.tolist() == [4, 4, 2]


@pytest.mark.parametrize(
    ("update", "error", "words"),
    [
        (lambda a: a.at.add(1), ValueError, "indices"),
        (lambda a: a.at[5].add(1), IndexError, "out of bounds"),
        (lambda a: a.at[1.5].add(1), ValueError, "index"),
        (lambda a: a.at[0].add("x"), ValueError, "str"),
        (lambda a: a.at[0].add(mx.zeros((3,))), ValueError, "broadcast"),
        (lambda a: a.at[0].divide(2), ValueError, "floating"),
        (lambda a: type(a.at)(), TypeError, "a.at"),
    ],
)
def test_what_is_no_update_is_refused(update, error, words):
    with pytest.raises(error, match=words):
        update(mx.array([1, 2]))
