"""Prompt caches in files, ours and mlx-lm's."""

import os
import subprocess
import sys

import numpy as np
import pytest
from support.seen import read

import mlxc as mx
from mlxrs.errors import FormatError, UnsupportedError
from mlxrs.lm.cache import (
    ArraysCache,
    BatchCache,
    BatchKVCache,
    BatchRotatingKVCache,
    CacheList,
    ChunkedKVCache,
    KVCache,
    QuantizedKVCache,
    RotatingKVCache,
    RotatingQuantizedKVCache,
    load_prompt_cache,
    save_prompt_cache,
    token_ids_of,
)


def size(cache):
    return cache.batch_size if isinstance(cache, BatchCache) else 1


def filled(cache, count):
    """The cache after reading `count` tokens, the last ones one at a time."""
    if isinstance(cache, ArraysCache):
        cache[1] = mx.full((2, 3, 4), float(count))
        return cache
    if isinstance(cache, CacheList):
        for child in cache.caches:
            filled(child, count)
        return cache
    position, batch = 0, size(cache)
    for length in [count - 3, 1, 1, 1] if count > 3 else [count] * (count > 0):
        read(cache, [[100 + position + i for i in range(length)]] * batch)
        position += length
    return cache


def all_kinds():
    return {
        "KVCache": filled(KVCache(), 7),
        "empty KVCache": KVCache(),
        "long KVCache": filled(KVCache(), 300),
        "RotatingKVCache": filled(RotatingKVCache(8, 2), 5),
        "turned RotatingKVCache": filled(RotatingKVCache(8, 2), 13),
        "empty RotatingKVCache": RotatingKVCache(8, 2),
        "QuantizedKVCache": filled(QuantizedKVCache(64, 4), 9),
        "empty QuantizedKVCache": QuantizedKVCache(64, 4),
        "ChunkedKVCache": filled(ChunkedKVCache(4), 9),
        "empty ChunkedKVCache": ChunkedKVCache(4),
        "BatchKVCache": filled(BatchKVCache([2, 0, 1]), 6),
        "empty BatchKVCache": BatchKVCache([2, 0, 1]),
        "BatchRotatingKVCache": filled(BatchRotatingKVCache(8, [2, 0]), 5),
        "turned BatchRotatingKVCache": filled(BatchRotatingKVCache(8, [2, 0]), 13),
        "ArraysCache": filled(ArraysCache(2, [1, 0]), 3),
        "CacheList": filled(CacheList(KVCache(), CacheList(RotatingKVCache(4), KVCache())), 6),
    }


OURS_ALONE = {
    "RotatingQuantizedKVCache": filled(RotatingQuantizedKVCache(8, 2, 64, 4), 13),
    "empty RotatingQuantizedKVCache": RotatingQuantizedKVCache(8, 2, 64, 4),
    "unbounded ChunkedKVCache": filled(ChunkedKVCache(None), 5),
}


def assert_same(actual, expected):
    assert type(actual) is type(expected)
    assert actual.meta_state == expected.meta_state
    for got, wanted in zip(actual.state, expected.state, strict=True):
        assert got.dtype == wanted.dtype
        np.testing.assert_array_equal(np.array(got), np.array(wanted))


@pytest.mark.parametrize("kind", [*all_kinds(), *OURS_ALONE])
def test_every_kind_comes_back_and_goes_on(kind, tmp_path):
    cache = (all_kinds() | OURS_ALONE)[kind]
    save_prompt_cache(tmp_path / "cache", [cache])

    [again], _ = load_prompt_cache(tmp_path / "cache.safetensors")

    assert_same(again, cache)
    if not isinstance(cache, (ArraysCache, CacheList)):
        rows = [[5]] * size(cache)
        assert read(again, rows) == read(cache.copy(), rows)


def test_metadata_token_ids_and_fingerprint_come_back(tmp_path):
    path = tmp_path / "cache.safetensors"
    metadata = {"model": "m", "a.b.c": "dotted", "": "", "0": "number", "text": "ünï\ncode"}

    save_prompt_cache(path, [KVCache()], metadata, token_ids=[5, 0, 7], fingerprint="abc")

    _, found = load_prompt_cache(path, fingerprint="abc")
    assert metadata.items() <= found.items() and token_ids_of(found) == [5, 0, 7]
    with pytest.raises(UnsupportedError, match="filled by another model"):
        load_prompt_cache(path, fingerprint="xyz")
    save_prompt_cache(path, [KVCache()], token_ids=[])
    assert token_ids_of(load_prompt_cache(path, fingerprint="xyz")[1]) == []
    save_prompt_cache(path, [KVCache()])
    assert token_ids_of(load_prompt_cache(path)[1]) is None


def test_names_of_our_own_are_refused_in_metadata(tmp_path):
    with pytest.raises(ValueError, match="use token_ids and fingerprint"):
        save_prompt_cache(tmp_path / "cache", [KVCache()], {"mlxrs_token_ids": "1"})
    assert os.listdir(tmp_path) == []


