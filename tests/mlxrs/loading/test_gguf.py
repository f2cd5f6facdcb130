"""What `mlxc.gguf` refuses is refused as an error of mlxrs, in one line with the remedy."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from support.gguf import Stored, gguf_bytes

from mlxrs.errors import FormatError, ModelNotFoundError, UnsupportedError
from mlxrs.loading.gguf import Metadata, open_gguf

GOOD = gguf_bytes({"k": ["a", "b"]}, {"w": Stored("F32", (2,), bytes(8))})


def test_tensors_and_metadata_are_there(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(GOOD)

    file = open_gguf(tmp_path / "m.gguf")

    assert file.tensors["w"].shape == (2,)
    assert Metadata(file) == {"k": ["a", "b"]}


REFUSED = {
    "truncated": (GOOD[:-1], FormatError, "must end within .*; download the file again"),
    "another version": (
        b"GGUF" + struct.pack("<IQQ", 1, 0, 0),
        UnsupportedError,
        "got 1; convert the model again",
    ),
    "an empty tensor": (
        gguf_bytes({}, {"w": Stored("F32", (0, 4), b"")}),
        FormatError,
        r"dimensions of w must be positive, got \(0, 4\)",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_has_the_type_of_mlxrs_and_a_remedy(tmp_path: Path, name: str) -> None:
    data, error, message = REFUSED[name]
    (tmp_path / "m.gguf").write_bytes(data)

    with pytest.raises(error, match=message) as caught:
        open_gguf(tmp_path / "m.gguf")

    assert "\n" not in str(caught.value)
    assert "m.gguf" in str(caught.value)


def test_a_missing_file_is_a_missing_model(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="no such file; check the path"):
        open_gguf(tmp_path / "absent.gguf")


def test_a_directory_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="not a regular file"):
        open_gguf(tmp_path)


def test_a_list_is_decoded_when_it_is_asked_for(tmp_path: Path) -> None:
    data = gguf_bytes({"k": ["xyz"], "n": 3}).replace(b"xyz", b"\xff\xff\xff")
    (tmp_path / "m.gguf").write_bytes(data)

    metadata = Metadata(open_gguf(tmp_path / "m.gguf"))

    assert (list(metadata), len(metadata), metadata["n"]) == (["k", "n"], 2, 3)


def test_a_list_that_is_no_text_breaks_the_format(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(gguf_bytes({"k": ["xyz"]}).replace(b"xyz", b"\xff\xff\xff"))

    with pytest.raises(FormatError, match="text of k must be UTF-8"):
        Metadata(open_gguf(tmp_path / "m.gguf"))["k"]
