"""The header of a safetensors file, checked before anything believes it.

The format: 8 bytes with the length of the header, little-endian; the header, a JSON object that
names for each tensor its dtype, shape and [begin, end) in the rest of the file; the rest, which
the tensors cover without gap or overlap.

Source: https://huggingface.co/docs/safetensors, section "Format".
"""

from __future__ import annotations

import json
import os
import stat
from itertools import pairwise
from math import prod
from typing import Any, TypeGuard

#: Bytes an element of the types that can be loaded.
ITEM_SIZES = {
    "BOOL": 1,
    "U8": 1,
    "I8": 1,
    "F8_E4M3": 1,
    "F8_E8M0": 1,
    "U16": 2,
    "I16": 2,
    "F16": 2,
    "BF16": 2,
    "U32": 4,
    "I32": 4,
    "F32": 4,
    "U64": 8,
    "I64": 8,
    "C64": 8,
}

MAX_HEADER = 100_000_000
MAX_LENGTH = 2**31 - 1
MAX_NAME = 1024


def read_header(path: str) -> tuple[list[str], dict[str, str]]:
    """The names of the tensors in a file and its metadata.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is truncated or malformed, or has a tensor of an unknown type.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise ValueError(f"{path} is not a regular file")
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > size - 8:
            raise ValueError(
                f"{path} is truncated: it has {size} bytes, its header of {length} does not fit"
            )
        if length > MAX_HEADER:
            raise ValueError(f"{path} has a header of {length} bytes; {MAX_HEADER} are allowed")
        text = file.read(length)
    header = _parse(path, text)
    metadata = header.pop("__metadata__", None)
    for name, tensor in header.items():
        if fault := _name_fault(name) or _fault(tensor, size - 8 - length):
            raise ValueError(f"{path} is malformed: tensor {name[:80]!r} {fault}")
    _check_cover(path, header, size - 8 - length)
    return list(header), _checked_metadata(path, metadata)


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
    if not isinstance(dtype, str) or dtype not in ITEM_SIZES:
        return f"has the unknown dtype {dtype!r:.40}"
    if not _are_naturals(shape) or any(length > MAX_LENGTH for length in shape):
        return f"has the impossible shape {shape!r:.80}"
    if not _are_naturals(offsets) or len(offsets) != 2:
        return f"has the impossible data_offsets {offsets!r:.80}"
    begin, end = offsets
    if not begin <= end <= available:
        return f"has data_offsets {offsets} beyond the {available} bytes of data in the file"
    if end - begin != (needed := prod(shape) * ITEM_SIZES[dtype]):
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
