"""The chat templates of a Hugging Face directory.

They stand in `tokenizer_config.json`, as one source or a list with names, or in files of their own:
`chat_template.jinja`, and more by name in a folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ..errors import FormatError
from .chat_template import MAX_SOURCE_CHARACTERS, ChatTemplates

_FOLDERS = ("chat_templates", "additional_chat_templates")
_MAX_TEMPLATES = 256


def read_templates(path: Path, config: Mapping[str, object]) -> ChatTemplates:
    """Reads every template of the directory `path`; files go before the config.

    Raises:
        FormatError: a template is malformed, too large, or there are too many.
    """
    return ChatTemplates({**dict(_in_config(path, config)), **dict(_in_files(path))})


def _in_config(path: Path, config: Mapping[str, object]) -> Iterator[tuple[str, str]]:
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


def _in_files(path: Path) -> Iterator[tuple[str, str]]:
    if (path / "chat_template.jinja").exists():
        yield "default", _read(path / "chat_template.jinja")
    for folder in _FOLDERS:
        files = sorted((path / folder).glob("*.jinja"))
        if len(files) > _MAX_TEMPLATES:
            raise FormatError(f"{path / folder}: must hold at most {_MAX_TEMPLATES} templates")
        for file in files:
            yield file.stem, _read(file)


def _read(file: Path) -> str:
    limit = 4 * MAX_SOURCE_CHARACTERS
    if not file.is_file() or file.stat().st_size > limit:
        raise FormatError(f"{file}: must be a file of at most {limit} bytes")
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"{file}: must be UTF-8 ({error.reason}); download it again") from None
