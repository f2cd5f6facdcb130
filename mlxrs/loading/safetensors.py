"""Reading of safetensors files, with errors that say what to do about a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from ..errors import FormatError, ModelNotFoundError

if TYPE_CHECKING:
    import mlxc as mx


def read_safetensors(path: Path) -> dict[str, mx.array]:
    """Reads a safetensors file: on a CPU mapped, on a GPU read when the arrays are evaluated.

    The header is checked against the file before native code sees it.

    Raises:
        ModelNotFoundError: there is no such file.
        FormatError: the header breaks a rule of the format or does not fit the file.
    """
    import mlxc as mx

    try:
        return cast("dict[str, mx.array]", mx.load(str(path), format="safetensors"))
    except (FileNotFoundError, NotADirectoryError):
        raise ModelNotFoundError(f"{path}: no such file; download the model again") from None
    except ValueError as error:
        raise FormatError(f"{error}; download the model again") from None
