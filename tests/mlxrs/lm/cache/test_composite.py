import pytest
from support.seen import read, shown

import mlxc as mx
from mlxrs.errors import UnsupportedError
from mlxrs.lm.cache import (
    ArraysCache,
    CacheList,
    KVCache,
    QuantizedKVCache,
    RotatingKVCache,
    RotatingQuantizedKVCache,
)


def hybrid(count=3):
    """One of state and one of attention, after reading ids from 0 on."""
    layer = CacheList(ArraysCache(1), KVCache())
    layer[0][0] = mx.full((1, 2), 7.0)
    read(layer[1], [list(range(count))])
    return layer


def test_the_children_answer_together():
    layer = CacheList(KVCache(), KVCache())
    read(layer[0], [[1, 2, 3]])
    read(layer[1], [[1, 2]])

    assert layer.offset == layer.position == 3 and len(layer) == 2
    assert layer.is_trimmable() and layer.trim(3) == 2
    assert layer.nbytes == layer[0].nbytes + layer[1].nbytes


def test_nothing_is_trimmed_where_one_child_cannot():
    layer = hybrid()

    assert not layer.is_trimmable() and layer.trim(1) == 0 and layer.offset == 3


def test_a_snapshot_rewinds_all_children():
    layer = hybrid()
    before = layer.snapshot()
    layer[0][0] = mx.zeros((1, 2))
    read(layer[1], [[9]])

    layer.restore(before)

    assert layer[0][0].tolist() == [[7, 7]] and shown(layer[1]) == [0, 1, 2]


def test_copies_do_not_see_each_other():
    layer = hybrid()
    twin = layer.copy()
    read(layer[1], [[9]])

    assert shown(twin[1]) == [0, 1, 2]


def test_a_list_holds_no_keys_itself():
    layer, rows = hybrid(), mx.zeros((1, 1, 1, 128))
    with pytest.raises(ValueError, match="update one of its caches"):
        layer.update_and_fetch(rows, rows)
    with pytest.raises(ValueError, match="ask one of its caches"):
        layer.make_mask(1)
    with pytest.raises(ValueError, match="one cache at least"):
        CacheList()


def test_nested_lists_come_back():
    layer = CacheList(hybrid(), RotatingKVCache(4, 1))
    read(layer[1], [[5, 6]])

    again = CacheList.from_state(layer.state, layer.meta_state)

    assert layer.meta_state[:4] == ("2", "CacheList", "3", str(len(layer[0].meta_state)))
    assert again.meta_state == layer.meta_state
    assert shown(again[0][1]) == [0, 1, 2] and shown(again[1]) == [5, 6]


@pytest.mark.parametrize(
    "meta",
    [
        (),
        ("0",),
        ("x",),
        ("9" * 40,),
        ("9999999", "KVCache", "2", "0"),
        ("1", "KVCache", "3", "0"),
        ("1", "KVCache", "2", "1"),
        ("1", "KVCache", "0", "0"),
        ("1", "KVCache", "2", "0", "more"),
        ("1", "CacheList") * 40,
        sum((("1", "CacheList", "2", str(4 * (40 - depth))) for depth in range(40)), ()),
    ],
)
def test_a_foreign_state_is_refused(meta):
    rows = mx.zeros((1, 1, 4, 8))
    with pytest.raises(ValueError):
        CacheList.from_state([rows, rows], meta)


def test_an_unknown_child_is_refused():
    with pytest.raises(UnsupportedError, match="unknown kind of cache 'Evil'"):
        CacheList.from_state([], ("1", "Evil", "0", "0"))


def test_children_are_bounded_and_packed_one_by_one():
    layer = CacheList(ArraysCache(1), KVCache(), RotatingKVCache(4))

    kinds = [type(cache) for cache in layer.to_quantized().caches]
    both = [type(cache) for cache in layer.to_rotating(8).to_quantized().caches]

    assert kinds == [ArraysCache, QuantizedKVCache, RotatingQuantizedKVCache]
    assert both == [ArraysCache, RotatingQuantizedKVCache, RotatingQuantizedKVCache]


def test_lists_are_merged_child_by_child():
    batch = CacheList.merge([hybrid(3), hybrid(5)])

    assert batch.batch_size == 2 and batch[1].offset.tolist() == [3, 5]
    batch.extend(CacheList.merge([hybrid(1)]))
    batch.filter([2, 1])
    assert batch[1].offset.tolist() == [1, 5] and batch[0][0].shape == (2, 2)
    assert shown(batch.extract(1)[1]) == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="merge several first"):
        hybrid().extract(0)
