"""A tokenizer from the metadata of a GGUF file.

The file tells the vocabulary; of how text is prepared it gives only names: the kind of model, and
for BPE the pre-tokenizer. Where no flag is in the file, the defaults are those of llama.cpp.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from ..errors import UnsupportedError
from .byte_level import byte_level_backend
from .chat_template import ChatTemplates
from .frame import frame
from .gguf_fields import GgufFields, damaged
from .pieces import MARK, NORMAL, Piece, TextRules, marked_backend, pieces_backend
from .pre_tokenizers import PRE_TOKENIZERS
from .tokenizer import Tokenizer
from .word_pieces import PREFIX, word_piece_backend

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

_TEMPLATE = "tokenizer.chat_template"

_SPECIAL_IDS = {
    "bos_token": "bos_token_id",
    "eos_token": "eos_token_id",
    "unk_token": "unknown_token_id",
    "sep_token": "seperator_token_id",  # spelled so in the format
    "pad_token": "padding_token_id",
    "cls_token": "cls_token_id",
    "mask_token": "mask_token_id",
}
_END_IDS = ("eos_token_id", "eot_token_id", "eom_token_id")

# BPE whose tokens spell text itself, with "▁" for a space, instead of byte letters.
_MARKED_BPE = ("gemma4", "granite-embed-multi-311m", "mmbert", "sarvam-moe")


class _Made(NamedTuple):
    backend: Backend
    add_first: bool
    add_last: bool


def build_tokenizer(metadata: Mapping[str, object]) -> Tokenizer:
    """Builds the tokenizer of a GGUF file; see `Tokenizer.from_gguf`."""
    # Before the vocabulary: modules stay, and among its strings they would keep its pages.
    import tokenizers.decoders  # noqa: F401

    fields = GgufFields(metadata)
    model = fields.text("model")
    if model not in _MODELS:
        raise UnsupportedError(
            f"tokenizer model {model[:40]!r} is not known; known are: {', '.join(sorted(_MODELS))}"
        )
    made = _MODELS[model](fields)
    first, last = fields.token_id("bos_token_id"), fields.token_id("eos_token_id")
    if model == "bert":
        first = first if first is not None else fields.token_id("cls_token_id")
        last = fields.token_id("seperator_token_id")
    frame(
        made.backend,
        first=first if fields.flag("add_bos_token", made.add_first) else None,
        last=last if fields.flag("add_eos_token", made.add_last) else None,
    )
    special_tokens = {
        role: text
        for role, key in _SPECIAL_IDS.items()
        if (token := fields.token_id(key)) is not None
        and (text := made.backend.id_to_token(token)) is not None
    }
    return Tokenizer(
        made.backend,
        special_tokens=special_tokens,
        eos_token_ids={token for key in _END_IDS if (token := fields.token_id(key)) is not None},
        chat_templates=ChatTemplates(_templates(metadata)),
    )


def _byte_level(fields: GgufFields) -> _Made:
    name = fields.text("pre", "default")
    if name in _MARKED_BPE:
        return _marked_bpe(fields)
    if name not in PRE_TOKENIZERS:
        raise UnsupportedError(
            f"pre-tokenizer {name[:40]!r} is not one of the {len(PRE_TOKENIZERS)} that are known; "
            "take the model's tokenizer.json instead, or add the name to PRE_TOKENIZERS"
        )
    rules = PRE_TOKENIZERS[name]
    vocabulary = fields.unique_tokens()
    backend = byte_level_backend(vocabulary, fields.merges(vocabulary), rules, kinds=fields.kinds())
    return _Made(backend, add_first=rules.add_bos, add_last=False)


def _marked_bpe(fields: GgufFields) -> _Made:
    from tokenizers.models import BPE

    tokens, vocabulary = fields.tokens(), fields.unique_tokens()
    unknown = fields.token_id("unknown_token_id")
    try:
        model = BPE(
            vocabulary,
            fields.merges(vocabulary),
            unk_token=None if unknown is None else tokens[unknown],
            fuse_unk=True,
            byte_fallback=True,
        )
    except Exception as error:  # the library raises nothing narrower
        raise damaged("merges", "pairs of the vocabulary", error) from error
    rules = TextRules(space="each" if fields.flag("add_space_prefix", False) else "none")
    backend = marked_backend(model, rules, list(zip(tokens, fields.kinds(), strict=True)))
    return _Made(backend, add_first=False, add_last=False)


def _bpe_pieces(fields: GgufFields) -> _Made:
    rules = TextRules(space="each" if fields.flag("add_space_prefix", True) else "none")
    backend = pieces_backend(
        _pieces(fields), rules, unigram=False, unknown=fields.token_id("unknown_token_id")
    )
    return _Made(backend, add_first=True, add_last=False)


def _unigram_pieces(fields: GgufFields) -> _Made:
    rules = TextRules(
        space="each" if fields.flag("add_space_prefix", True) else "none",
        charsmap=fields.data("precompiled_charsmap"),
        collapse_spaces=fields.flag("remove_extra_whitespaces", False),
    )
    unknown = fields.token_id("unknown_token_id", default=2)
    backend = pieces_backend(_pieces(fields), rules, unigram=True, unknown=unknown)
    return _Made(backend, add_first=False, add_last=True)


def _word_pieces(fields: GgufFields) -> _Made:
    """Here the file marks the beginnings of words with "▁", where BERT marks what goes on."""
    kinds = fields.kinds()
    tokens = [
        token
        if kind != NORMAL
        else (token.removeprefix(MARK) if token.startswith(MARK) else PREFIX + token)
        for token, kind in zip(fields.tokens(), kinds, strict=True)
    ]
    if len(set(tokens)) != len(tokens):
        raise damaged("tokens", "unique", f"{len(tokens) - len(set(tokens))} tokens twice")
    unknown = fields.token_id("unknown_token_id", default=100)
    lowercase = fields.flag("normalizer.lowercase", True)
    backend = word_piece_backend(
        tokens,
        kinds,
        unknown=tokens[unknown or 0],
        lowercase=lowercase,
        strip_accents=fields.flag("normalizer.strip_accents", lowercase),
    )
    return _Made(backend, add_first=True, add_last=True)


def _pieces(fields: GgufFields) -> list[Piece]:
    entries = zip(fields.tokens(), fields.scores(), fields.kinds(), strict=True)
    return [Piece(*entry) for entry in entries]


def _templates(metadata: Mapping[str, object]) -> dict[str, str]:
    keys = {"default": _TEMPLATE, "tool_use": f"{_TEMPLATE}.tool_use"}
    templates: dict[str, str] = {}
    for name, key in keys.items():
        value = metadata.get(key)
        if isinstance(value, str):
            templates[name] = value
    return templates


_MODELS: dict[str, Callable[[GgufFields], _Made]] = {
    "gpt2": _byte_level,
    "gemma4": _marked_bpe,
    "llama": _bpe_pieces,
    "t5": _unigram_pieces,
    "bert": _word_pieces,
}
