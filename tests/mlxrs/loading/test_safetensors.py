"""A safetensors header is compared with the file before MLX sees it."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlxrs.errors import FormatError, MlxrsError, ModelNotFoundError
from mlxrs.loading.safetensors import read_safetensors


def safetensors_bytes(header: object, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def one(dtype: str, shape: object, offsets: object, data: bytes) -> bytes:
    return safetensors_bytes({"a": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}, data)


HOSTILE = {
    "empty": (b"", "truncated"),
    "header beyond the file": (struct.pack("<Q", 1 << 62) + b"{}", "truncated"),
    "no JSON": (safetensors_bytes(b"pickle"), "not JSON"),
    "no object": (safetensors_bytes([1]), "not a JSON object"),
    "deep JSON": (safetensors_bytes(b"[" * 100_000), "not JSON"),
    "name twice": (safetensors_bytes(b'{"a": 1, "a": 1}'), "twice"),
    "name that moves the cursor": (safetensors_bytes({"a\x1b[2J": 1}), r"'a\\x1b\[2J'"),
    "endless name": (safetensors_bytes({"a" * 2000: 1}), "endless name"),
    "entry that is no object": (safetensors_bytes({"a": 1}), "not described by an object"),
    "negative size": (one("U8", [-1], [0, 1], b"x"), "impossible shape"),
    "size that is a bool": (one("U8", [True], [0, 1], b"x"), "impossible shape"),
    "no shape": (one("U8", None, [0, 1], b"x"), "impossible shape"),
    "three offsets": (one("U8", [1], [0, 1, 2], b"x"), "data_offsets"),
    "size and offsets that differ": (one("F32", [2], [0, 4], bytes(4)), "takes 8"),
    "data beyond the file": (one("F32", [2], [0, 8], bytes(4)), "beyond the 4 bytes"),
    "data left over": (one("F32", [1], [0, 4], bytes(8)), "cover"),
    "gap": (one("F32", [1], [4, 8], bytes(8)), "cover"),
    "overlap": (
        safetensors_bytes(
            {
                "a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]},
                "b": {"dtype": "U8", "shape": [4], "data_offsets": [2, 6]},
            },
            bytes(6),
        ),
        "cover",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_safetensors_header_is_refused(tmp_path: Path, name: str) -> None:
    data, message = HOSTILE[name]
    path = tmp_path / "bad.safetensors"
    path.write_bytes(data)

    with pytest.raises(FormatError, match=message):
        read_safetensors(path)


def test_dtype_that_mlx_lacks_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f64.safetensors"
    path.write_bytes(one("F64", [1], [0, 8], bytes(8)))

    with pytest.raises(FormatError, match="F64"):
        read_safetensors(path)


def test_metadata_and_empty_tensors_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "empty.safetensors"
    header = {
        "__metadata__": {"format": "mlx"},
        "a": {"dtype": "F32", "shape": [0, 3], "data_offsets": [0, 0]},
        "b": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]},
    }
    path.write_bytes(safetensors_bytes(header, b"\x01\x02"))

    arrays = read_safetensors(path)

    assert arrays["a"].shape == (0, 3)
    assert arrays["b"].tolist() == [1, 2]


SMALL = one("F32", [2, 3], [0, 24], bytes(24))


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    flips=st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(1, 255)), max_size=4),
    length=st.integers(0, len(SMALL)) | st.just(len(SMALL)),
)
def test_damaged_safetensors_is_accepted_or_refused_and_nothing_else(
    tmp_path: Path, flips: list[tuple[int, int]], length: int
) -> None:
    data = bytearray(SMALL)
    for at, mask in flips:
        data[at] ^= mask
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(data[:length])

    try:
        read_safetensors(path)
    except MlxrsError as error:
        assert len(str(error).splitlines()) == 1


def test_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="no such file"):
        read_safetensors(tmp_path / "absent.safetensors")
