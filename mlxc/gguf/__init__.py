"""GGUF files, the container of the llama.cpp family: what is in one, without copying it.

`mlxc.load` gives the arrays of a file. This module is for reading more than these: every tensor as
the file stores it, and the metadata as Python values.

    file = GgufFile.open("model.gguf")
    file.metadata["general.architecture"]
    file.data("token_embd.weight")
"""

from ._arrays import to_array
from ._blocks import AffineTriple, to_affine, to_float32
from ._file import GgufFile, GgufMetadata, GgufTensor
from ._header import UnsupportedError
from ._types import TYPES, GgufType

__all__ = [
    "AffineTriple",
    "GgufFile",
    "GgufMetadata",
    "GgufTensor",
    "GgufType",
    "TYPES",
    "UnsupportedError",
    "to_affine",
    "to_array",
    "to_float32",
]
