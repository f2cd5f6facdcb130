"""A tokenizer from Mistral's `tekken.json`: a tiktoken vocabulary with its pattern.

Special tokens have the first ids, and the ranks of the vocabulary follow. Of the vocabulary only
as much is used as `default_vocab_size` leaves room for.

Source: https://github.com/mistralai/mistral-common.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from ..errors import FormatError
from .frame import frame
from .from_tiktoken import MAX_TOKENS, ranked_backend
from .parts import Parts

_ROLES = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
# The special tokens of files that list none.
_UNLISTED = (
    "<unk> <s> </s> [INST] [/INST] [AVAILABLE_TOOLS] [/AVAILABLE_TOOLS] [TOOL_RESULTS] "
    "[/TOOL_RESULTS] [TOOL_CALLS] [IMG] <pad> [IMG_BREAK] [IMG_END] [PREFIX] [MIDDLE] [SUFFIX] "
    "[SYSTEM_PROMPT] [/SYSTEM_PROMPT] [TOOL_CONTENT]"
).split()


def tekken_parts(content: Mapping[str, object]) -> Parts:
    """Builds the tokenizer of a tekken file; see `Tokenizer.from_file`.

    Args:
        content: the object in the file.

    Raises:
        FormatError: the file contradicts itself.
    """
    match content:
        case {
            "config": {
                "pattern": str(pattern),
                "default_vocab_size": int(size),
                "default_num_special_tokens": int(reserved),
            },
            "vocab": list(vocabulary),
        } if 0 <= reserved < size <= min(MAX_TOKENS, len(vocabulary) + reserved):
            pass
        case _:
            raise _damaged(
                "config with pattern and fitting sizes, and vocab", content.get("config")
            )
    tokens = [_token(entry, rank) for rank, entry in enumerate(vocabulary[: size - reserved])]
    special = _special_ids(content.get("special_tokens"), reserved)
    backend = ranked_backend(tokens, pattern=pattern, special_tokens=special, first_id=reserved)
    roles = {role: text for role, text in _ROLES.items() if text in special}
    frame(backend, first=special.get("<s>"), last=None)
    return Parts(backend, roles, {special["</s>"]} if "</s>" in special else set())


def _token(entry: object, rank: int) -> bytes:
    match entry:
        case {"rank": int(found), "token_bytes": str(encoded)} if found == rank:
            try:
                return base64.b64decode(encoded, validate=True)
            except binascii.Error:
                pass
    raise _damaged(f"a token of rank {rank} in base64", entry)


def _special_ids(listed: object, reserved: int) -> dict[str, int]:
    """Returns the ids of the special tokens, unnamed ones included."""
    names: dict[int, str] = {}
    match listed:
        case None:
            names = dict(enumerate(_UNLISTED[:reserved]))
        case list():
            for entry in listed:
                match entry:
                    case {"rank": int(rank), "token_str": str(text)} if 0 <= rank < reserved:
                        names[rank] = text
                    case _:
                        raise _damaged(f"special tokens of ranks below {reserved}", entry)
        case _:
            raise _damaged("a list of special tokens", listed)
    ids = {names.get(rank, f"<SPECIAL_{rank}>"): rank for rank in range(reserved)}
    if len(ids) != reserved:
        raise _damaged("every special token once", listed)
    return ids


def _damaged(rule: str, got: object) -> FormatError:
    return FormatError(f"a tekken file must have {rule}, got {str(got)[:80]!r}; download it again")
