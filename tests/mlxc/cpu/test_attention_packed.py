"""Attention over packed keys and values is attention over what they stand for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from support.assert_close import as_numpy, assert_close

import mlxc as mx
from mlxc.fast import _composed

pytestmark = pytest.mark.native

RANDOM = np.random.default_rng(8)


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    before = mx.cpu_kernels()
    yield
    mx.cpu_kernels(before.enabled, instruction_set=before.instruction_set)


@pytest.fixture(params=["portable", "neon", "avx2", "avx512"])
def instruction_set(request: pytest.FixtureRequest) -> str:
    try:
        mx.cpu_kernels(instruction_set=request.param)
    except ValueError:
        pytest.skip("this processor lacks it")
    return str(request.param)


def normal(*shape: int, dtype: mx.Dtype = mx.float32) -> mx.array:
    return mx.array(RANDOM.standard_normal(shape).astype(np.float32)).astype(dtype)


class Packed:
    """Queries, and keys and values both packed and as they are then."""

    def __init__(
        self,
        L: int = 3,
        S: int = 150,
        D: int = 64,
        D_v: int = 128,
        group_size: int = 32,
        bits: int = 4,
        dtype: mx.Dtype = mx.float32,
    ) -> None:
        self.form = {"group_size": group_size, "bits": bits}
        self.q = normal(2, 4, L, D, dtype=dtype)
        self.k = mx.quantize(normal(2, 2, S, D, dtype=dtype), **self.form)
        self.v = mx.quantize(normal(2, 2, S, D_v, dtype=dtype), **self.form)

    def attend(self, mask: str | mx.array | None = None, sinks: mx.array | None = None) -> mx.array:
        return mx.fast.quantized_scaled_dot_product_attention(
            self.q, self.k, self.v, scale=0.125, mask=mask, sinks=sinks, **self.form
        )

    def expected(
        self, mask: str | mx.array | None = None, sinks: mx.array | None = None
    ) -> mx.array:
        k, v = (mx.dequantize(*packed, **self.form) for packed in (self.k, self.v))
        return mx.fast.scaled_dot_product_attention(
            self.q, k, v, scale=0.125, mask=mask, sinks=sinks
        )


@pytest.mark.parametrize("bits", [2, 3, 4, 5, 6, 8])
@pytest.mark.parametrize("group_size", [32, 64])
def test_all_ways_to_pack_are_read(group_size: int, bits: int, instruction_set: str) -> None:
    for L, S in ((1, 1), (3, 150), (30, 64)):
        packed = Packed(L, S, group_size=group_size, bits=bits)
        assert_close(packed.attend("causal"), packed.expected("causal"))


@pytest.mark.parametrize("dtype", [mx.float32, mx.float16, mx.bfloat16], ids=str)
@pytest.mark.parametrize("L", [1, 40])
def test_all_types_are_read(dtype: mx.Dtype, L: int, instruction_set: str) -> None:
    packed = Packed(L, bits=8, dtype=dtype)
    assert packed.attend().dtype == dtype
    assert_close(packed.attend(), packed.expected())


@pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16], ids=str)
def test_scales_of_half_types_count_as_what_they_are_in_float32(
    dtype: mx.Dtype, instruction_set: str
) -> None:
    for L in (1, 40):
        packed = Packed(L, dtype=dtype)
        packed.q = packed.q.astype(mx.float32)
        found = packed.attend("causal")
        for three in (packed.k, packed.v):
            three[1:] = [a.astype(mx.float32) for a in three[1:]]
        assert found.dtype == mx.float32
        np.testing.assert_array_equal(np.array(found), np.array(packed.attend("causal")))


def masks(L: int, S: int) -> list[str | mx.array | None]:
    return [
        None,
        "causal",
        normal(L, S) > 0,
        normal(S) > 0,
        normal(2, 1, L, S),
        normal(2, 4, L, 1) > 0,
        normal(4, L, S),
    ]


@pytest.mark.parametrize("kernels", [True, False])
@pytest.mark.parametrize("sinks", [True, False])
def test_masks_and_sinks_are_those_of_plain_attention(kernels: bool, sinks: bool) -> None:
    packed, sink = Packed(), normal(4) if sinks else None
    for mask in masks(3, 150):
        mx.cpu_kernels(True)
        expected = packed.expected(mask, sink)
        mx.cpu_kernels(kernels)
        assert_close(packed.attend(mask, sink), expected)


@pytest.mark.parametrize("mask", ["causal", None])
def test_what_stands_in_elsewhere_answers_alike(mask: str | None) -> None:
    packed = Packed()
    found = _composed.quantized_attention(
        packed.q, [*packed.k, *packed.v], 0.125, 32, 4, mask, None, mx.cpu
    )
    assert_close(found, packed.attend(mask))


def test_packed_views_of_a_cache_are_read_where_they_lie(instruction_set: str) -> None:
    packed = Packed(1, 512)
    packed.k, packed.v = ([a[:, :, 9:300] for a in three] for three in (packed.k, packed.v))
    assert_close(packed.attend(), packed.expected())


def test_a_result_depends_on_its_query_alone(instruction_set: str) -> None:
    packed = Packed(100, 400)
    whole = as_numpy(packed.attend("causal"))
    q, k, v = packed.q, packed.k, packed.v
    for begin, end in ((0, 1), (50, 53), (99, 100)):
        packed.q = q[:, :, begin:end]
        packed.k, packed.v = ([a[:, :, : 300 + end] for a in three] for three in (k, v))
        np.testing.assert_array_equal(as_numpy(packed.attend("causal")), whole[:, :, begin:end])


def test_gradients_reach_the_queries() -> None:
    packed = Packed(D_v=64)

    def loss(q: mx.array) -> mx.array:
        packed.q = q
        return (packed.attend("causal") ** 2).sum()

    found = mx.grad(loss)(packed.q)
    mx.cpu_kernels(False)
    assert_close(found, mx.grad(loss)(packed.q))


def test_what_does_not_fit_is_refused() -> None:
    packed = Packed()
    q, k, v = packed.q, packed.k, packed.v
    for of_q, of_k, of_v, words in (
        (q, k[:2], v, "three|weight, scales and biases"),
        (q[0], k, v, "must be"),
        (q[:1], k, v, "must have the B"),
        (q[:, :3], k, v, "multiple of their heads"),
        (q[..., :32], k, v, "the D of k"),
        (q, k, mx.quantize(normal(2, 2, 150, 64), 64, 4), "packed with group_size 32"),
        (q, k, [a[:, :, :9] for a in v], "must be"),
    ):
        packed.q, packed.k, packed.v = of_q, of_k, of_v
        with pytest.raises(ValueError, match=words):
            packed.attend()
    packed.q, packed.k, packed.v = q, k, v
    with pytest.raises(ValueError, match="mask must be"):
        packed.attend("full")
