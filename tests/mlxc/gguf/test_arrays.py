"""GGUF files: mlx.core and mlxc read each other's, and what is malformed is refused."""

import io
import json
import struct
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.assert_close import assert_close
from support.gguf import Stored, gguf_bytes, naive_dequantize, random_stored

import mlxc as mx

DTYPES = [mx.float32, mx.float16, mx.int8, mx.int16, mx.int32]
ARRAYS = {repr(dtype)[5:]: mx.array([[1, 2, 3], [4, 5, 6]]).astype(dtype) for dtype in DTYPES}
ARRAYS |= {"scalar": mx.array(2.5), "empty": mx.zeros((0, 2)), "turned": mx.ones((2, 3)).T}
METADATA = {
    "text": "é",
    "texts": ["a", "", "b"],
    "flag": mx.array(True),
    "small": mx.array([1, 2], mx.uint8),
    "large": mx.array(2**40),
    "real": mx.array([0.5, 1.5]),
}


def plain(arrays, metadata):
    """Arrays and metadata as JSON has them."""
    show = {n: [str(a.dtype)[-5:], list(a.shape), a.tolist()] for n, a in arrays.items()}
    other = {k: v if isinstance(v, (str, list)) else v.tolist() for k, v in metadata.items()}
    return [show, other]


OFFICIAL = """
import json, sys
import mlx.core as mx
arrays, metadata = mx.load(sys.argv[1], return_metadata=True)
mx.save_gguf(sys.argv[2], arrays, metadata)
show = {n: [str(a.dtype)[-5:], list(a.shape), a.tolist()] for n, a in arrays.items()}
other = {k: v if isinstance(v, (str, list)) else v.tolist() for k, v in metadata.items()}
print(json.dumps([show, other]))
"""


@pytest.mark.skipif(find_spec("mlx.core") is None, reason="mlx.core is not installed")
def test_mlx_core_reads_what_is_saved_and_is_read(tmp_path):
    ours, theirs = tmp_path / "ours.gguf", tmp_path / "theirs.gguf"
    mx.save_gguf(ours, ARRAYS, METADATA)

    done = subprocess.run(
        [sys.executable, "-c", OFFICIAL, ours, theirs], capture_output=True, text=True, check=True
    )

    assert json.loads(done.stdout) == plain(ARRAYS, METADATA)
    assert plain(*mx.load(theirs, return_metadata=True)) == plain(ARRAYS, METADATA)


def test_an_open_file_gives_back_the_arrays():
    file = io.BytesIO()
    mx.save_gguf(file, ARRAYS)
    file.seek(0)

    assert plain(mx.load(file, format="gguf"), {}) == plain(ARRAYS, {})


@pytest.mark.parametrize(("kind", "bits"), [("Q4_0", 4), ("Q4_1", 4), ("Q8_0", 8)])
def test_blocks_become_triples_of_the_same_numbers(tmp_path, kind, bits):
    stored = random_stored(kind, (3, 64), np.random.default_rng(0))
    (tmp_path / "a.gguf").write_bytes(gguf_bytes({}, {"x.weight": stored, "y": stored}))

    loaded = mx.load(tmp_path / "a.gguf")

    assert set(loaded) == {"x.weight", "x.scales", "x.biases", "y", "y.scales", "y.biases"}
    triple = [loaded[f"x.{part}"].astype(mx.float32) for part in ("scales", "biases")]
    numbers = mx.dequantize(loaded["x.weight"], *triple, group_size=32, bits=bits)
    # -128 times a scale is rounded only where it leaves float16, which these scales do not.
    np.testing.assert_allclose(np.array(numbers), naive_dequantize(stored), atol=1e-4)


def test_an_alignment_is_kept_when_a_file_is_written_again(tmp_path):
    metadata = {"general.alignment": mx.array(128, mx.uint32)}

    mx.save_gguf(tmp_path / "a.gguf", ARRAYS, metadata)

    file = mx.gguf.GgufFile.open(tmp_path / "a.gguf")
    assert {tensor.offset % 128 for tensor in file.tensors.values()} == {0}
    assert plain(mx.load(tmp_path / "a.gguf"), {}) == plain(ARRAYS, {})


def test_lists_of_lists_are_no_metadata_of_arrays(tmp_path):
    (tmp_path / "a.gguf").write_bytes(gguf_bytes({"k": [[1], [2]]}))

    assert mx.load(tmp_path / "a.gguf") == {}
    with pytest.raises(ValueError, match="k is a list of lists"):
        mx.load(tmp_path / "a.gguf", return_metadata=True)


