"""The greatest elements of rows: what sorting them keeps."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
from support.assert_close import as_numpy
from support.kernels import FLOATS, cpu_kernels, instruction_sets

import mlxc as mx
from mlxc.fast import _composed

pytestmark = pytest.mark.native


@pytest.fixture(autouse=True, params=instruction_sets())
def instruction_set(request: pytest.FixtureRequest) -> Iterator[None]:
    with cpu_kernels(instruction_set=request.param):
        yield


def scores(*shape: int, seed: int = 0) -> mx.array:
    x = mx.array(np.random.default_rng(seed).standard_normal(shape).astype(np.float32) * 3)
    return x - mx.logsumexp(x, axis=-1, keepdims=True)


def top_p(x: mx.array, p: float) -> np.ndarray:
    """Sorted and added up in float64."""
    rows = as_numpy(x).astype(np.float64)
    order = np.argsort(rows, axis=-1, kind="stable")
    reached = np.cumsum(np.exp(np.take_along_axis(rows, order, -1)), -1)
    kept = np.zeros(rows.shape, bool)
    last = np.arange(rows.shape[-1]) == rows.shape[-1] - 1
    np.put_along_axis(kept, order, (reached > 1 - p) | last, -1)
    return np.where(kept, as_numpy(x), -np.inf)


@pytest.mark.parametrize("length", [2, 511, 512, 513, 600, 5003])
def test_the_greatest_stay(length: int) -> None:
    x = scores(3, length)
    for k in {1, 2, length // 2, length - 1, length, length + 5} - {0}:
        least = np.sort(as_numpy(x), -1)[:, -min(k, length), None]
        y = as_numpy(mx.fast.keep_top_k(x, k))
        np.testing.assert_array_equal(y, np.where(as_numpy(x) >= least, as_numpy(x), -np.inf))


def test_of_equal_elements_as_many_stay_as_asked_for() -> None:
    for values in ([0.0], [0.0, -0.0], [1.0, 2.0], [-np.inf, 3.0], [np.inf, 1.0]):
        x = mx.array(np.tile(np.array(values, np.float32), 600))
        for k in (1, 7, 600, 601, x.size - 1):
            y = as_numpy(mx.fast.keep_top_k(x, k))
            expected = np.sort(as_numpy(x))[-k:]
            np.testing.assert_array_equal(np.sort(y)[-k:], expected)
            assert np.isneginf(np.sort(y)[:-k]).all()


@pytest.mark.parametrize("p", [1e-9, 0.1, 0.5, 0.9, 0.95, 0.9999])
@pytest.mark.parametrize("length", [2, 513, 5003, 49152])
def test_the_likeliest_stay_up_to_a_probability(p: float, length: int) -> None:
    x = scores(2, length, seed=length)
    y = as_numpy(mx.fast.keep_top_p(x, p))
    expected = top_p(x, p)
    different = np.isneginf(y) != np.isneginf(expected)
    # What is added up in float32 may part one element earlier or later.
    assert (different.sum(-1) <= 1 + length // 10000).all()
    np.testing.assert_array_equal(y[~different], expected[~different])


def test_of_equally_likely_elements_the_last_stay() -> None:
    x = mx.full((1024,), -np.log(1024.0))
    y = as_numpy(mx.fast.keep_top_p(x, 0.25))
    kept = np.isfinite(y)
    assert kept[-256:].all()
    assert kept.sum() in (256, 257)


def test_the_likeliest_always_stays() -> None:
    x = mx.where(mx.arange(1000) == 7, 0.0, -mx.inf)
    for p in (1e-12, 0.5, 1.0):
        y = as_numpy(mx.fast.keep_top_p(x, p))
        assert np.flatnonzero(np.isfinite(y)).tolist() == [7]
    same = mx.zeros((600,))
    assert np.isfinite(as_numpy(mx.fast.keep_top_p(same, 1e-12))).any()


VIEWS = {
    "transposed": lambda: scores(600, 4).T,
    "columns apart": lambda: scores(3, 1200)[:, ::2],
    "backwards": lambda: scores(3, 600)[:, ::-1],
    "three axes": lambda: scores(2, 3, 600).transpose(1, 0, 2),
    "broadcast": lambda: mx.broadcast_to(scores(600), (3, 600)),
    "no rows": lambda: scores(1, 600)[:0],
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_views_are_read_as_they_are_seen(view) -> None:
    x = view()
    before = as_numpy(x).copy()
    plain = mx.array(before)
    for keep, option in ((mx.fast.keep_top_k, 9), (mx.fast.keep_top_p, 0.8)):
        y = as_numpy(keep(x, option))
        np.testing.assert_array_equal(y, as_numpy(keep(plain, option)))
    np.testing.assert_array_equal(as_numpy(x), before)


@pytest.mark.parametrize("dtype", FLOATS, ids=repr)
def test_what_stands_in_for_the_kernel_keeps_the_same(dtype: mx.Dtype) -> None:
    x = scores(2, 700).astype(dtype)
    steps = mx.arange(700) * 1e-3  # half types have equal elements otherwise
    x = (-steps[None] * 9 - 1).astype(dtype) if dtype != mx.float32 else x
    for name, option in (("keep_top_k", 12), ("keep_top_p", 0.7)):
        ours = getattr(mx.fast, name)(x, option)
        composed = getattr(_composed, name)(x, option, None)
        with cpu_kernels(False):
            theirs = getattr(mx.fast, name)(x, option)
        assert ours.dtype == theirs.dtype == composed.dtype == dtype
        np.testing.assert_array_equal(as_numpy(theirs), as_numpy(composed))
        if name == "keep_top_k":
            assert np.isfinite(as_numpy(ours)).sum() == 2 * option or dtype != mx.float32
        if dtype == mx.float32:
            np.testing.assert_array_equal(as_numpy(ours), as_numpy(theirs))


KEEPERS = (
    partial(mx.fast.keep_top_k, k=5),
    partial(mx.fast.keep_top_p, p=0.6),
    partial(_composed.keep_top_k, k=5, stream=None),
    partial(_composed.keep_top_p, p=0.6, stream=None),
)


def test_operations_are_transformed() -> None:
    x = scores(3, 600)

    def finite(y: mx.array) -> mx.array:
        return mx.where(y > -1e30, y, 0.0).sum()

    for keep in KEEPERS:
        y = as_numpy(keep(x))
        np.testing.assert_array_equal(as_numpy(mx.compile(keep)(x)), y)
        gradient = mx.grad(lambda x, keep=keep: finite(keep(x)))(x)
        np.testing.assert_array_equal(as_numpy(gradient), np.isfinite(y))


@pytest.mark.parametrize("axis", [0, 1])
def test_operations_are_vectorized(axis: int) -> None:
    x = scores(3, 600)
    for keep in KEEPERS[:2]:
        y = mx.vmap(keep, in_axes=axis)(x if axis == 0 else x.T)
        np.testing.assert_array_equal(as_numpy(y), as_numpy(keep(x)))


def test_other_bounds_are_other_operations() -> None:
    x = scores(600)
    a, b = mx.compile(lambda x: (mx.fast.keep_top_k(x, 5), mx.fast.keep_top_k(x, 6)))(x)
    assert [int(np.isfinite(as_numpy(y)).sum()) for y in (a, b)] == [5, 6]


@pytest.mark.parametrize("of", [mx.fast, None], ids=["kernel", "composed"])
def test_what_does_not_fit_is_refused(of) -> None:
    def call(name: str, *given: object) -> mx.array:
        return getattr(of, name)(*given) if of else getattr(_composed, name)(*given, None)

    with pytest.raises(ValueError, match="k must be"):
        call("keep_top_k", scores(9), 0)
    with pytest.raises(ValueError, match="p must be"):
        call("keep_top_p", scores(9), 0.0)
    for name, option in (("keep_top_k", 1), ("keep_top_p", 0.5)):
        for x in (mx.array(1.0), mx.array([1, 2])):
            with pytest.raises(ValueError, match="rows of floats"):
                call(name, x, option)
