"""GGUF files as models: `mlxc.gguf` reads and checks them, and its errors become those of mlxrs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlxc import gguf

from ..errors import FormatError, ModelNotFoundError, UnsupportedError


def open_gguf(path: str | Path) -> gguf.GgufFile:
    """Maps the GGUF file at `path`; its header is checked, its tensors are not copied.

    Raises:
        ModelNotFoundError: there is no such file.
        FormatError: the file breaks a rule of the format, or has an empty tensor.
        UnsupportedError: another version, big-endian data, or an unknown tensor type.

    Example:
        >>> open_gguf("model.gguf").metadata["general.architecture"]
        'llama'
    """
    with _errors_of_mlxrs(path):
        file = gguf.GgufFile.open(path)
    for tensor in file.tensors.values():
        if 0 in tensor.shape:
            raise FormatError(
                f"{path}: the dimensions of {tensor.name} must be positive, got {tensor.shape}; "
                "the file is damaged"
            )
    return file


def all_metadata(file: gguf.GgufFile) -> dict[str, object]:
    """Returns the metadata of `file` with every list decoded.

    Raises:
        FormatError: a text is not UTF-8.
    """
    with _errors_of_mlxrs(file.name):
        return dict(file.metadata)


@contextmanager
def _errors_of_mlxrs(path: str | Path) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise ModelNotFoundError(f"{path}: no such file; check the path") from None
    except gguf.UnsupportedError as error:
        raise UnsupportedError(f"{error}; convert the model again") from None
    except ValueError as error:
        raise FormatError(f"{error}; download the file again") from None
