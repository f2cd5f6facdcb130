"""Checked reading of safetensors files.

MLX reads the data, lazily; the header is compared with the file here first, so that a damaged or
hostile file is refused with a sentence and reaches no native code.

Format: https://huggingface.co/docs/safetensors/index#format
"""

from __future__ import annotations

import json
import stat
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeGuard, cast

from ..errors import FormatError, ModelNotFoundError, UnsupportedError

if TYPE_CHECKING:
    import mlxc as mx

MAX_HEADER_BYTES = 100_000_000  # the limit of the safetensors library itself

MAX_NAME_CHARACTERS = 1024

DTYPE_BYTES = {
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


def read_safetensors(path: Path) -> dict[str, mx.array]:
    """Reads a safetensors file; the arrays are lazy and read from disk when first evaluated.

    Raises:
        ModelNotFoundError: there is no such file.
        FormatError: the header breaks a rule of the format or does not fit the file.
        UnsupportedError: a dtype that MLX does not have.
    """
    import mlxc as mx

    check_safetensors(path)
    return cast("dict[str, mx.array]", mx.load(str(path), format="safetensors"))


def check_safetensors(path: Path) -> None:
    """Checks the header of a safetensors file; raises as `read_safetensors` does."""
    header, data_bytes = _header(path)
    header.pop("__metadata__", None)
    spans = sorted(_span(path, name, entry) for name, entry in header.items())
    edges = [(0, 0), *spans, (data_bytes, data_bytes)]
    for (_, end), (start, _) in pairwise(edges):
        if start != end:
            _fail(path, f"the tensors must cover the {data_bytes} data bytes one by one", start)


def _header(path: Path) -> tuple[dict[str, object], int]:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            _fail(path, "it must be a regular file", "another kind")
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            limit = min(MAX_HEADER_BYTES, size - 8)
            if not 2 <= length <= limit:
                _fail(path, f"the header length must be in 2..{limit}", length)
            text = file.read(length)
    except (FileNotFoundError, NotADirectoryError):
        raise ModelNotFoundError(f"{path}: no such file; download the model again") from None
    try:
        header = json.loads(text, object_pairs_hook=_unique_keys)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: the header must be JSON ({error}); download it again") from None
    if not isinstance(header, dict):
        _fail(path, "the header must be a JSON object", type(header).__name__)
    return header, size - 8 - length


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name occurs twice")
    return members


def _span(path: Path, name: str, entry: object) -> tuple[int, int]:
    # Names stand in messages, so they must not move the cursor of a terminal.
    if len(name) > MAX_NAME_CHARACTERS or not name.isprintable():
        _fail(path, f"a name must be printable, up to {MAX_NAME_CHARACTERS} characters", name)
    if not isinstance(entry, dict):
        _fail(path, f"the entry of {name} must be a JSON object", entry)
    dtype, shape, offsets = (entry.get(key) for key in ("dtype", "shape", "data_offsets"))
    if not isinstance(dtype, str) or dtype not in DTYPE_BYTES:
        raise UnsupportedError(
            f"{path}: tensor {name} has dtype {str(dtype)[:40]!r}; readable are "
            f"{', '.join(DTYPE_BYTES)}: convert the model"
        )
    if not _is_sizes(shape):
        _fail(path, f"the shape of {name} must be a list of sizes", shape)
    if not _is_sizes(offsets) or len(offsets) != 2:
        _fail(path, f"data_offsets of {name} must be [start, end]", offsets)
    start, end = offsets
    if end - start != prod(shape) * DTYPE_BYTES[dtype]:
        _fail(path, f"{name} must take prod{tuple(shape)} x {dtype} bytes", end - start)
    return start, end


def _is_sizes(value: object) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)


def _fail(path: Path, rule: str, value: object) -> NoReturn:
    raise FormatError(
        f"{path}: {rule}, got {value!r:.80}; the file is damaged or truncated: download it again"
    )