def test_a_failed_save_leaves_the_file_there_was(tmp_path):
    path = tmp_path / "cache.safetensors"
    save_prompt_cache(path, [filled(KVCache(), 5)])
    before = path.read_bytes()

    with pytest.raises(TypeError):
        save_prompt_cache(path, [KVCache()], {"a": 1})

    assert path.read_bytes() == before and os.listdir(tmp_path) == [path.name]


def test_a_loaded_cache_does_not_need_its_file(tmp_path):
    path = tmp_path / "cache.safetensors"
    cache = filled(KVCache(), 5)
    save_prompt_cache(path, [cache])

    [again], _ = load_prompt_cache(path)
    path.write_bytes(b"")

    assert_same(again, cache)


ROWS = mx.zeros((1, 1, 4, 8))
NEW = ({"0.0": ROWS, "0.1": ROWS, "0.2": mx.array(4)}, {"1.0": "KVCache", "2.0": ""})
SCALAR = {"2.1.0": "0.2", "2.1.1": "scalar"}
OLD = ({"0.0": ROWS, "0.1": ROWS}, {"0.0": "", "2.0": "KVCache"})


@pytest.mark.parametrize(
    "arrays, texts, message",
    [
        (*NEW, "expected a number"),
        ({}, {}, "does not name the class"),
        ({}, {"2.0": ""}, "does not name the class"),
        ({}, {"1.0": "KVCache", "1.2": "KVCache", "2.0": ""}, "does not name the class"),
        (NEW[0], NEW[1] | SCALAR | {"1.0": "os.system"}, "unknown kind of cache 'os.system'"),
        (NEW[0], NEW[1] | SCALAR | {"1.0": "Cache"}, "unknown kind of cache 'Cache'"),
        (NEW[0] | {"0.3": ROWS}, NEW[1] | SCALAR, "expected 3 items"),
        (NEW[0] | {"0.4": ROWS}, NEW[1] | SCALAR, "without holes"),
        (NEW[0] | {"1.0": ROWS}, NEW[1] | SCALAR, "arrays of a cache 1"),
        (NEW[0] | {"0.0.0": ROWS}, NEW[1] | SCALAR, "lies within|lies around"),
        (NEW[0] | {"x": ROWS}, NEW[1] | SCALAR, "no place in a cache"),
        (NEW[0] | {"00.1": ROWS}, NEW[1] | SCALAR, "no place in a cache"),
        (NEW[0] | {".".join("0" * 70): ROWS}, NEW[1] | SCALAR, "no place in a cache"),
        (NEW[0] | {"0.2": mx.array(5)}, NEW[1] | SCALAR, "of 5 tokens or more"),
        (NEW[0] | {"0.2": mx.array(-1)}, NEW[1] | SCALAR, "of -1 tokens or more"),
        (NEW[0] | {"0.2": mx.array(4.0)}, NEW[1] | SCALAR, "one integer or truth value"),
        (NEW[0], NEW[1] | SCALAR | {"2.1.1": "eval"}, "no known type"),
        (NEW[0], NEW[1] | SCALAR | {"2.1.0": "7.7"}, "names no array"),
        (NEW[0] | {"0.1": ROWS[0]}, NEW[1] | SCALAR, r"\(B, H, S, D\)"),
        (NEW[0] | {"0.1": ROWS.astype(mx.int32)}, NEW[1] | SCALAR, "wrong types"),
        (NEW[0] | {"0.1": mx.zeros((2, 1, 4, 8))}, NEW[1] | SCALAR, "agree in"),
        (NEW[0], NEW[1] | SCALAR | {"0.mlxrs_token_ids": "1,x"}, "must be numbers"),
        (OLD[0], {"0.0.0": "7", "2.0": "KVCache"}, "without meta_state"),
        (OLD[0] | {"0.2": ROWS}, OLD[1], "got 3 arrays"),
        (OLD[0], {"0.0": "", "0.1.0": "7", "2.0": "KVCache"}, "of a cache that is not there"),
        (
            OLD[0],
            {"2.0": "RotatingKVCache", **{f"0.0.{i}": text for i, text in enumerate("00840")}},
            "4 numbers",
        ),
        (
            {},
            {"2.0": "ArraysCache", "0.0.0": "1048577", "0.0.1": ""},
            r"size must be in 0 … 1048576",
        ),
        (
            {},
            {"2.0": "CacheList", "0.0.0": "9999999", "0.0.1": "KVCache"},
            "the meta_state of a CacheList",
        ),
    ],
)
def test_a_malformed_file_is_refused(arrays, texts, message, tmp_path):
    path = str(tmp_path / "cache.safetensors")
    mx.save_safetensors(path, arrays, texts)

    with pytest.raises((FormatError, UnsupportedError), match=message) as caught:
        load_prompt_cache(path)
    assert path in str(caught.value) and "\n" not in str(caught.value)


