"""float32 is rounded to half types as MLX and numpy round it, however it lies."""

from __future__ import annotations

import numpy as np
import pytest
from support.assert_close import as_numpy
from support.kernels import cpu_kernels, instruction_sets

import mlxc as mx

pytestmark = pytest.mark.native
HALF = [mx.float16, mx.bfloat16]


def every_magnitude(size: int) -> np.ndarray:
    """Numbers from below the least half to above the greatest, halfway cases and special ones."""
    random = np.random.default_rng(3)
    halves = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float32)
    between = (halves[:-1] + halves[1:]) / 2
    special = np.array([np.inf, -np.inf, np.nan, 65519.996, 65520, 1e38, 2**-25, 1e-45, -0.0])
    wide = np.exp(random.uniform(-30, 20, size)) * random.choice([-1, 1], size)
    return np.concatenate([halves, between, special, wide]).astype(np.float32)


@pytest.mark.parametrize("isa", instruction_sets())
@pytest.mark.parametrize("threads", [1, 3])
def test_float16_is_what_numpy_rounds_to(isa: str, threads: int) -> None:
    x = every_magnitude(300_001)
    with np.errstate(over="ignore"):
        expected = x.astype(np.float16)

    with cpu_kernels(instruction_set=isa, threads=threads):
        found = np.array(mx.array(x).astype(mx.float16))

    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))


@pytest.mark.parametrize("isa", instruction_sets())
@pytest.mark.parametrize("dtype", HALF, ids=str)
def test_kernels_round_as_mlx_does(isa: str, dtype: mx.Dtype) -> None:
    x = mx.array(every_magnitude(1000))
    with cpu_kernels(False):
        expected = as_numpy(x.astype(dtype))

    with cpu_kernels(instruction_set=isa):
        found = mx.astype(x, dtype)

    assert found.dtype == dtype
    np.testing.assert_array_equal(as_numpy(found), expected)


@pytest.mark.parametrize("dtype", HALF, ids=str)
def test_views_are_converted_as_they_lie(dtype: mx.Dtype) -> None:
    x = mx.array(np.arange(210, dtype=np.float32).reshape(5, 6, 7) - 90)
    views = {
        "turned": x.transpose(2, 0, 1),
        "every other": x[:, ::2, 1:],
        "backwards": x[::-1],
        "broadcast": mx.broadcast_to(x[:1], (4, 6, 7)),
        "one": x[0, 0, 0],
        "none": x[:0],
    }
    for name, view in views.items():
        np.testing.assert_array_equal(as_numpy(view.astype(dtype)), np.array(view), err_msg=name)


@pytest.mark.parametrize("dtype", HALF, ids=str)
def test_gradients_vmap_and_compile_go_through(dtype: mx.Dtype) -> None:
    x = mx.array(np.linspace(-3, 3, 35, dtype=np.float32).reshape(5, 7))

    def loss(x: mx.array) -> mx.array:
        return (x.astype(dtype) ** 2).sum()

    found = mx.grad(loss)(x)
    assert found.dtype == mx.float32
    assert mx.array_equal(found, 2 * x.astype(dtype).astype(mx.float32))
    assert mx.array_equal(mx.vmap(lambda row: row.astype(dtype))(x), x.astype(dtype))
    both = mx.compile(lambda x: (x.astype(dtype), x.astype(mx.float16)))
    for one, other in zip(both(x), (x.astype(dtype), x.astype(mx.float16)), strict=True):
        assert one.dtype == other.dtype
        assert mx.array_equal(one, other)
