"""Random numbers: the same as those of mlx.core, and of their distributions."""

import json
import math
import subprocess
import sys
import threading
from importlib.util import find_spec

import numpy as np
import pytest
from support.assert_close import assert_close

import mlxc as mx

DRAWS = {
    "uniform": "r.uniform(shape=(4,))",
    "uniform, limits": "r.uniform(-1, 2, [4], key=r.key(3))",
    "uniform, half": "r.uniform(shape=(4,), dtype=mx.float16)",
    "normal": "r.normal((4,))",
    "normal, scaled": "r.normal((4,), loc=1, scale=2.5)",
    "normal, array": "r.normal((4,), mx.float16, mx.array([1.0, 2, 3, 4]), key=r.key(4))",
    "multivariate": "r.multivariate_normal(mx.zeros((2,)), mx.eye(2), (3,), stream=mx.cpu)",
    "randint": "r.randint(-5, 9, (4,))",
    "randint, type": "r.randint(0, 200, (4,), mx.uint8)",
    "bernoulli": "r.bernoulli(0.3, (6,))",
    "bernoulli, array": "r.bernoulli(mx.array([0.1, 0.9]))",
    "truncated": "r.truncated_normal(-1, mx.array([0.5, 1, 2]))",
    "gumbel": "r.gumbel((4,))",
    "laplace": "r.laplace((4,), loc=1.0, scale=2.0)",
    "categorical": "r.categorical(mx.log(mx.arange(1, 13).reshape(3, 4)))",
    "categorical, shape": "r.categorical(mx.zeros((3, 4)), 0, shape=(2, 4))",
    "categorical, many": "r.categorical(mx.zeros((3, 4)), num_samples=5)",
    "permutation": "r.permutation(6)",
    "permutation, array": "r.permutation(mx.arange(12).reshape(3, 4), 1)",
    "split": "r.split(r.key(7), 3)",
}

PROGRAM = """
import json
import {module} as mx
r = mx.random
r.seed(42)
draws = {draws!r}
print(json.dumps({{name: eval(draw).tolist() for name, draw in draws.items()}}))
"""


def drawn_by(module):
    program = PROGRAM.format(module=module, draws=DRAWS)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.reference
def test_a_seed_gives_the_numbers_of_mlx_core():
    if find_spec("mlx.core") is None:
        pytest.skip("mlx.core is not installed")

    assert drawn_by("mlxc") == drawn_by("mlx.core")


def test_a_key_always_gives_the_same_numbers():
    key = mx.random.key(5)

    assert mx.random.normal((3,), key=key).tolist() == mx.random.normal((3,), key=key).tolist()


def test_a_seed_starts_the_sequence_again():
    mx.random.seed(1)
    first = [mx.random.uniform().item() for _ in range(3)]
    mx.random.seed(1)

    assert [mx.random.uniform().item() for _ in range(3)] == first
    assert len(set(first)) == 3


def test_split_keys_are_different():
    keys = mx.random.split(mx.random.key(0), 4)

    assert keys.shape == (4, 2)
    assert len({tuple(key) for key in keys.tolist()}) == 4


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_out_of_range_is_refused(seed):
    for function in (mx.random.seed, mx.random.key):
        with pytest.raises(TypeError, match="seed must be from 0"):
            function(seed)


@pytest.mark.parametrize(
    ("draw", "mean", "deviation"),
    [
        (lambda n, key: mx.random.uniform(-1, 3, (n,), key=key), 1, 4 / math.sqrt(12)),
        (lambda n, key: mx.random.normal((n,), loc=2, scale=3, key=key), 2, 3),
        (lambda n, key: mx.random.laplace((n,), loc=2, scale=3, key=key), 2, 3 * math.sqrt(2)),
        (lambda n, key: mx.random.gumbel((n,), key=key), 0.5772, math.pi / math.sqrt(6)),
        (lambda n, key: mx.random.bernoulli(0.2, (n,), key=key), 0.2, 0.4),
        (lambda n, key: mx.random.randint(0, 10, (n,), key=key), 4.5, math.sqrt(8.25)),
        (lambda n, key: mx.random.truncated_normal(-2, 2, (n,), key=key), 0, 0.8796),
    ],
    ids=["uniform", "normal", "laplace", "gumbel", "bernoulli", "randint", "truncated_normal"],
)
def test_numbers_have_mean_and_deviation_of_their_distribution(draw, mean, deviation):
    n = 100_000
    x = np.array(draw(n, mx.random.key(1))).astype(np.float64)

    # Five standard errors of the mean; the deviation within 2 %.
    assert abs(x.mean() - mean) < 5 * deviation / math.sqrt(n)
    assert x.std() == pytest.approx(deviation, rel=0.02)


