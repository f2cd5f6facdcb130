"""A tokenizer from the files of a Hugging Face directory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .._json import read_json_object
from ..errors import FormatError, ModelNotFoundError
from .chat_template import MAX_SOURCE_CHARACTERS, ChatTemplates
from .tokenizer import Tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

MAX_TOKENIZER_BYTES = 200_000_000
_ROLES = (
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
)


def read_tokenizer(path: Path) -> Tokenizer:
    """Reads the tokenizer of the directory `path`; see `Tokenizer.from_directory`."""
    backend = _read_backend(path / "tokenizer.json")
    config = _read_optional(path / "tokenizer_config.json")
    special_tokens = {role: text for role in _ROLES if (text := _token_text(config.get(role)))}
    eos_token_ids = {
        *_token_ids(path / "generation_config.json"),
        *_token_ids(path / "config.json"),
    }
    if "eos_token" in special_tokens:
        eos_id = backend.token_to_id(special_tokens["eos_token"])
        if eos_id is None:
            raise FormatError(
                f"{path / 'tokenizer_config.json'}: eos_token must be in the vocabulary, got "
                f"{special_tokens['eos_token']!r}; the files do not belong together"
            )
        eos_token_ids.add(eos_id)
    return Tokenizer(
        backend,
        special_tokens=special_tokens,
        eos_token_ids=eos_token_ids,
        chat_templates=ChatTemplates(dict(_templates(path, config))),
    )


def _read_backend(path: Path) -> Backend:
    import tokenizers

    if not path.exists():
        raise ModelNotFoundError(
            f"{path}: no such file; download the whole model directory, tokenizer.json included"
        )
    if not path.is_file() or path.stat().st_size > MAX_TOKENIZER_BYTES:
        raise FormatError(f"{path}: must be a file of at most {MAX_TOKENIZER_BYTES} bytes")
    try:
        return tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise FormatError(f"{path}: not a tokenizer ({error}); download it again") from error


def _read_optional(path: Path) -> dict[str, object]:
    return read_json_object(path) if path.exists() else {}


def _token_text(value: object) -> str | None:
    """Returns the text of a token that is written as a string or as `{"content": ...}`."""
    text = value.get("content") if isinstance(value, dict) else value
    return text if isinstance(text, str) else None


def _token_ids(path: Path) -> list[int]:
    """Returns the end tokens of a config file, which holds one id, a list, or none."""
    value = _read_optional(path).get("eos_token_id")
    listed = value if isinstance(value, list) else [] if value is None else [value]
    ids = [item for item in listed if type(item) is int]
    if len(ids) != len(listed):
        raise FormatError(
            f"{path}: eos_token_id must be a token id or a list of them, got {value!r:.80}"
        )
    return ids


def _templates(path: Path, config: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yields name and source of each template; a later one replaces an earlier one."""
    value = config.get("chat_template")
    if isinstance(value, str):
        yield "default", value
    elif isinstance(value, list):
        for entry in value:
            match entry:
                case {"name": str(name), "template": str(source)}:
                    yield name, source
                case _:
                    raise FormatError(
                        f"{path / 'tokenizer_config.json'}: a chat_template in a list must have "
                        f"name and template, got {entry!r:.80}"
                    )
    file = path / "chat_template.jinja"
    if file.exists():
        if not file.is_file() or file.stat().st_size > 4 * MAX_SOURCE_CHARACTERS:
            raise FormatError(
                f"{file}: must be a file of at most {4 * MAX_SOURCE_CHARACTERS} bytes"
            )
        try:
            yield "default", file.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise FormatError(
                f"{file}: must be UTF-8 ({error.reason}); download it again"
            ) from None
