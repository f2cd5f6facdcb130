"""Long rows sorted by their digits, and draws among them."""

from __future__ import annotations

import numpy as np
import pytest
from support.assert_close import as_numpy
from support.kernels import FLOATS, cpu_kernels

import mlxc as mx

pytestmark = pytest.mark.native


def numbers(shape: tuple[int, ...], dtype: mx.Dtype = mx.float32, seed: int = 0) -> mx.array:
    rng = np.random.default_rng(seed)
    return mx.array(4 * rng.standard_normal(shape).astype(np.float32)).astype(dtype)


def order(x: mx.array) -> np.ndarray:
    return np.argsort(as_numpy(x), axis=-1, kind="stable")


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("length", [1, 511, 512, 513, 5000])
def test_rows_are_sorted_and_equal_elements_keep_their_order(dtype: mx.Dtype, length: int) -> None:
    x = numbers((3, length), dtype)  # half types have many equal ones
    assert (np.array(mx.argsort(x, axis=-1)) == order(x)).all()


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_special_values_have_their_places(dtype: mx.Dtype) -> None:
    values = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-7, -1e-7, 6e4, -6e4], np.float32)
    x = mx.array(np.tile(values, 100)).astype(dtype)
    found = np.array(mx.argsort(x))
    assert (found == order(x)).all()
    x = mx.full((600,), -np.inf, dtype)
    assert mx.argsort(x).tolist() == list(range(600))


VIEWS = {
    "transposed": lambda: numbers((600, 4)).T,
    "columns apart": lambda: numbers((3, 1200))[:, ::2],
    "backwards": lambda: numbers((3, 600))[:, ::-1],
    "three axes": lambda: numbers((2, 3, 600)).transpose(1, 0, 2),
    "broadcast": lambda: mx.broadcast_to(numbers((600,)), (3, 600)),
    "no rows": lambda: numbers((0, 600)),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_views_are_sorted_as_they_are_seen(view) -> None:
    x = view()
    assert (np.array(mx.argsort(x, axis=-1)) == order(x)).all()


def test_other_axes_and_types_go_to_mlx() -> None:
    x = numbers((600, 3))
    assert (np.array(mx.argsort(x, axis=0)) == np.argsort(np.array(x), axis=0)).all()
    assert (np.array(mx.argsort(x, axis=None)) == np.argsort(np.array(x).reshape(-1))).all()
    integers = mx.array(np.arange(600)[::-1].copy())
    assert mx.argsort(integers).tolist() == list(range(600))[::-1]


@pytest.mark.parametrize("kth", [0, 39, -1, -600, 300])
def test_partitions_have_the_smaller_elements_in_front(kth: int) -> None:
    x = numbers((2, 600))
    places = np.array(mx.argpartition(x, kth=kth, axis=-1)).astype(np.int64)
    parted = np.take_along_axis(np.array(x), places, -1)
    pivot = parted[:, kth, None]
    assert (np.sort(places, -1) == np.arange(600)).all()
    assert (pivot[:, 0] == np.sort(np.array(x), -1)[:, kth]).all()
    assert (parted[:, : kth % 600] <= pivot).all()
    assert (parted[:, kth % 600 :] >= pivot).all()


def test_a_place_outside_is_refused_as_by_mlx() -> None:
    with pytest.raises(ValueError, match="kth"):
        mx.argpartition(numbers((600,)), kth=600)


def test_sorting_is_mapped_and_compiled() -> None:
    x = numbers((4, 600))
    for axis in (0, 1):
        mapped = mx.vmap(mx.argsort, in_axes=axis, out_axes=axis)(x if axis == 0 else x.T)
        assert (np.array(mapped if axis == 0 else mapped.T) == order(x)).all()
    compiled = mx.compile(lambda x: mx.argsort(x * 1, axis=-1), shapeless=True)
    for rows in (1, 4):
        assert (np.array(compiled(x[:rows])) == order(x[:rows])).all()


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_draws_are_those_of_mlx(dtype: mx.Dtype) -> None:
    logits = numbers((4, 3000), dtype) / 2
    for seed in range(20):
        ours = mx.random.categorical(logits, key=mx.random.key(seed))
        with cpu_kernels(False):
            theirs = mx.random.categorical(logits, key=mx.random.key(seed))
            assert ours.tolist() == theirs.tolist()
    assert (ours.dtype, tuple(ours.shape)) == (mx.uint32, (4,))


def test_tokens_that_are_forbidden_are_never_drawn() -> None:
    logits = mx.where(mx.arange(1000) == 7, 0.0, -mx.inf)
    for seed in range(5):
        assert mx.random.categorical(logits, key=mx.random.key(seed)).item() == 7
