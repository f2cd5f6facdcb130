"""Caches of several sequences beside one of each."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.seen import read

import mlxc as mx
from mlxrs.lm.cache import (
    BatchKVCache,
    BatchQuantizedKVCache,
    BatchRotatingKVCache,
    KVCache,
    QuantizedKVCache,
    RotatingKVCache,
)
from mlxrs.lm.cache.batching import dynamic_roll
from mlxrs.testing.token_rows import read_tokens, token_rows

KINDS = {
    "full": (KVCache, BatchKVCache),
    "quantized": (
        lambda: QuantizedKVCache(32, bits=4),
        lambda padding: BatchQuantizedKVCache(padding, 32, bits=4),
    ),
    "rotating": (lambda: RotatingKVCache(6), lambda padding: BatchRotatingKVCache(6, padding)),
}
PROMPTS = st.lists(st.integers(1, 12), min_size=1, max_size=4)


def numbered(lengths, start=0):
    """A row of ids of each length, none of which occurs twice."""
    ids = iter(range(1000 + start, 5000))
    return [[next(ids) for _ in range(length)] for length in lengths]


def alone(kind, prompt):
    cache = KINDS[kind][0]()
    return cache, read(cache, [prompt])[0]


def padded(rows, *, left):
    longest = max(map(len, rows))
    return [
        [0] * (longest - len(row)) + row if left else row + [0] * (longest - len(row))
        for row in rows
    ]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30, deadline=None)
@given(lengths=PROMPTS, steps=st.integers(0, 9))
def test_left_padded_rows_see_what_they_see_alone(kind, lengths, steps):
    prompts = numbered(lengths)
    longest = max(lengths)
    batch = KINDS[kind][1]([longest - length for length in lengths])
    singles, expected = zip(*(alone(kind, prompt) for prompt in prompts), strict=True)

    seen = read(batch, padded(prompts, left=True))

    assert [row[longest - length :] for row, length in zip(seen, lengths, strict=True)] == list(
        expected
    )
    for step in range(steps):
        tokens = [[10_000 + 100 * step + row] for row in range(len(lengths))]
        assert read(batch, tokens) == [
            read(single, [token])[0] for single, token in zip(singles, tokens, strict=True)
        ]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None)
@given(lengths=PROMPTS, chunk=st.integers(1, 7), steps=st.integers(0, 9), data=st.data())
def test_rows_come_and_go_without_the_others_noticing(kind, lengths, chunk, steps, data):
    prompts = numbered(lengths)
    longest = max(lengths)
    batch = KINDS[kind][1]([0] * len(lengths))
    batch.prepare(lengths=lengths, right_padding=[longest - length for length in lengths])
    seen = [[] for _ in prompts]
    rows = padded(prompts, left=False)
    for start in range(0, longest, chunk):
        for row, more in enumerate(read(batch, [ids[start : start + chunk] for ids in rows])):
            seen[row] += more
    batch.finalize()
    singles, expected = zip(*(alone(kind, prompt) for prompt in prompts), strict=True)
    singles = list(singles)

    assert [row[:length] for row, length in zip(seen, lengths, strict=True)] == list(expected)
    for step in range(steps):
        change = data.draw(
            st.sampled_from(["none", "none", "filter", "extend", "extract", "merge"])
        )
        if change == "filter":
            kept = data.draw(
                st.lists(st.integers(0, len(singles) - 1), min_size=1, max_size=4, unique=True)
            )
            batch.filter(kept)
            singles = [singles[row] for row in kept]
        elif change == "extend":
            new = [alone(kind, prompt)[0] for prompt in numbered([3, 9], start=50 * (step + 1))]
            batch.extend(type(new[0]).merge(new))
            singles += [cache.copy() for cache in new]
        elif change == "extract":
            row = data.draw(st.integers(0, len(singles) - 1))
            assert read(batch.extract(row), [[7]]) == read(singles[row].copy(), [[7]])
        elif change == "merge":
            batch = type(singles[0]).merge([batch.extract(row) for row in range(len(singles))])
        tokens = [[10_000 + 100 * step + row] for row in range(len(singles))]
        assert read(batch, tokens) == [
            read(single, [token])[0] for single, token in zip(singles, tokens, strict=True)
        ]
        assert batch.offset.tolist() == [single.offset for single in singles]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None)
@given(
    lengths=PROMPTS,
    ahead=st.lists(st.sampled_from([1, 1, 2, 5, 8]), max_size=6),
    again=st.lists(st.sampled_from([1, 1, 2, 5, 8]), min_size=1, max_size=6),
)
def test_a_snapshot_brings_a_batch_back(kind, lengths, ahead, again):
    longest = max(lengths)
    batch = KINDS[kind][1]([longest - length for length in lengths])
    read(batch, padded(numbered(lengths), left=True))
    twin, before = batch.copy(), batch.snapshot()
    for length in ahead:
        read(batch, numbered([length] * len(lengths), start=200))

    batch.restore(before)

    for length in again:
        tokens = numbered([length] * len(lengths), start=300)
        assert read(batch, tokens) == read(twin, tokens)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [0, 1, 5, 12])
def test_the_state_rebuilds_a_batch(kind, steps):
    batch = KINDS[kind][1]([1, 3, 0])
    for step in range(steps):
        read(batch, [[step + 1], [step + 2], [step + 3]])

    again = type(batch).from_state(batch.state, batch.meta_state)

    assert again.offset.tolist() == batch.offset.tolist()
    for tokens in ([[50], [51], [52]], [[60, 61], [62, 63], [64, 65]], [[70], [71], [72]]):
        assert read(again, tokens) == read(batch, tokens)


def test_offsets_begin_below_zero_by_the_padding():
    batch = BatchKVCache([1, 3, 0])
    read(batch, [[1, 2, 3, 4]] * 3)
    assert (batch.offset.tolist(), batch.position) == ([3, 1, 4], 4)

    read(batch, [[5]] * 3)
    assert (batch.offset.tolist(), batch.position) == ([4, 2, 5], 5)

    assert batch.trim(2) == 2
    assert (batch.offset.tolist(), batch.position) == ([2, 0, 3], 3)


def test_padding_behind_rows_moves_to_their_front():
    batch = BatchKVCache([0, 0])
    batch.prepare(right_padding=[1, 2])
    read(batch, [[1, 2, 3, 0], [4, 5, 0, 0]])

    batch.finalize()

    assert read_tokens(batch.state[0])[0].tolist() == [[0, 1, 2, 3], [0, 0, 4, 5]]
    assert batch.offset.tolist() == [3, 2] and batch.left_padding.tolist() == [1, 2]


def test_dynamic_roll():
    rows = mx.array([[10, 20, 30], [40, 50, 60]])

    assert dynamic_roll(rows, mx.array([0, 2]), 1).tolist() == [[10, 20, 30], [50, 60, 40]]
    assert dynamic_roll(rows[:1], mx.array([1]), 1).tolist() == [[30, 10, 20]]


def test_rows_without_padding_need_no_mask_of_their_own():
    batch = BatchKVCache([0, 0])
    read(batch, [[1, 2], [3, 4]])

    assert batch.make_mask(1) is None and batch.make_mask(3) == "causal"


def test_rows_of_one_length_are_handed_out_alone():
    batch = BatchKVCache([0, 2])
    read(batch, [[1, 2], [0, 0]])

    assert batch.extract(1).empty() and batch.extract(0).offset == 2


def test_every_announced_token_comes_before_finalize_and_none_after():
    batch = BatchRotatingKVCache(4, [0, 0])
    batch.prepare(lengths=[3, 1], right_padding=[0, 2])
    read(batch, [[1, 2, 3], [4, 0, 0]])

    with pytest.raises(ValueError, match=r"call finalize\(\) before"):
        read(batch, [[5], [6]])
    batch.finalize()
    assert [len(row[0]) for row in read(batch, [[5], [6]])] == [4, 2]


def test_what_does_not_fit_a_batch_is_refused():
    batch = BatchKVCache([0, 1])
    rows = token_rows(mx.array([[1], [2], [3]]), 0)
    with pytest.raises(ValueError, match="must fit the cache"):
        batch.update_and_fetch(rows, rows)
    read(batch, [[1], [2]])
    with pytest.raises(ValueError, match="while the cache is empty"):
        batch.prepare(left_padding=[1, 1])
    with pytest.raises(ValueError, match="one number >= 0 for each of 2 rows"):
        batch.prepare(right_padding=[1])
    with pytest.raises(IndexError, match="no row 2"):
        batch.filter([2])
    with pytest.raises(ValueError, match="one max_size and of keep 0"):
        RotatingKVCache.merge([RotatingKVCache(4), RotatingKVCache(5)])
    with pytest.raises(ValueError, match="same max_size"):
        BatchRotatingKVCache(4, [0]).extend(BatchRotatingKVCache(5, [0]))


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state[:3],
        lambda state: [*state[:2], state[2][:1], state[3]],
        lambda state: [*state[:2], state[2], state[3][:1]],
        lambda state: [*state[:2], state[2] + 1, state[3]],
        lambda state: [*state[:2], state[2], state[3].astype(mx.float32)],
        lambda state: [state[0][:1], *state[1:]],
    ],
)
def test_a_state_that_no_batch_can_be_in_is_refused(change):
    batch = BatchKVCache([1, 0])
    read(batch, [[1, 2], [3, 4]])

    with pytest.raises(ValueError):
        BatchKVCache.from_state(change(batch.state))


@pytest.mark.parametrize(
    "meta",
    [
        ("6", "4", "4"),
        ("6", "4", "4", "maybe"),
        ("6", "4", "3", "False"),
        ("6", "3", "4", "False"),
        ("6", "4", "4", "True"),
        ("6", "9", "4", "False"),
        ("0", "4", "4", "False"),
    ],
)
def test_a_meta_state_that_no_rotating_batch_can_be_in_is_refused(meta):
    batch = BatchRotatingKVCache(6, [1, 0])
    read(batch, [[1, 2, 3, 4]] * 2)

    assert BatchRotatingKVCache.from_state(batch.state, ("6", "4", "4", "FALSE")).position == 4
    with pytest.raises(ValueError):
        BatchRotatingKVCache.from_state(batch.state, meta)


def test_merged_rows_keep_their_values():
    caches = [KVCache(), KVCache()]
    drawn = [mx.random.normal((1, 2, length, 8), key=mx.random.key(length)) for length in (2, 5)]
    for cache, rows in zip(caches, drawn, strict=True):
        cache.update_and_fetch(rows, rows)

    keys = KVCache.merge(caches).state[0]

    np.testing.assert_array_equal(np.array(keys[0:1, :, 3:]), np.array(drawn[0]))
    np.testing.assert_array_equal(np.array(keys[1:2]), np.array(drawn[1]))


def test_quantized_rows_of_different_packing_are_refused():
    with pytest.raises(ValueError, match="agree in group_size and bits"):
        QuantizedKVCache.merge([QuantizedKVCache(bits=4), QuantizedKVCache(bits=8)])


@pytest.mark.parametrize(
    "change",
    [
        lambda state, meta: (state[:4], meta),
        lambda state, meta: (state, ("64",)),
        lambda state, meta: (state, ("64", "7")),
        lambda state, meta: ([*state[:6], state[6] + 1, state[7]], meta),
        lambda state, meta: ([state[1], *state[1:]], meta),
    ],
)
def test_a_state_that_no_quantized_batch_can_be_in_is_refused(change):
    batch = BatchQuantizedKVCache([1, 0])
    read(batch, [[0, 5], [6, 7]])

    with pytest.raises(ValueError):
        BatchQuantizedKVCache.from_state(*change(batch.state, batch.meta_state))
