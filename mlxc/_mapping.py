"""Arrays over mapped files: nothing is read before it is used, and nothing is copied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, BinaryIO

from ._dtype import Dtype
from ._errors import check
from ._ffi import ffi, foreign, lib
from ._handle import unpack

if TYPE_CHECKING:
    from ._array import array


@cache
def maps_files() -> bool:
    """Whether libmlx computes on mapped memory; the GPU backends have memory of their own."""
    if foreign:
        return False
    result = ffi.new("bool*")
    check(lib.mlxc_maps_files(result))
    return bool(result[0])


def map_arrays(
    file: BinaryIO, places: Mapping[str, tuple[int, Sequence[int], Dtype]]
) -> dict[str, array]:
    """Arrays by name, each over the place in the file that starts at an offset.

    Args:
        file: the open file, which may be closed afterwards.
        places: offset in bytes, shape and type by name, all within the file. What is not aligned
            to its type is copied.
    """
    offsets = [offset for offset, _, _ in places.values()]
    lengths = [length for _, shape, _ in places.values() for length in shape]
    ndims = [len(shape) for _, shape, _ in places.values()]
    codes = [dtype._code for _, _, dtype in places.values()]
    arrays = unpack(lib.h_map_arrays(file.fileno(), offsets, lengths, ndims, codes, len(codes)))
    return dict(zip(places, arrays, strict=True))
