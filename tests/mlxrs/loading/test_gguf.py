"""The GGUF reader believes nothing that the file cannot hold."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.gguf import Stored, gguf_bytes, text

from mlxrs.errors import FormatError, MlxrsError, ModelNotFoundError, UnsupportedError
from mlxrs.loading.gguf import GgufFile
from mlxrs.loading.gguf_types import TYPES

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
    file = GgufFile(write(tmp_path / "m.gguf", gguf_bytes(METADATA, TENSORS, version=version)))

    assert file.metadata == METADATA
    assert file.version == version
    assert {name: tensor.shape for name, tensor in file.tensors.items()} == {
        "w": (2, 3),
        "q": (1, 32),
    }
    assert bytes(file.data("w")) == TENSORS["w"].data
    assert bytes(file.data("q")) == TENSORS["q"].data


def test_honours_the_alignment_of_the_file(tmp_path: Path) -> None:
    data = gguf_bytes({"general.alignment": 256}, TENSORS, alignment=256)

    file = GgufFile(write(tmp_path / "m.gguf", data))

    assert file.tensors["w"].offset % 256 == 0
    assert bytes(file.data("q")) == TENSORS["q"].data


def test_views_outlive_the_file_object(tmp_path: Path) -> None:
    view = GgufFile(write(tmp_path / "m.gguf", SMALL)).data("w")

    assert bytes(view) == TENSORS["w"].data
    assert view.readonly


def test_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="no such file"):
        GgufFile(tmp_path / "absent.gguf")


def test_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="empty"):
        GgufFile(write(tmp_path / "m.gguf", b""))


def test_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="regular file"):
        GgufFile(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in this system's files")
def test_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")

    with pytest.raises(FormatError, match="regular file"):
        GgufFile(tmp_path / "pipe.gguf")


def test_every_truncation_of_the_file_is_refused(tmp_path: Path) -> None:
    for length in range(len(SMALL)):
        with pytest.raises(FormatError):
            GgufFile(write(tmp_path / "m.gguf", SMALL[:length]))


HOSTILE = {
    "wrong magic": (b"GGML" + SMALL[4:], FormatError, "must start with"),
    "version 1": (header(version=1), UnsupportedError, "version must be 2 or 3, got 1"),
    "big-endian": (b"GGUF" + struct.pack(">I", 3) + SMALL[8:], UnsupportedError, "big-endian"),
    "huge tensor count": (header(tensors=1 << 60), FormatError, "tensor count"),
    "huge metadata count": (header(keys=1 << 60), FormatError, "metadata count"),
    "huge key": (
        header(keys=1) + struct.pack("<Q", 1 << 62) + bytes(64),
        FormatError,
        "length of a metadata key",
    ),
    "huge string": (
        header(keys=1) + text("k") + struct.pack("<IQ", 8, 1 << 62) + bytes(64),
        FormatError,
        "truncated",
    ),
    "huge array": (
        header(keys=1) + text("k") + struct.pack("<IIQ", 9, 4, 1 << 62) + bytes(64),
        FormatError,
        "array elements",
    ),
    "array larger than the file": (
        header(keys=1) + text("k") + struct.pack("<IIQ", 9, 4, 1 << 20) + bytes(64),
        FormatError,
        "truncated",
    ),
    "arrays nested without end": (
        header(keys=1) + text("k") + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 50,
        FormatError,
        "nest",
    ),
    "unknown value type": (
        header(keys=1) + text("k") + struct.pack("<II", 13, 0) + bytes(16),
        FormatError,
        "value type",
    ),
    "text that is not UTF-8": (
        header(keys=1) + text("k") + struct.pack("<IQ", 8, 1) + b"\xff",
        FormatError,
        "UTF-8",
    ),
    "key that moves the cursor": (
        header(keys=1) + text("k\x1b[2J") + struct.pack("<II", 4, 0),
        FormatError,
        "printable",
    ),
    "key twice": (
        header(keys=2) + (text("k") + struct.pack("<II", 4, 0)) * 2,
        FormatError,
        "unique, got 'k'",
    ),
    "alignment that is no power of two": (
        gguf_bytes({"general.alignment": 24}),
        FormatError,
        "power of two",
    ),
    "alignment zero": (gguf_bytes({"general.alignment": 0}), FormatError, "power of two"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_header_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    data, error, message = HOSTILE[name]

    with pytest.raises(error, match=message) as caught:
        GgufFile(write(tmp_path / "m.gguf", data))

    assert "\n" not in str(caught.value)
    assert "m.gguf" in str(caught.value)


def entry(name: str, dimensions: list[int], kind: int, offset: int) -> bytes:
    rank = struct.pack("<I", len(dimensions))
    return text(name) + rank + struct.pack(f"<{len(dimensions)}QIQ", *dimensions, kind, offset)


BAD_TENSORS = {
    "rank": (entry("t", [1] * 5, 0, 0), FormatError, "rank"),
    "empty dimension": (entry("t", [0, 4], 0, 0), FormatError, "positive"),
    "product beyond 64 bits": (entry("t", [1 << 63, 1 << 63], 0, 0), FormatError, "must end"),
    "offset beyond the file": (entry("t", [4], 0, 1 << 62), FormatError, "must end"),
    "offset out of step": (entry("t", [4], 0, 4), FormatError, "multiple of 32"),
    "half a block": (entry("t", [16, 4], 2, 0), FormatError, "multiple of 32"),
    "unknown type": (entry("t", [4], 77, 0), UnsupportedError, "unknown type 77"),
    "name twice": (entry("t", [4], 0, 0) + entry("t", [4], 0, 32), FormatError, "unique"),
    "overlap": (entry("t", [9], 0, 0) + entry("u", [4], 0, 32), FormatError, "overlap"),
}


@pytest.mark.parametrize("name", BAD_TENSORS)
def test_bad_tensor_entry_is_refused(tmp_path: Path, name: str) -> None:
    entries, error, message = BAD_TENSORS[name]
    data = header(tensors=entries.count(text("t")) + entries.count(text("u"))) + entries

    with pytest.raises(error, match=message):
        GgufFile(write(tmp_path / "m.gguf", data + bytes(128)))


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
        file = GgufFile(write(tmp_path / "m.gguf", bytes(data[:length])))
    except MlxrsError as error:
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
