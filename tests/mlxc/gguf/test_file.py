"""The GGUF reader believes nothing that the file cannot hold."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.gguf import Stored, gguf_bytes, text

from mlxc.gguf import TYPES, GgufFile, UnsupportedError

METADATA: dict[str, object] = {
    "general.name": "tiny",
    "a.flag": True,
    "a.count": 7,
    "a.number": 0.5,
    "a.words": ["x", "", "żółw"],
    "a.numbers": [1, 2, 3],
    "a.nested": [[1, 2], [3]],
}
TENSORS = {
    "w": Stored("F32", (2, 3), struct.pack("<6f", *range(6))),
    "q": Stored("Q4_0", (1, 32), bytes(range(18))),
}
SMALL = gguf_bytes(METADATA, TENSORS)


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def header(*, tensors: int = 0, keys: int = 0, version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, keys)


@pytest.mark.parametrize("version", [2, 3])
def test_reads_metadata_and_tensors(tmp_path: Path, version: int) -> None:
    file = GgufFile.open(write(tmp_path / "m.gguf", gguf_bytes(METADATA, TENSORS, version=version)))

    assert file.metadata == METADATA
    assert file.version == version
    assert {name: tensor.shape for name, tensor in file.tensors.items()} == {
        "w": (2, 3),
        "q": (1, 32),
    }
    assert bytes(file.data("w")) == TENSORS["w"].data
    assert bytes(file.data("q")) == TENSORS["q"].data


def test_a_list_is_decoded_when_it_is_asked_for() -> None:
    data = gguf_bytes({"good": ["x"], "bad": ["xyz"]}).replace(b"xyz", b"\xff\xff\xff")

    file = GgufFile(data, "m.gguf")

    assert (list(file.metadata), file.metadata["good"]) == (["good", "bad"], ["x"])
    with pytest.raises(ValueError, match="m.gguf is malformed: the text of bad must be UTF-8"):
        file.metadata["bad"]


def test_honours_the_alignment_of_the_file(tmp_path: Path) -> None:
    data = gguf_bytes({"general.alignment": 256}, TENSORS, alignment=256)

    file = GgufFile.open(write(tmp_path / "m.gguf", data))

    assert file.tensors["w"].offset % 256 == 0
    assert bytes(file.data("q")) == TENSORS["q"].data


def test_views_outlive_the_file_object(tmp_path: Path) -> None:
    view = GgufFile.open(write(tmp_path / "m.gguf", SMALL)).data("w")

    assert bytes(view) == TENSORS["w"].data
    assert view.readonly


def test_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        GgufFile.open(tmp_path / "absent.gguf")


def test_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="empty"):
        GgufFile.open(write(tmp_path / "m.gguf", b""))


def test_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="regular file"):
        GgufFile.open(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in this system's files")
def test_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")

    with pytest.raises(ValueError, match="regular file"):
        GgufFile.open(tmp_path / "pipe.gguf")


def test_every_truncation_of_the_file_is_refused(tmp_path: Path) -> None:
    for length in range(len(SMALL)):
        with pytest.raises(ValueError):
            GgufFile.open(write(tmp_path / "m.gguf", SMALL[:length]))


HOSTILE = {
    "wrong magic": (b"GGML" + SMALL[4:], ValueError, "must start with"),
    "version 1": (header(version=1), UnsupportedError, "version must be 2 or 3, got 1"),
    "big-endian": (b"GGUF" + struct.pack(">I", 3) + SMALL[8:], UnsupportedError, "big-endian"),
    "huge tensor count": (header(tensors=1 << 60), ValueError, "tensor count"),
    "huge metadata count": (header(keys=1 << 60), ValueError, "metadata count"),
    "huge key": (
        header(keys=1) + struct.pack("<Q", 1 << 62) + bytes(64),
        ValueError,
        "length of a metadata key",
    ),
    "huge string": (
        header(keys=1) + text("k") + struct.pack("<IQ", 8, 1 << 62) + bytes(64),
        ValueError,
        "truncated",
    ),
    "huge array": (
        header(keys=1) + text("k") + struct.pack("<IIQ", 9, 4, 1 << 62) + bytes(64),
        ValueError,
        "list elements",
    ),
    "array larger than the file": (
        header(keys=1) + text("k") + struct.pack("<IIQ", 9, 4, 1 << 20) + bytes(64),
        ValueError,
        "truncated",
    ),
    "arrays nested without end": (
        header(keys=1) + text("k") + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 50,
        ValueError,
        "depth of k",
    ),
    "unknown value type": (
        header(keys=1) + text("k") + struct.pack("<II", 13, 0) + bytes(16),
        ValueError,
        "value type",
    ),
    "text that is not UTF-8": (
        header(keys=1) + text("k") + struct.pack("<IQ", 8, 1) + b"\xff",
        ValueError,
        "UTF-8",
    ),
    "key that moves the cursor": (
        header(keys=1) + text("k\x1b[2J") + struct.pack("<II", 4, 0),
        ValueError,
        "printable",
    ),
    "key twice": (
        header(keys=2) + (text("k") + struct.pack("<II", 4, 0)) * 2,
        ValueError,
        "unique, got 'k'",
    ),
    "alignment that is no power of two": (
        gguf_bytes({"general.alignment": 24}),
        ValueError,
        "must be a uint32 that is one of",
    ),
    "alignment zero": (
        gguf_bytes({"general.alignment": 0}),
        ValueError,
        "must be a uint32 that is one of",
    ),
    "alignment that is no uint32": (
        gguf_bytes({"general.alignment": 32.0}),
        ValueError,
        "must be a uint32",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_header_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    data, error, message = HOSTILE[name]

    with pytest.raises(error, match=message) as caught:
        GgufFile.open(write(tmp_path / "m.gguf", data))

    assert "\n" not in str(caught.value)
    assert "m.gguf" in str(caught.value)


def entry(name: str, dimensions: list[int], kind: int, offset: int) -> bytes:
    rank = struct.pack("<I", len(dimensions))
    return text(name) + rank + struct.pack(f"<{len(dimensions)}QIQ", *dimensions, kind, offset)


BAD_TENSORS = {
    "rank": (entry("t", [1] * 9, 0, 0), ValueError, "rank"),
    "dimension beyond 31 bits": (entry("t", [1 << 31], 0, 0), ValueError, "must be at most"),
    "product beyond 64 bits": (entry("t", [2**31 - 1] * 3, 0, 0), ValueError, "must end"),
    "offset beyond the file": (entry("t", [4], 0, 1 << 62), ValueError, "must end"),
    "offset out of step": (entry("t", [4], 0, 4), ValueError, "multiple of 32"),
    "half a block": (entry("t", [16, 4], 2, 0), ValueError, "multiple of 32"),
    "unknown type": (entry("t", [4], 77, 0), UnsupportedError, "unknown type 77"),
    "name twice": (entry("t", [4], 0, 0) + entry("t", [4], 0, 32), ValueError, "unique"),
    "overlap": (entry("t", [9], 0, 0) + entry("u", [4], 0, 32), ValueError, "overlap"),
}


@pytest.mark.parametrize("name", BAD_TENSORS)
def test_bad_tensor_entry_is_refused(tmp_path: Path, name: str) -> None:
    entries, error, message = BAD_TENSORS[name]
    data = header(tensors=entries.count(text("t")) + entries.count(text("u"))) + entries

    with pytest.raises(error, match=message):
        GgufFile.open(write(tmp_path / "m.gguf", data + bytes(128)))


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    flips=st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(1, 255)), max_size=6),
    length=st.integers(0, len(SMALL)) | st.just(len(SMALL)),
)
def test_damaged_file_is_read_or_refused_and_nothing_else(
    tmp_path: Path, flips: list[tuple[int, int]], length: int
) -> None:
    data = bytearray(SMALL)
    for at, mask in flips:
        data[at] ^= mask

    try:
        file = GgufFile.open(write(tmp_path / "m.gguf", bytes(data[:length])))
    except ValueError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert all(len(file.data(name)) == tensor.nbytes for name, tensor in file.tensors.items())


@pytest.mark.reference
def test_type_sizes_equal_those_of_the_gguf_package() -> None:
    from gguf.constants import GGML_QUANT_SIZES

    sizes = {kind.name: size for kind, size in GGML_QUANT_SIZES.items()}

    for type_id, kind in TYPES.items():
        assert sizes[kind.name] == (kind.block, kind.size)
        assert {int(known): known.name for known in GGML_QUANT_SIZES}[type_id] == kind.name