@pytest.mark.parametrize("shape", [(0, 32), (3, 0), (2, 0, 32)])
def test_blocks_of_an_empty_tensor_become_empty_triples(tmp_path, shape):
    (tmp_path / "a.gguf").write_bytes(gguf_bytes({}, {"x": Stored("Q4_0", shape, b"")}))

    loaded = mx.load(tmp_path / "a.gguf")

    assert loaded["x"].shape == (*shape[:-1], shape[-1] // 8)
    assert loaded["x.scales"].shape == (*shape[:-1], shape[-1] // 32)


def test_bfloat16_is_read_as_it_is(tmp_path):
    stored = random_stored("BF16", (2, 3), np.random.default_rng(0))
    (tmp_path / "a.gguf").write_bytes(gguf_bytes({}, {"a": stored}))

    a = mx.load(tmp_path / "a.gguf")["a"]

    bits = np.frombuffer(stored.data, "<u2").astype(np.uint32) << 16
    assert a.dtype == mx.bfloat16
    assert_close(a.astype(mx.float32), bits.view(np.float32).reshape(2, 3))


@pytest.mark.parametrize(
    ("arrays", "metadata", "error", "message"),
    [
        ({"a": mx.array([1], mx.int64)}, {}, ValueError, r"arrays\['a'\] is int64"),
        ({"a": 1}, {}, TypeError, "strings to arrays"),
        ({}, {"k": mx.ones((2, 2))}, ValueError, "at most one axis"),
        ({}, {"k": mx.ones((2,), mx.float16)}, ValueError, "a type of"),
        ({}, {"k": ["a", 1]}, TypeError, "a list of strings"),
        ({}, {"k": 1}, TypeError, "an array, a string"),
        ({"": mx.ones((2,))}, {}, ValueError, "1 to 1023 bytes"),
        ({}, {"k\n": "text"}, ValueError, "printable"),
        ({}, {"general.alignment": mx.array(24, mx.uint32)}, ValueError, "must be one of"),
        ({}, {"general.alignment": mx.array(32)}, ValueError, "must be a uint32"),
    ],
)
def test_what_gguf_cannot_hold_is_named(tmp_path, arrays, metadata, error, message):
    with pytest.raises(error, match=message):
        mx.save_gguf(tmp_path / "a.gguf", arrays, metadata)
    assert not (tmp_path / "a.gguf").exists()


TENSOR = {"a": Stored("F32", (2,), bytes(8))}
GOOD = gguf_bytes({"k": [1, 2], "s": ["x"]}, TENSOR)


def header(version=3, tensors=0, entries=0):
    return b"GGUF" + struct.pack("<IQQ", version, tensors, entries)


MALFORMED = {
    "empty": (b"", "is empty"),
    "another file": (b"PK\3\4" * 20, "must start with"),
    "another version": (header(version=1), "version must be 2 or 3, got 1"),
    "no entries": (header(entries=1), "metadata count must be at most 0"),
    "no tensors": (header(tensors=2**60), "tensor count must be"),
    "cut off": (GOOD[:-8], "must end within"),
    "a key twice": (
        header(entries=2) + gguf_bytes({"k": 1})[24:][:17] * 2,
        "must be unique, got 'k'",
    ),
    "a huge text": (header(entries=1) + struct.pack("<Q", 2**63) + bytes(8), "length of a"),
    "no utf-8": (gguf_bytes({"k": "xyz"}).replace(b"xyz", b"\xff\xff\xff"), "UTF-8"),
    "no alignment": (gguf_bytes({"general.alignment": 0}, TENSOR), "alignment must be"),
    "half a block": (gguf_bytes({}, {"a": Stored("Q4_0", (2,), bytes(18))}), "multiple of 32"),
    "an unread type": (gguf_bytes({}, {"a": Stored("Q4_K", (256,), bytes(144))}), "stored as Q4_K"),
    "a scale's name twice": (
        gguf_bytes({}, {"a": Stored("Q4_0", (32,), bytes(18)), "a.scales": TENSOR["a"]}),
        "names 'a.scales' twice",
    ),
}


@pytest.mark.parametrize(("content", "message"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_gguf_is_refused(tmp_path, content, message):
    (tmp_path / "a.gguf").write_bytes(content)

    with pytest.raises(ValueError, match=message):
        mx.load(tmp_path / "a.gguf")


@given(at=st.integers(0, len(GOOD) - 1), byte=st.integers(0, 255), cut=st.integers(0, 60))
def test_a_damaged_file_is_refused_or_read(at, byte, cut):
    damaged = bytearray(GOOD)
    damaged[at] = byte

    try:
        mx.load(io.BytesIO(damaged[: len(damaged) - cut]), format="gguf")
    except ValueError:
        pass
