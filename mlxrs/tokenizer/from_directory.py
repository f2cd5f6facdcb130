"""A tokenizer from the files of a Hugging Face directory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .._json import read_json_object
from ..errors import FormatError, ModelNotFoundError
from .from_file import is_tiktoken, json_parts, read_bounded
from .from_sentencepiece import sentencepiece_parts
from .from_tiktoken import tiktoken_parts
from .parts import Parts
from .template_files import read_templates
from .tokenizer import Tokenizer

if TYPE_CHECKING:
    from tokenizers import AddedToken

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
    config = _read_optional(path / "tokenizer_config.json")
    parts = _parts(path, config)
    roles = {**_read_optional(path / "special_tokens_map.json"), **config}
    named = {role: text for role in _ROLES if (text := _token_text(roles.get(role)))}
    eos_token_ids = {
        *parts.eos_token_ids,
        *_token_ids(path / "generation_config.json"),
        *_token_ids(path / "config.json"),
    }
    if "eos_token" in named:
        eos_id = parts.backend.token_to_id(named["eos_token"])
        if eos_id is None:
            raise FormatError(
                f"{path / 'tokenizer_config.json'}: eos_token must be in the vocabulary, got "
                f"{named['eos_token']!r}; the files do not belong together"
            )
        eos_token_ids.add(eos_id)
    return Tokenizer(
        parts.backend,
        special_tokens=parts.special_tokens | named,
        eos_token_ids=eos_token_ids,
        chat_templates=read_templates(path, config),
        tool_format=_tool_format(config),
    )


def _tool_format(config: Mapping[str, object]) -> str | None:
    """Returns the format of calls that the config names, if it is known here."""
    name = config.get("tool_parser_type")
    if not isinstance(name, str):
        return None
    from .tools.formats import FORMAT_NAMES

    return name if name in FORMAT_NAMES else None


def _parts(path: Path, config: Mapping[str, object]) -> Parts:
    """Reads the vocabulary, from the first of the files that can hold one."""
    added = _added_tokens(path, config)
    for name in ("tokenizer.json", "tekken.json"):
        if (path / name).exists():
            return json_parts(path / name, read_bounded(path / name))
    if (path / "tokenizer.model").exists():
        data = read_bounded(path / "tokenizer.model")
        if not is_tiktoken(data):
            return _sentencepiece_parts(data, config, added)
    found = sorted([*path.glob("*.tiktoken"), *path.glob("*.model")])
    if len(found) != 1:
        raise ModelNotFoundError(
            f"{path}: must hold a tokenizer.json, tekken.json, tokenizer.model or one .tiktoken "
            "file; download the whole model directory"
        )
    special = {token.content: index for index, token in added.items()}
    return tiktoken_parts(read_bounded(found[0]), name=found[0].stem, special_tokens=special)


def _sentencepiece_parts(
    data: bytes, config: Mapping[str, object], added: Mapping[int, AddedToken]
) -> Parts:
    """Builds a SentencePiece model with the flags and tokens of `tokenizer_config.json`."""
    add_bos = config.get("add_bos_token")
    parts = sentencepiece_parts(
        data,
        add_bos=add_bos if isinstance(add_bos, bool) else None,
        add_eos=config.get("add_eos_token") is True,
        space="first" if config.get("legacy") is False else "each",
    )
    for index, token in sorted(added.items()):
        known = parts.backend.id_to_token(index)
        if known is None and index == parts.backend.get_vocab_size() or known == token.content:
            parts.backend.add_tokens([token])
        if parts.backend.id_to_token(index) != token.content:
            raise FormatError(
                f"tokenizer_config.json: added token {index} must be {known!r} or go on behind "
                f"the vocabulary, got {token.content!r:.80}; the files do not belong together"
            )
    return parts


def _added_tokens(path: Path, config: Mapping[str, object]) -> dict[int, AddedToken]:
    """Returns the tokens that the config adds to a vocabulary, by id."""
    from tokenizers import AddedToken

    listed = config.get("added_tokens_decoder", {})
    tokens: dict[int, AddedToken] = {}
    for index, entry in listed.items() if isinstance(listed, dict) else [("", listed)]:
        match entry:
            case {"content": str(text), **rest} if text and index.isdecimal():
                special = rest.get("special") is True
                tokens[int(index)] = AddedToken(text, special=special, normalized=False)
            case _:
                raise FormatError(
                    f"{path / 'tokenizer_config.json'}: added_tokens_decoder must map ids to "
                    f"tokens with content, got {entry!r:.80}"
                )
    return tokens


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
