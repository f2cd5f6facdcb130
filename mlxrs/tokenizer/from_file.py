"""A tokenizer from one file, of the kind that its content tells."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from ..errors import FormatError, ModelNotFoundError
from .charsmap import check_charsmaps_in
from .from_sentencepiece import sentencepiece_parts
from .from_tekken import tekken_parts
from .from_tiktoken import tiktoken_parts
from .parts import Parts
from .tokenizer import Tokenizer

MAX_FILE_BYTES = 200_000_000
_TIKTOKEN_LINE = re.compile(rb"\s*[A-Za-z0-9+/]+={0,2} \d+\s")


def read_file(
    path: Path, *, pattern: str | None, special_tokens: Mapping[str, int] | None
) -> Tokenizer:
    """Reads the tokenizer in the file `path`; see `Tokenizer.from_file`."""
    data = read_bounded(path)
    if is_tiktoken(data):
        parts = tiktoken_parts(data, name=path.stem, pattern=pattern, special_tokens=special_tokens)
    elif pattern is not None or special_tokens is not None:
        raise ValueError(
            f"pattern and special_tokens are for tiktoken vocabularies, and {path} is none; leave "
            "them out"
        )
    elif data[:4] == b"GGUF":
        raise ValueError(
            f"{path} is a whole model: mlxrs.load gives its tokenizer, and so does "
            "Tokenizer.from_gguf from its metadata"
        )
    else:
        parts = json_parts(path, data) if path.suffix == ".json" else sentencepiece_parts(data)
    return Tokenizer(
        parts.backend, special_tokens=parts.special_tokens, eos_token_ids=parts.eos_token_ids
    )


def json_parts(path: Path, data: bytes) -> Parts:
    """Builds the tokenizer of a `tokenizer.json` or `tekken.json`.

    Raises:
        FormatError: it is neither.
    """
    import tokenizers

    if path.name != "tokenizer.json" and b'"token_bytes"' in data:
        return tekken_parts(_object(path, data))
    if b'"precompiled_charsmap"' in data:
        check_charsmaps_in(_object(path, data).get("normalizer"))
    try:
        return Parts(tokenizers.Tokenizer.from_buffer(data))
    except Exception as error:  # the library raises nothing narrower
        raise FormatError(f"{path}: not a tokenizer ({error}); download it again") from error


def _object(path: Path, data: bytes) -> dict[str, object]:
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: must be JSON ({error}); download it again") from None
    if not isinstance(content, dict):
        raise FormatError(f"{path}: must be a JSON object, got {type(content).__name__}")
    return content


def is_tiktoken(data: bytes) -> bool:
    """Returns whether a file begins like a tiktoken vocabulary: a token in base64 and a rank."""
    return _TIKTOKEN_LINE.match(data) is not None


def read_bounded(path: Path) -> bytes:
    """Returns the bytes of a file that is neither a pipe nor huge.

    Raises:
        ModelNotFoundError: there is no such file.
        FormatError: it is no regular file, or larger than 200 MB.
    """
    if not path.exists():
        raise ModelNotFoundError(
            f"{path}: no such file; download the whole model directory, the tokenizer included"
        )
    if not path.is_file() or path.stat().st_size > MAX_FILE_BYTES:
        raise FormatError(f"{path}: must be a file of at most {MAX_FILE_BYTES} bytes")
    return path.read_bytes()
