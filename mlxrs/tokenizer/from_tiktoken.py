"""A tokenizer from a tiktoken vocabulary: lines of a token in base64 and its rank.

The file holds neither the pattern that splits text nor the special tokens; those of well-known
vocabularies are known here by the name of the file.

Source: https://github.com/openai/tiktoken.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import FormatError
from .byte_letters import spelled
from .byte_level import byte_level_backend
from .merges import merges_of
from .parts import Parts
from .pieces import CONTROL, NORMAL
from .pre_tokenizers import CL100K, GPT2, O200K, QWEN, ByteLevelRules

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

MAX_TOKENS = 2_000_000
_PATTERNS = {
    "gpt2": GPT2,
    "r50k_base": GPT2,
    "p50k_base": GPT2,
    "multilingual": GPT2,
    "cl100k_base": CL100K,
    "o200k_base": O200K,
    "qwen": QWEN,
    "tokenizer": CL100K,  # Llama 3 names its vocabulary as SentencePiece models are named
}


def parse_ranks(data: bytes) -> list[bytes]:
    """Returns the tokens in the order of their ranks; a rank that is left out is empty.

    Raises:
        FormatError: a line is not a token and a rank, or a rank is out of order.
    """
    tokens: list[bytes] = []
    for line_number, line in enumerate(data.splitlines(), 1):
        if not line:
            continue
        try:
            token, rank = line.split()
            decoded, index = base64.b64decode(token, validate=True), int(rank)
        except (ValueError, binascii.Error):
            raise _damaged(f"a token in base64 and a rank in line {line_number}", line) from None
        if not decoded or not len(tokens) <= index < MAX_TOKENS:
            raise _damaged(f"ranks in rising order below {MAX_TOKENS}", line)
        tokens += [b""] * (index - len(tokens)) + [decoded]
    if not tokens:
        raise _damaged("tokens", b"")
    return tokens


def tiktoken_parts(
    data: bytes,
    *,
    name: str,
    pattern: str | None = None,
    special_tokens: Mapping[str, int] | None = None,
) -> Parts:
    """Builds the tokenizer of a vocabulary file; see `Tokenizer.from_file`.

    Args:
        data: the bytes of the file.
        name: its name, without `.tiktoken`.
        pattern: how text is split; by default, by the name.
        special_tokens: ids of the special tokens.
    """
    if pattern is None and name not in _PATTERNS:
        raise ValueError(
            f"pattern must be given for the vocabulary {name!r}, as its file does not hold it; "
            f"known are: {', '.join(sorted(_PATTERNS))}"
        )
    return Parts(
        ranked_backend(
            parse_ranks(data),
            pattern=_PATTERNS[name] if pattern is None else pattern,
            special_tokens=special_tokens or {},
        )
    )


def ranked_backend(
    tokens: list[bytes], *, pattern: str, special_tokens: Mapping[str, int], first_id: int = 0
) -> Backend:
    """Builds a byte-level backend whose merges are the order of its tokens.

    Args:
        tokens: the tokens by rank; empty ones are holes.
        pattern: how text is split.
        special_tokens: ids of the special tokens, outside those of `tokens`.
        first_id: the id of the token of rank 0.

    Raises:
        FormatError: a token is there twice, or a special token takes the id of another one.
        ValueError: the pattern is no regular expression.
    """
    vocabulary = {spelled(token): first_id + i for i, token in enumerate(tokens) if token}
    taken = sorted({*vocabulary.values(), *special_tokens.values()})
    if (
        len(vocabulary) != sum(map(bool, tokens))
        or len(taken) != len(vocabulary) + len(special_tokens)
        or not vocabulary.keys().isdisjoint(special_tokens)
        or taken[0] < 0
        or taken[-1] >= MAX_TOKENS
    ):
        raise _damaged("every token and every id once", b"")
    merges = merges_of(vocabulary)
    kinds = {index: NORMAL for index in vocabulary.values()}
    kinds |= {index: CONTROL for index in special_tokens.values()}
    everything = {**vocabulary, **special_tokens}
    rules = ByteLevelRules((pattern,), ignore_merges=True)
    try:
        backend = byte_level_backend(
            everything, merges, rules, kinds=[kinds[index] for index in everything.values()]
        )
    except FormatError:
        raise
    except Exception as error:  # the library raises nothing narrower
        raise ValueError(f"pattern must be a regular expression ({error})") from error
    return backend


def _damaged(rule: str, got: bytes) -> FormatError:
    return FormatError(
        f"a tiktoken vocabulary must have {rule}, got {bytes(got)[:40]!r}; download it again"
    )
