"""The safetensors format: headers checked before anything believes them, and files written.

The format: 8 bytes with the length of the header, little-endian; the header, a JSON object that
names for each tensor its dtype, shape and [begin, end) in the rest of the file; the rest, which
the tensors cover without gap or overlap.

Source: https://huggingface.co/docs/safetensors, section "Format".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, Any, BinaryIO, TypeGuard

from ._dtype import (
    Dtype,
    bfloat16,
    bool_,
    complex64,
    float16,
    float32,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)
from ._ffi import ffi, lib
from ._files import name_of, size_left, write_array
from ._handle import wrap
from ._mapping import map_arrays

if TYPE_CHECKING:
    from ._array import array

#: The types that can be loaded; the small floats come as their bits.
TYPES = {
    "BOOL": bool_,
    "U8": uint8,
    "I8": int8,
    "F8_E4M3": uint8,
    "F8_E8M0": uint8,
    "U16": uint16,
    "I16": int16,
    "F16": float16,
    "BF16": bfloat16,
    "U32": uint32,
    "I32": int32,
    "F32": float32,
    "U64": uint64,
    "I64": int64,
    "C64": complex64,
}
NAMES: dict[Dtype, str] = {
    dtype: name for name, dtype in TYPES.items() if not name.startswith("F8")
}

MAX_HEADER = 100_000_000
MAX_LENGTH = 2**31 - 1
MAX_NAME = 1024


def read_header(file: BinaryIO) -> tuple[dict[str, Any], dict[str, str]]:
    """The entries of the tensors in an open file, by name, and its metadata.

    The position of the file is then where the data begins.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is truncated or malformed, or has a tensor of an unknown type.
    """
    path, size = name_of(file), size_left(file)
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > size - 8:
        raise ValueError(
            f"{path} is truncated: it has {size} bytes, its header of {length} does not fit"
        )
    if length > MAX_HEADER:
        raise ValueError(f"{path} has a header of {length} bytes; {MAX_HEADER} are allowed")
    header = _parse(path, file.read(length))
    metadata = header.pop("__metadata__", None)
    for name, tensor in header.items():
        if fault := _name_fault(name) or _fault(tensor, size - 8 - length):
            raise ValueError(f"{path} is malformed: tensor {name[:80]!r} {fault}")
    _check_cover(path, header, size - 8 - length)
    return header, _checked_metadata(path, metadata)


def read_safetensors(file: BinaryIO) -> tuple[dict[str, array], dict[str, str]]:
    """The arrays in an open file, evaluated, and its metadata."""
    header, metadata = read_header(file)
    start = file.tell()
    arrays = {}
    for name, tensor in header.items():
        begin, end = tensor["data_offsets"]
        file.seek(start + begin)
        data = file.read(end - begin)
        if len(data) != end - begin:
            raise ValueError(f"{name_of(file)} is truncated: it ends within {name!r}")
        shape, code = tensor["shape"], TYPES[tensor["dtype"]]._code
        arrays[name] = wrap(lib.h_from_data(ffi.from_buffer(data), shape, len(shape), code))
    return arrays, metadata


def map_safetensors(file: BinaryIO, header: dict[str, Any]) -> dict[str, array]:
    """The arrays that `header` tells of, over the open file, whose position is at its data."""
    start = file.tell()
    return map_arrays(
        file,
        {
            name: (start + tensor["data_offsets"][0], tensor["shape"], TYPES[tensor["dtype"]])
            for name, tensor in header.items()
        },
    )


def write_safetensors(
    file: BinaryIO, arrays: Mapping[str, array], metadata: Mapping[str, str]
) -> None:
    """Write evaluated arrays at the position of an open file, in their order."""
    header: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    end = 0
    for name, a in arrays.items():
        begin, end = end, end + a.nbytes
        header[name] = {"dtype": NAMES[a.dtype], "shape": a.shape, "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # so that the data is aligned
    file.write(len(text).to_bytes(8, "little") + text)
    for a in arrays.values():
        write_array(file, a)


def _check_cover(path: str, header: dict[str, Any], available: int) -> None:
    spans = sorted(tuple(tensor["data_offsets"]) for tensor in header.values())
    for (_, end), (begin, _) in pairwise([(0, 0), *spans, (available, available)]):
        if begin != end:
            raise ValueError(
                f"{path} is malformed: its tensors do not cover the {available} bytes of data one "
                f"by one, at byte {min(begin, end)}"
            )


def _parse(path: str, text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text.decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is malformed: its header is not JSON: {error}") from None
    if not isinstance(header, dict):
        raise ValueError(f"{path} is malformed: its header is not a JSON object")
    return header


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, in which readers must not disagree on what a name means."""
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a name occurs twice")
    return result


def _fault(tensor: Any, available: int) -> str | None:
    """What is wrong with the entry of a tensor."""
    if not isinstance(tensor, dict):
        return "is not described by an object"
    dtype, shape, offsets = tensor.get("dtype"), tensor.get("shape"), tensor.get("data_offsets")
    if not isinstance(dtype, str) or dtype not in TYPES:
        return f"has the unknown dtype {dtype!r:.40}"
    if not _are_naturals(shape) or any(length > MAX_LENGTH for length in shape):
        return f"has the impossible shape {shape!r:.80}"
    if not _are_naturals(offsets) or len(offsets) != 2:
        return f"has the impossible data_offsets {offsets!r:.80}"
    begin, end = offsets
    if not begin <= end <= available:
        return f"has data_offsets {offsets} beyond the {available} bytes of data in the file"
    if end - begin != (needed := prod(shape) * TYPES[dtype].size):
        return f"has {end - begin} bytes, but {dtype} of shape {shape} takes {needed}"
    return None


def _name_fault(name: str) -> str | None:
    if "\0" in name:
        return "has a zero character in its name"
    return "has an endless name" if len(name) > MAX_NAME else None


def _are_naturals(values: Any) -> TypeGuard[list[int]]:
    return isinstance(values, list) and all(type(v) is int and v >= 0 for v in values)


def _checked_metadata(path: str, metadata: Any) -> dict[str, str]:
    if metadata is None:
        return {}
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ValueError(f"{path} is malformed: its __metadata__ is not an object of strings")
    return metadata
