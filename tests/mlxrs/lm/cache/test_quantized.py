import numpy as np
import pytest
from support.seen import read

import mlxc as mx
from mlxrs.lm.attention import scaled_dot_product_attention
from mlxrs.lm.cache import KVCache, Quantized, QuantizedKVCache, make_prompt_cache
from mlxrs.testing import FakeModel


def drawn(length, features=64, heads=2, batch=1, seed=0):
    return mx.random.normal((batch, heads, length, features), key=mx.random.key(seed))


def test_packed_rows_are_close_to_what_was_written():
    cache = QuantizedKVCache(64, 8)
    keys, values = drawn(5), drawn(5, features=128, seed=1)

    packed_keys, packed_values = cache.update_and_fetch(keys, values)

    for packed, wanted in ((packed_keys, keys), (packed_values, values)):
        assert isinstance(packed, Quantized) and (packed.group_size, packed.bits) == (64, 8)
        got = mx.dequantize(packed.weight, packed.scales, packed.biases, 64, 8)
        assert np.abs(np.array(got - wanted)).max() < 0.02


def test_a_token_packs_itself_alone():
    cache = QuantizedKVCache(64, 4)
    first, _ = cache.update_and_fetch(drawn(3), drawn(3))
    before = np.array(first.weight)

    second, _ = cache.update_and_fetch(drawn(1, seed=2), drawn(1, seed=2))

    np.testing.assert_array_equal(np.array(second.weight)[:, :, :3], before)
    assert cache.nbytes == 256 * 2 * 2 * (64 * 4 // 8 + 8)


def test_all_is_packed_once_the_start_is_reached():
    cache = QuantizedKVCache(64, 8, start=4)

    assert isinstance(cache.update_and_fetch(drawn(3), drawn(3))[0], mx.array)
    assert isinstance(cache.update_and_fetch(drawn(1), drawn(1))[0], mx.array)
    packed, _ = cache.update_and_fetch(drawn(1), drawn(1))
    assert isinstance(packed, Quantized) and packed.weight.shape[2] == 5


def test_a_snapshot_from_before_the_packing_brings_full_precision_back():
    cache = QuantizedKVCache(64, 2, start=3)
    cache.update_and_fetch(drawn(3), drawn(3))
    before = cache.snapshot()
    cache.update_and_fetch(drawn(1), drawn(1))

    cache.restore(before)

    assert cache.offset == 3
    np.testing.assert_array_equal(np.array(cache._rows.slices(0, 3)[0]), np.array(drawn(3)))


def test_a_plain_cache_becomes_a_packed_one():
    plain = KVCache()
    read(plain, [list(range(9))])

    packed = plain.to_quantized(32, 4)

    assert packed.offset == 9 and packed.meta_state == ("9", "32", "4")
    assert read(packed, [[9]]) == read(plain, [[9]])


@pytest.mark.parametrize(
    "meta", [("5",), ("5", "64"), ("4", "64", "8"), ("5", "64", "7"), ("5", "63", "8")]
)
def test_a_foreign_state_is_refused(meta):
    cache = QuantizedKVCache(64, 8)
    read(cache, [list(range(5))])

    with pytest.raises(ValueError):
        QuantizedKVCache.from_state(cache.state, meta)


def test_a_state_with_the_step_of_growth_in_front_is_read():
    cache = QuantizedKVCache(64, 8)
    read(cache, [list(range(5))])

    again = QuantizedKVCache.from_state(cache.state, ("256", *cache.meta_state))

    assert again.meta_state == ("5", "64", "8") and read(again, [[5]]) == read(cache, [[5]])


@pytest.mark.parametrize("change", [lambda s: s[:4], lambda s: [s[0][:, :, :3], *s[1:]]])
def test_a_state_of_odd_arrays_is_refused(change):
    cache = QuantizedKVCache(64, 8)
    read(cache, [list(range(5))])

    with pytest.raises(ValueError, match="state must"):
        QuantizedKVCache.from_state(change(cache.state), cache.meta_state)


def test_heads_that_are_no_whole_groups_are_refused():
    cache = QuantizedKVCache(64, 8, start=100)

    with pytest.raises(ValueError, match="multiple of group_size"):
        cache.update_and_fetch(drawn(1, features=80), drawn(1, features=80))

    assert cache.empty() and cache.offset == 0


def test_settings_out_of_range_are_refused():
    for settings, word in (((64, 7), "bits"), ((48, 8), "group_size"), ((64, 8, -1), "start")):
        with pytest.raises(ValueError, match=word):
            QuantizedKVCache(*settings)


def test_make_prompt_cache_turns_the_models_choice_into_what_is_asked_for():
    kinds = [
        [type(cache).__name__ for cache in make_prompt_cache(FakeModel(5), size, bits)]
        for size, bits in ((None, None), (8, None), (None, 4), (8, 4))
    ]

    assert kinds == [
        ["KVCache"] * 2,
        ["RotatingKVCache"] * 2,
        ["QuantizedKVCache"] * 2,
        ["RotatingQuantizedKVCache"] * 2,
    ]
    assert make_prompt_cache(FakeModel(5), 8)[0].keep == 4
    assert make_prompt_cache(FakeModel(5), 8, keep=0)[0].keep == 0


def dense(queries, keys, values, scale, mask, sinks):
    """Attention in numpy, float64."""
    q, k, v = (np.array(x, dtype=np.float64) for x in (queries, keys, values))
    k, v = (np.repeat(x, q.shape[1] // x.shape[1], axis=1) for x in (k, v))
    scores = scale * q @ k.swapaxes(-1, -2)
    if mask is not None:
        mask = np.array(mask)
        scores = np.where(mask, scores, -1e30) if mask.dtype == bool else scores + mask
    if sinks is not None:
        sink = np.broadcast_to(np.array(sinks).reshape(1, -1, 1, 1), (*scores.shape[:3], 1))
        scores = np.concatenate([scores, sink], axis=-1)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    return weights[..., : k.shape[2]] @ v


@pytest.mark.parametrize("with_sinks", [False, True])
@pytest.mark.parametrize(
    "form", [None, "causal", (4, 9), (2, 1, 4, 9), (2, 6, 4, 9), (6, 4, 9), "added"]
)
def test_attention_over_packed_keys_equals_attention_over_unpacked_ones(form, with_sinks):
    B, H, H_kv, L, S = 2, 6, 2, 4, 9
    queries = drawn(L, heads=H, batch=B)
    cache = QuantizedKVCache(32, 4)
    keys, values = cache.update_and_fetch(
        drawn(S, heads=H_kv, batch=B, seed=1), drawn(S, heads=H_kv, batch=B, seed=2)
    )
    unpacked = [
        mx.dequantize(packed.weight, packed.scales, packed.biases, 32, 4)
        for packed in (keys, values)
    ]
    rng = np.random.default_rng(0)
    mask = written = form
    if form == "causal":
        written = np.tril(np.ones((L, S), dtype=bool), S - L)
    elif form == "added":
        mask = written = rng.normal(size=(L, S)).astype(np.float32)
    elif form is not None:
        mask = written = rng.random(form) < 0.7
    if isinstance(mask, np.ndarray):
        mask = mx.array(mask)
    sinks = mx.array(rng.normal(size=H).astype(np.float32)) if with_sinks else None

    got = scaled_dot_product_attention(queries, keys, values, scale=0.2, mask=mask, sinks=sinks)

    wanted = dense(queries, *unpacked, 0.2, written, sinks)
    np.testing.assert_allclose(np.array(got), wanted, rtol=1e-3, atol=1e-4)


def test_keys_and_values_must_be_packed_alike():
    packed, _ = QuantizedKVCache(64, 8).update_and_fetch(drawn(3), drawn(3))

    with pytest.raises(TypeError, match="both"):
        scaled_dot_product_attention(drawn(1), packed, drawn(3), scale=1.0)
