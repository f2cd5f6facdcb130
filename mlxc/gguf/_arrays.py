"""The arrays and the metadata of a GGUF file in the types of mlx.core."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

from .._convert import new_array
from .._dtype import (
    bfloat16,
    bool_,
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
from .._ffi import ffi, lib
from .._handle import wrap
from ._blocks import BITS, to_affine
from ._file import GgufFile, GgufTensor
from ._header import UnsupportedError

if TYPE_CHECKING:
    from .._array import array

Metadata: TypeAlias = "array | str | list[str]"

PLAIN = {
    "F32": float32,
    "F16": float16,
    "BF16": bfloat16,
    "I8": int8,
    "I16": int16,
    "I32": int32,
    "I64": int64,
}
#: The types of numbers in the metadata, by struct code.
NUMBERS = {
    "B": uint8,
    "b": int8,
    "H": uint16,
    "h": int16,
    "I": uint32,
    "i": int32,
    "f": float32,
    "?": bool_,
    "Q": uint64,
    "q": int64,
    "d": float32,
}


def read_arrays(file: GgufFile) -> dict[str, array]:
    """The tensors of a file, copied; those of quantized blocks as three arrays each.

    Raises:
        ValueError: two arrays have one name.
        UnsupportedError: a tensor has a type that mlx.core does not read.
    """
    arrays: dict[str, array] = {}
    for tensor in file.tensors.values():
        for name, value in _arrays(tensor, file).items():
            if name in arrays:
                raise ValueError(f"{file.name} is malformed: it names {name!r} twice")
            arrays[name] = value
    return arrays


def read_metadata(file: GgufFile) -> dict[str, Metadata]:
    """The metadata of a file, numbers as arrays.

    Raises:
        ValueError: a text is not UTF-8, or lists are nested.
    """
    return {key: _value(file, key) for key in file.metadata}


def _value(file: GgufFile, key: str) -> Metadata:
    code = file.metadata.code(key)
    if code is not None:
        from numpy import frombuffer

        content = file.metadata.numbers(key)
        # Any byte but 0 is true in the file; an array holds 0 or 1.
        values = frombuffer(content, "u1") != 0 if code == "?" else frombuffer(content, "<" + code)
        numbers = new_array(values, NUMBERS[code])
        return numbers if isinstance(file.metadata[key], list) else numbers.reshape(())
    value: Any = file.metadata[key]
    if isinstance(value, list) and value and isinstance(value[0], list):
        raise UnsupportedError(f"{file.name}: metadata {key} is a list of lists")
    return value  # type: ignore[no-any-return]


def _arrays(tensor: GgufTensor, file: GgufFile) -> dict[str, array]:
    """The array of a tensor, or the three that its blocks become."""
    content, kind, shape = file.data(tensor.name), tensor.type, tensor.shape
    if kind.name in PLAIN:
        return {tensor.name: to_array(kind.name, content, shape)}
    if kind.name not in BITS:
        raise UnsupportedError(
            f"{file.name}: tensor {tensor.name} is stored as {kind.name}; arrays are made of "
            f"{', '.join([*PLAIN, *BITS])}"
        )
    triple = to_affine(kind.name, content, shape)
    stem = tensor.name.removesuffix(".weight")
    return {
        tensor.name: triple.weight,
        f"{stem}.scales": triple.scales,
        f"{stem}.biases": triple.biases,
    }


def to_array(kind: str, content: bytes | bytearray | memoryview, shape: Sequence[int]) -> array:
    """Copy the numbers of a tensor that is not quantized.

    Args:
        kind: `"F32"`, `"F16"`, `"BF16"`, `"I8"`, `"I16"`, `"I32"` or `"I64"`.
        content: the bytes as the file has them.
        shape: of the array.

    Raises:
        ValueError: `kind` is another, or there are more or fewer bytes than the shape needs.

    Example:
        >>> from mlxc.gguf import to_array
        >>> to_array("I8", bytes([1, 2, 255]), (3,))
        array([1, 2, -1], dtype=int8)
    """
    if kind not in PLAIN:
        raise ValueError(f"kind must be one of {', '.join(PLAIN)}, got {kind!r}")
    dtype = PLAIN[kind]
    if (got := memoryview(content).nbytes) != (needed := prod(shape) * dtype.size):
        raise ValueError(f"{kind} of shape {shape} takes {needed} bytes, got {got}")
    data = ffi.from_buffer(content) if needed else ffi.NULL
    return wrap(lib.h_from_data(data, list(shape), len(shape), dtype._code))