def test_numbers_stay_within_their_limits():
    key = mx.random.key(2)
    low, high = -0.5, mx.array([0.5, 1.0])

    for draw in (mx.random.uniform, mx.random.truncated_normal):
        x = np.array(draw(low, high, (10_000, 2), key=key))
        assert x.min() >= low
        assert (x <= np.array(high)).all()


def test_multivariate_normal_has_its_covariance():
    cov = np.float32([[2, 0.6], [0.6, 1]])

    x = mx.random.multivariate_normal(
        mx.array([1.0, -1.0]), mx.array(cov), (50_000,), key=mx.random.key(3), stream=mx.cpu
    )

    assert x.shape == (50_000, 2)
    np.testing.assert_allclose(np.cov(np.array(x).T), cov, atol=0.05)


def test_categories_are_as_likely_as_their_logits():
    p = np.float32([0.1, 0.2, 0.7])

    x = mx.random.categorical(mx.log(mx.array(p)), num_samples=50_000, key=mx.random.key(4))

    np.testing.assert_allclose(np.bincount(np.array(x)) / 50_000, p, atol=0.01)


def test_categorical_refuses_shape_and_number_together():
    with pytest.raises(ValueError, match="not both"):
        mx.random.categorical(mx.zeros((3,)), shape=(2,), num_samples=2)


def test_a_permutation_has_every_part_once():
    rows = mx.random.permutation(mx.arange(12).reshape(4, 3), key=mx.random.key(5))

    assert sorted(mx.random.permutation(10, key=mx.random.key(6)).tolist()) == list(range(10))
    assert sorted(rows.tolist()) == mx.arange(12).reshape(4, 3).tolist()


@pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16, mx.float32], ids=repr)
def test_numbers_have_the_type_asked_for(dtype):
    for name in ("normal", "gumbel", "laplace"):
        assert getattr(mx.random, name)((2,), dtype).dtype == dtype
    assert mx.random.uniform(shape=(2,), dtype=dtype).dtype == dtype
    assert mx.random.normal((2,), dtype, loc=mx.array(1.0), scale=2).dtype == dtype


def test_a_key_that_is_no_array_is_named():
    with pytest.raises(TypeError, match="key must be an array or None, got int"):
        mx.random.normal((2,), key=3)


# --- the state ---


def test_the_state_is_the_key_of_the_sequence():
    mx.random.seed(3)
    first, second = mx.random.split(mx.random.key(3))

    assert mx.random.state[0].tolist() == mx.random.key(3).tolist()
    drawn = mx.random.normal((2,))
    assert drawn.tolist() == mx.random.normal((2,), key=second).tolist()
    assert [key.tolist() for key in mx.random.state] == [first.tolist()]
    assert mx.random.state[-1].tolist() == first.tolist()
    assert len(mx.random.state) == 1


def test_the_state_holds_one_key_only():
    with pytest.raises(IndexError, match="random state index out of range"):
        mx.random.state[1]
    with pytest.raises(TypeError):
        mx.random.state[0:1]
    with pytest.raises(TypeError):
        mx.random.state[0] = mx.random.key(0)


def test_every_thread_has_a_state_of_its_own():
    mx.random.seed(1)
    seen = []

    def other():
        mx.random.seed(9)
        seen.extend(mx.random.state[0].tolist())

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()

    assert seen == [0, 9]
    assert mx.random.state[0].tolist() == [0, 1]


def test_a_key_given_leaves_the_state_alone():
    mx.random.seed(4)

    mx.random.uniform(shape=(3,), key=mx.random.key(1))

    assert mx.random.state[0].tolist() == [0, 4]


def test_evaluating_the_state_evaluates_its_key():
    mx.random.seed(5)
    expected = mx.random.split(mx.random.key(5))[0].tolist()
    mx.random.uniform()

    mx.eval(mx.random.state)

    assert mx.random.state[0].tolist() == expected


def test_a_compiled_function_that_captures_the_state_draws_as_it_would_without():
    def draw():
        return mx.random.uniform(shape=(2,))

    mx.random.seed(6)
    expected = [draw().tolist() for _ in range(4)]

    compiled = mx.compile(draw, inputs=[mx.random.state], outputs=[mx.random.state])
    mx.random.seed(6)
    drawn = [compiled().tolist() for _ in range(3)] + [draw().tolist()]

    assert_close(mx.array(drawn), expected)  # compiled, it may round otherwise