def test_lists_nested_without_end_are_refused(tmp_path):
    path = str(tmp_path / "cache.safetensors")
    texts = {"1.0": "CacheList", "2.0": ""}
    arrays, place = {}, "0"
    for depth in range(1, 21):
        arrays[f"{place}.0.1"] = mx.array([ord(letter) for letter in "CacheList"])
        texts |= {f"2.{depth}.0": f"{place}.0.1", f"2.{depth}.1": "string"}
        place += ".0.0"
    arrays[f"{place}.0"] = ROWS
    mx.save_safetensors(path, arrays, texts)

    with pytest.raises(FormatError, match="nested 16 deep"):
        load_prompt_cache(path)


def test_what_is_no_file_of_ours_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_prompt_cache(tmp_path / "none.safetensors")
    with pytest.raises(OSError):
        load_prompt_cache(tmp_path)
    (tmp_path / "junk").write_bytes(b"\xff" * 100)
    with pytest.raises(FormatError, match="junk"):
        load_prompt_cache(tmp_path / "junk")
    save_prompt_cache(tmp_path / "cache", [filled(KVCache(), 5)])
    with pytest.raises(FormatError, match="raise max_bytes"):
        load_prompt_cache(tmp_path / "cache.safetensors", max_bytes=100)
    whole = (tmp_path / "cache.safetensors").read_bytes()
    (tmp_path / "cut").write_bytes(whole[:-1])
    with pytest.raises(FormatError, match="cut"):
        load_prompt_cache(tmp_path / "cut")


@pytest.mark.skipif(os.name != "posix", reason="pipes with names are of POSIX")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(FormatError, match="no regular file"):
        load_prompt_cache(tmp_path / "pipe")


def test_files_of_earlier_versions_are_read(tmp_path):
    path = str(tmp_path / "cache.safetensors")
    ring, packed = filled(RotatingKVCache(8, 2), 13), filled(QuantizedKVCache(64, 4), 9)
    arrays = {"0.0": ROWS, "0.1": ROWS}
    arrays |= {f"1.{i}": array for i, array in enumerate(ring.state)}
    arrays |= {f"2.{i // 3}.{i % 3}": array for i, array in enumerate(packed.state)}
    texts = {"0.0": "", "1.model": "m", "1.a.b": "dotted"}
    texts |= {f"0.1.{i}": text for i, text in enumerate(ring.meta_state)}
    texts |= {f"0.2.{i}": text for i, text in enumerate(packed.meta_state)}
    texts |= {"2.0": "KVCache", "2.1": "RotatingKVCache", "2.2": "QuantizedKVCache"}
    mx.save_safetensors(path, dict(reversed(arrays.items())), texts)

    (full, *others), metadata = load_prompt_cache(path)

    assert full.offset == 4 and metadata == {"model": "m", "a.b": "dotted"}
    for actual, expected in zip(others, (ring, packed), strict=True):
        assert_same(actual, expected)


# Loads our file with the official mlx-lm, lets every cache read one more token, and saves it.
GO_ON = """
import sys
import mlx.core as mx
from mlx_lm.models.cache import load_prompt_cache, save_prompt_cache

source, target = sys.argv[1:]
caches, metadata = load_prompt_cache(source, return_metadata=True)
assert metadata == {"model": "m"}, metadata

def go_on(cache):
    name = type(cache).__name__
    if name == "CacheList":
        for child in cache.caches:
            go_on(child)
    elif name != "ArraysCache":
        keys = cache.keys[0] if isinstance(cache.keys, tuple | list) else cache.keys
        cache._lengths = None  # which mlx-lm 0.32 forgets to set on loading
        batch = cache.left_padding.size if name.startswith("Batch") else 1
        rows = mx.arange(128, dtype=mx.float32).reshape(1, 1, 1, 128) % 2
        rows = mx.broadcast_to(rows, (batch, 1, 1, 128))
        cache.update_and_fetch(rows, rows)

for cache in caches:
    go_on(cache)
save_prompt_cache(target, caches, metadata)
"""


@pytest.mark.reference
def test_mlx_lm_reads_our_files_and_we_read_its(tmp_path):
    pytest.importorskip("mlx_lm")
    ours, theirs = tmp_path / "ours.safetensors", tmp_path / "theirs.safetensors"
    caches = list(all_kinds().values())
    save_prompt_cache(ours, caches, {"model": "m"})

    child = subprocess.run(
        [sys.executable, "-c", GO_ON, str(ours), str(theirs)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": ""},
    )

    assert child.returncode == 0, child.stderr
    loaded, metadata = load_prompt_cache(theirs)
    assert metadata == {"model": "m"}
    rows = mx.arange(128).astype(mx.float32).reshape(1, 1, 1, 128) % 2

    def go_on(cache):
        if isinstance(cache, CacheList):
            for one in cache.caches:
                go_on(one)
        elif not isinstance(cache, ArraysCache):
            own = mx.broadcast_to(rows, (size(cache), 1, 1, 128))
            cache.update_and_fetch(own, own)

    for actual, expected in zip(loaded, caches, strict=True):
        go_on(expected)
        assert_same(actual, expected)
