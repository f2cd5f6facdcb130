"""GGUF files as models: `mlxc.gguf` reads and checks them, and its errors become those of mlxrs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mlxc import gguf

from ..errors import FormatError, ModelNotFoundError, UnsupportedError


def open_gguf(path: str | Path) -> gguf.GgufFile:
    """Maps the GGUF file at `path`; its header is checked, its tensors are not copied.

    Raises:
        ModelNotFoundError: there is no such file.
        FormatError: the file breaks a rule of the format, or has an empty tensor.
        UnsupportedError: another version, big-endian data, an unknown tensor type, or a part of a
            model.

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
    parts = file.metadata.get("split.count", 1)
    if parts not in (0, 1):
        raise UnsupportedError(
            f"{path}: split models are not read, and this is one of {parts} parts; "
            "join them with 'llama-gguf-split --merge'"
        )
    return file


class Metadata(Mapping[str, object]):
    """The metadata of a GGUF file, whose lists are decoded when they are first asked for.

    Raises:
        FormatError: a text that is asked for is not UTF-8.
    """

    def __init__(self, file: gguf.GgufFile) -> None:
        self._file = file

    def __getitem__(self, key: str) -> object:
        with _errors_of_mlxrs(self._file.name):
            return self._file.metadata[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._file.metadata)

    def __len__(self) -> int:
        return len(self._file.metadata)


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
