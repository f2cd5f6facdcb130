"""Attention is the same as MLX's, and a query's result depends on that query alone."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.assert_close import as_numpy, assert_close

import mlxc as mx

pytestmark = pytest.mark.native

SETS = ["portable", "neon", "avx2", "avx512"]
RANDOM = np.random.default_rng(7)


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    before, threads = mx.cpu_kernels(), mx.num_threads()
    yield
    mx.cpu_kernels(before.enabled, instruction_set=before.instruction_set)
    mx.set_num_threads(threads)


@pytest.fixture(params=SETS)
def instruction_set(request: pytest.FixtureRequest) -> str:
    try:
        mx.cpu_kernels(instruction_set=request.param)
    except ValueError:
        pytest.skip("this processor lacks it")
    return str(request.param)


def normal(*shape: int, dtype: mx.Dtype = mx.float32) -> mx.array:
    return mx.array(RANDOM.standard_normal(shape).astype(np.float32)).astype(dtype)


def qkv(
    shape: tuple[int, int, int, int, int],
    D: int = 64,
    D_v: int | None = None,
    dtype: mx.Dtype = mx.float32,
) -> tuple[mx.array, mx.array, mx.array]:
    B, H, H_kv, L, S = shape
    return (
        normal(B, H, L, D, dtype=dtype),
        normal(B, H_kv, S, D, dtype=dtype),
        normal(B, H_kv, S, D_v or D, dtype=dtype),
    )


def attend(
    q: mx.array,
    k: mx.array,
    v: mx.array,
    mask: str | mx.array | None = None,
    sinks: mx.array | None = None,
) -> mx.array:
    scale = q.shape[-1] ** -0.5
    return mx.fast.scaled_dot_product_attention(q, k, v, scale=scale, mask=mask, sinks=sinks)


def naive(
    q: mx.array,
    k: mx.array,
    v: mx.array,
    mask: str | mx.array | None = None,
    sinks: mx.array | None = None,
) -> np.ndarray:
    """Attention in float64."""
    q, k, v = (as_numpy(a).astype(np.float64) for a in (q, k, v))
    B, H, L, D = q.shape
    S, shared = k.shape[2], H // k.shape[1]
    k, v = np.repeat(k, shared, 1), np.repeat(v, shared, 1)
    scores = q @ k.swapaxes(-1, -2) * D**-0.5
    if isinstance(mask, str):
        behind = np.arange(L)[:, None] + max(S - L, 0) >= np.arange(S)
        scores = np.where(behind, scores, -np.inf)
    elif mask is not None and mask.dtype == mx.bool_:
        scores = np.where(np.array(mask), scores, np.finfo(np.float32).min)
    elif mask is not None:
        scores = scores + as_numpy(mask)
    if sinks is not None:
        sink = np.broadcast_to(as_numpy(sinks)[None, :, None, None], (B, H, L, 1))
        scores = np.concatenate([scores, sink], -1)
    with np.errstate(invalid="ignore"):
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights = (weights / weights.sum(-1, keepdims=True))[..., :S]
    return weights @ v


# B, H, H_kv, L, S
SHAPES = [
    (1, 1, 1, 1, 1),
    (1, 9, 3, 1, 100),
    (2, 4, 2, 1, 700),
    (1, 8, 1, 3, 65),
    (2, 6, 6, 7, 7),
    (1, 4, 2, 100, 100),
    (1, 2, 1, 70, 330),
    (1, 2, 2, 30, 40),
]


def test_causal_queries_that_see_nothing_are_as_in_mlx() -> None:
    q, k, v = normal(1, 2, 5, 64), normal(1, 2, 3, 64), normal(1, 2, 3, 64)
    found = as_numpy(attend(q, k, v, "causal"))

    mx.cpu_kernels(False)

    assert_close(attend(q, k, v, "causal"), found)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mask", [None, "causal"])
def test_attention_follows_its_formula(
    shape: tuple[int, int, int, int, int], mask: str | None, instruction_set: str
) -> None:
    q, k, v = qkv(shape)
    assert_close(attend(q, k, v, mask), naive(q, k, v, mask))


@pytest.mark.parametrize(("D", "D_v"), [(1, 1), (7, 5), (80, 80), (96, 33), (128, 128), (192, 64)])
@pytest.mark.parametrize("dtype", [mx.float32, mx.float16, mx.bfloat16], ids=str)
def test_features_may_be_any_and_others_in_values(
    D: int, D_v: int, dtype: mx.Dtype, instruction_set: str
) -> None:
    for L in (1, 9):
        q, k, v = qkv((1, 4, 2, L, 77), D, D_v, dtype)
        result = attend(q, k, v, "causal")
        assert result.dtype == dtype
        assert_close(result, naive(q, k, v, "causal"))


@pytest.mark.parametrize(
    "shape", [(), (1,), (90,), (1, 1), (5, 1), (5, 90), (4, 1, 90), (2, 1, 5, 90), (1, 4, 5, 90)]
)
@pytest.mark.parametrize("kind", [mx.bool_, mx.float32, mx.float16, mx.int32], ids=str)
def test_masks_broadcast(shape: tuple[int, ...], kind: mx.Dtype, instruction_set: str) -> None:
    q, k, v = qkv((2, 4, 2, 5, 90), 32)
    numbers = RANDOM.standard_normal(shape) * 2
    mask = mx.array(numbers > -1) if kind == mx.bool_ else mx.array(numbers).astype(kind)
    assert_close(attend(q, k, v, mask), naive(q, k, v, mask))


def test_masks_may_be_strided(instruction_set: str) -> None:
    q, k, v = qkv((2, 4, 2, 5, 90), 32)
    turned = normal(90, 5).T
    every_other = normal(5, 180)[:, ::2]
    for mask in (turned, every_other, turned > 0, every_other > 0):
        assert_close(attend(q, k, v, mask), naive(q, k, v, mask))


@pytest.mark.parametrize("dtype", [mx.float32, mx.bfloat16], ids=str)
def test_a_query_that_sees_no_key_gets_what_mlx_gives_it(
    dtype: mx.Dtype, instruction_set: str
) -> None:
    q, k, v = qkv((1, 4, 2, 6, 300), 32, dtype=dtype)
    shown = mx.arange(6)[:, None] * 60 > mx.arange(300)  # the first query sees nothing
    sinks = normal(4, dtype=dtype)
    minus_infinity = mx.where(shown, mx.array(0.0, dtype), mx.array(-math.inf, dtype))
    for mask in (shown, mx.zeros((1, 1), mx.bool_), minus_infinity):
        for sink in (None, sinks):
            result = attend(q, k, v, mask, sink)
            mx.cpu_kernels(False)
            assert_close(result, attend(q, k, v, mask, sink))
            mx.cpu_kernels(True)


@pytest.mark.parametrize("L", [1, 4, 40])
def test_sinks_take_their_part(L: int, instruction_set: str) -> None:
    q, k, v = qkv((2, 6, 2, L, 520))
    sinks = normal(6) * 3
    assert_close(attend(q, k, v, "causal", sinks), naive(q, k, v, "causal", sinks))
    assert_close(attend(q, k, v, None, sinks), naive(q, k, v, None, sinks))


def test_a_window_of_keys(instruction_set: str) -> None:
    q, k, v = qkv((1, 4, 2, 150, 400))
    queries, keys = mx.arange(250, 400)[:, None], mx.arange(400)
    mask = (queries >= keys) & (queries < keys + 70)
    assert_close(attend(q, k, v, mask), naive(q, k, v, mask))


@pytest.mark.parametrize("L", [1, 20])
def test_views_of_a_cache_are_read_where_they_lie(L: int, instruction_set: str) -> None:
    q = normal(2, L, 4, 64).transpose(0, 2, 1, 3)
    buffers = normal(2, 2, 512, 64), normal(2, 2, 512, 64)
    k, v = (buffer[:, :, 30:417] for buffer in buffers)
    assert_close(attend(q, k, v), naive(q, k, v))
    turned = normal(2, 2, 64, 387).swapaxes(2, 3)
    assert_close(attend(q, turned, turned), naive(q, turned, turned))
    same = mx.broadcast_to(normal(1, 1, 387, 64), (2, 2, 387, 64))
    assert_close(attend(q, same, same), naive(q, same, same))


@pytest.mark.parametrize(
    ("dtype", "held"),
    [(mx.float32, mx.float32), (mx.bfloat16, mx.bfloat16), (mx.float32, mx.float16)],
    ids=str,
)
@pytest.mark.parametrize("D", [64, 80])
def test_a_result_depends_on_its_query_alone(
    dtype: mx.Dtype, held: mx.Dtype, D: int, instruction_set: str
) -> None:
    q, k, v = qkv((2, 6, 2, 150, 700), D, dtype=dtype)
    k, v = k.astype(held), v.astype(held)
    whole = as_numpy(attend(q, k, v, "causal"))
    for threads in (1, 2, 3):
        mx.set_num_threads(threads)
        for begin, end in ((0, 1), (149, 150), (20, 27), (3, 90), (0, 150)):
            S = 550 + end
            part = attend(q[:, :, begin:end], k[:, :, :S], v[:, :, :S], "causal")
            np.testing.assert_array_equal(as_numpy(part), whole[:, :, begin:end])
    one = attend(q[1:, 3:], k[1:, 1:], v[1:, 1:], "causal")
    np.testing.assert_array_equal(as_numpy(one), whole[1:, 3:])


def test_long_caches_are_attended_to_as_accurately() -> None:
    q, k, v = qkv((1, 2, 1, 2, 20_000))
    expected = naive(q * 4, k, v, "causal")
    found = np.abs(np.array(attend(q * 4, k, v, "causal")) - expected).max()
    assert found < 1e-5 * np.abs(expected).max()


def test_special_values_spread_as_they_do_in_mlx(instruction_set: str) -> None:
    for value in (math.nan, math.inf, -math.inf, 1e30):
        for place in range(3):
            arrays = [np.array(a) for a in qkv((1, 2, 1, 3, 70), 16)]
            arrays[place][0, 0, 1, 2] = value
            q, k, v = map(mx.array, arrays)
            result = attend(q, k, v)
            mx.cpu_kernels(False)
            assert_close(result, attend(q, k, v))
            mx.cpu_kernels(True)


def test_types_are_promoted_as_in_mlx() -> None:
    q, k, v = qkv((1, 2, 1, 3, 10), 16)
    for mixed in ((q.astype(mx.float16), k, v), (q.astype(mx.bfloat16), k.astype(mx.float16), v)):
        result = attend(*mixed)
        assert result.dtype == mx.float32
        assert_close(result, naive(*mixed))


def test_half_keys_and_values_of_two_types_are_promoted_too() -> None:
    q, k, v = qkv((1, 2, 1, 3, 10), 16)
    k, v = k.astype(mx.float16), v.astype(mx.bfloat16)
    result = attend(q, k, v)
    assert result.dtype == mx.float32
    assert_close(result, naive(q, k, v))


@pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16], ids=str)
@pytest.mark.parametrize("D", [64, 80, 33, 4])
def test_half_keys_and_values_count_as_what_they_are_in_float32(
    dtype: mx.Dtype, D: int, instruction_set: str
) -> None:
    for L, S in ((1, 1), (1, 77), (3, 700), (90, 300)):
        q, k, v = qkv((2, 6, 2, L, S), D)
        k, v = k.astype(dtype), v.astype(dtype)
        wide = k.astype(mx.float32), v.astype(mx.float32)
        sinks, added, shown = normal(6), normal(L, S), normal(S) > 0
        for mask, sink in ((None, None), ("causal", None), (added, None), (shown, sinks)):
            result = attend(q, k, v, mask, sink)
            assert result.dtype == mx.float32
            np.testing.assert_array_equal(np.array(result), np.array(attend(q, *wide, mask, sink)))


def test_a_query_costs_no_copy_of_half_keys_and_values() -> None:
    q = normal(1, 4, 1, 64)
    k, v = normal(1, 2, 30_000, 64, dtype=mx.float16), normal(1, 2, 30_000, 64, dtype=mx.float16)
    mx.eval(q, k, v)
    before = mx.get_active_memory()
    mx.reset_peak_memory()
    mx.eval(attend(q, k, v))
    assert mx.get_peak_memory() - before < k.nbytes / 4


def test_gradients_have_the_types_of_half_keys_and_values() -> None:
    q, k, v = qkv((1, 4, 2, 5, 9), 16)
    k, v = k.astype(mx.float16), v.astype(mx.float16)

    def loss(q: mx.array, k: mx.array, v: mx.array) -> mx.array:
        return (attend(q, k, v, "causal") ** 2).sum()

    found = mx.grad(loss, argnums=(0, 1, 2))(q, k, v)
    mx.cpu_kernels(False)
    expected = mx.grad(loss, argnums=(0, 1, 2))(q, k, v)
    assert [a.dtype for a in found] == [mx.float32, mx.float16, mx.float16]
    for a, b in zip(found, expected, strict=True):
        assert_close(a, b)


def test_what_no_kernel_fits_is_refused_or_done_by_mlx() -> None:
    q, k, v = qkv((1, 4, 2, 3, 10), 16)
    wrong = [
        (q[0], k, v, None, None),
        (q, k[..., :8], v, None, None),
        (q, k, v[:, :, :9], None, None),
        (q[:, :3], k, v, None, None),
        (q, k, v, mx.zeros((4, 10)), None),
        (q.astype(mx.float16), k.astype(mx.float16), v.astype(mx.float16), mx.zeros((3, 10)), None),
        (q, k, v, None, mx.zeros((3,))),
        (q.astype(mx.int32), k.astype(mx.int32), v.astype(mx.int32), None, None),
    ]
    for arguments in wrong:
        mx.cpu_kernels(False)
        with pytest.raises(ValueError, match="shape|rank|multiple|type") as theirs:
            attend(*arguments)
        mx.cpu_kernels(True)
        with pytest.raises(ValueError, match="shape|rank|multiple|type") as ours:
            attend(*arguments)
        assert str(ours.value) == str(theirs.value)
    assert attend(q[:, :, :0], k, v).shape == (1, 4, 0, 16)
    assert attend(q[:0], k[:0], v[:0]).shape == (0, 4, 3, 16)


def test_heads_are_joined_without_a_copy() -> None:
    q, k, v = qkv((2, 4, 2, 5, 10))
    result = attend(q, k, v)
    mx.eval(result)
    joined = result.transpose(0, 2, 1, 3).reshape(2, 5, -1)
    before = mx.get_active_memory()
    mx.eval(joined)
    assert mx.get_active_memory() == before
    expected = naive(q, k, v)
    assert_close(joined, expected.transpose(0, 2, 1, 3).reshape(2, 5, -1))
    assert_close(result + 0, expected)
    assert_close(result[:, 1:, ::2], expected[:, 1:, ::2])


def test_gradients_and_transforms_go_through_mlx() -> None:
    q, k, v = qkv((2, 4, 2, 5, 9), 16)
    mask, sinks = normal(5, 9), normal(4)

    def loss(q: mx.array, k: mx.array, v: mx.array, mask: mx.array, sinks: mx.array) -> mx.array:
        return (attend(q, k, v, mask, sinks) ** 2).sum()

    every = range(5)
    arguments = (q, k, v, mask, sinks)
    tangents = [normal(*a.shape) for a in arguments]
    found = mx.grad(loss, argnums=tuple(every))(*arguments)
    pushed = mx.jvp(attend, list(arguments), tangents)[1][0]
    batched = mx.vmap(attend, in_axes=(0, None, 0, None, None))(
        q[:, None], k[:1], v[:, None], mask, sinks
    )
    mx.cpu_kernels(False)
    for a, b in zip(found, mx.grad(loss, argnums=tuple(every))(*arguments), strict=True):
        assert_close(a, b)
    assert_close(pushed, mx.jvp(attend, list(arguments), tangents)[1][0])
    expected = mx.stack([attend(q[i : i + 1], k[:1], v[i : i + 1], mask, sinks) for i in range(2)])
    assert_close(batched, expected)


@pytest.mark.parametrize("shapeless", [False, True])
def test_compiled_attention_is_attention(shapeless: bool) -> None:
    compiled = mx.compile(lambda q, k, v: attend(q, k, v, "causal") * 2, shapeless=shapeless)
    for S in (5, 300, 7):
        q, k, v = qkv((1, 4, 2, 3, S), 32, 16)
        assert_close(compiled(q, k, v), naive(q, k, v, "causal") * 2)


@given(
    st.tuples(*map(st.integers, [1] * 5, [2, 4, 3, 20, 300])),
    st.integers(1, 70),
    st.integers(1, 40),
)
def test_any_shape_is_attended_to(shape: tuple[int, int, int, int, int], D: int, D_v: int) -> None:
    B, shared, H_kv, L, S = shape
    q, k, v = qkv((B, shared * H_kv, H_kv, L, S), D, D_v)
    assert_close(attend(q, k, v, "causal"), naive(q, k, v, "causal"))
