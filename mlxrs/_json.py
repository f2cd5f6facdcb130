"""JSON files from outside, read with a bound and a clear error."""

from __future__ import annotations

import json
from pathlib import Path

from .errors import FormatError

MAX_BYTES = 100_000_000


def read_json_object(path: Path) -> dict[str, object]:
    """Reads a file that must hold one JSON object.

    Raises:
        FormatError: it is no regular file, is larger than 100 MB, is not JSON, or not an object.
    """
    if not path.is_file() or path.stat().st_size > MAX_BYTES:
        raise FormatError(f"{path}: must be a file of at most {MAX_BYTES} bytes; download it again")
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: must be JSON ({error}); download it again") from None
    if not isinstance(value, dict):
        raise FormatError(
            f"{path}: must be a JSON object, got {type(value).__name__}; download it again"
        )
    return value
